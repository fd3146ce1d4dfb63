"""The translations of the console."""

import re

import pytest
from babel.messages import Message

from services.gateway.console.languages import Languages
from tests.console.catalogs import extracted, languages, read

LANGUAGES = languages()


def forms(text: object) -> list[str]:
    """Return the forms of a message in singular and plural."""
    return [text] if isinstance(text, str) else [str(each) for each in text]  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_messages_are_translated(language: str) -> None:
    """And no catalog has one that no source has; `python -m tests.console.catalogs` updates them."""
    for name, template in extracted().items():
        catalog = read(language, name)
        assert {str(message.id) for message in catalog if message.id} == {
            str(message.id) for message in template if message.id
        }
        untranslated = [message.id for message in catalog if message.id and not all(forms(message.string or ""))]
        assert untranslated == [], f"{language}/{name}.po"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_values_and_the_markup_of_their_messages(language: str) -> None:
    """A translation with an unknown value would fail, and unknown markup would break the page."""
    for name in extracted():
        for message in read(language, name):
            if message.id:
                assert marks(message.string) <= marks(message.id), message.id
                assert tags(message) == tags(message, translated=True), message.id


def marks(text: object) -> set[str]:
    """Return the names of the values in all forms of *text*."""
    return {name for form in forms(text) for name in re.findall(r"%\(\w+\)\w", form)}


def tags(message: Message, *, translated: bool = False) -> list[str]:
    """Return the tags in the last form of a message."""
    form = forms(message.string if translated else message.id)[-1]
    return sorted(re.findall(r"</?\w+", form))


@pytest.mark.parametrize(
    ("size", "english", "german"),
    [(0, "0 B", "0 B"), (999, "999 B", "999 B"), (1500, "1.5 kB", "1,5 kB"), (123_456_789, "123 MB", "123 MB"),
     (2_500_000_000_000_000, "2,500 TB", "2.500 TB")],
)  # fmt: skip
def test_sizes_are_written_as_the_language_does(size: int, english: str, german: str) -> None:
    """With units of powers of 1,000 (IEC 80000-13), and the separators of the locale (CLDR)."""
    en, de = Languages()
    assert en.bytes(size).replace("\xa0", " ") == english
    assert de.bytes(size).replace("\xa0", " ") == german
    assert (en.percent(0.125, 1), de.percent(0.125, 1)) == ("12.5%", "12,5\xa0%")


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [(0, "0 ms", "0 ms"), (0.85, "850 ms", "850 ms"), (2.55, "2.6 s", "2,6 s"), (42.4, "42 s", "42 s"),
     (200, "3 min 20 s", "3 min 20 s"), (200_000, "55 h 33 min", "55 h 33 min")],
)  # fmt: skip
def test_durations_are_written_as_the_language_does(seconds: float, english: str, german: str) -> None:
    """In the units that fit."""
    en, de = Languages()
    assert (en.duration(seconds).replace("\xa0", " "), de.duration(seconds).replace("\xa0", " ")) == (english, german)


def test_times_in_the_past_are_written_as_the_language_does() -> None:
    """With the case that it needs."""
    en, de = Languages()
    assert (en.ago(0.2), de.ago(0.2)) == ("1 second ago", "vor 1 Sekunde")
    assert (en.ago(200_000), de.ago(200_000)) == ("2 days ago", "vor 2 Tagen")
