"""The languages of the console: which one a request gets, its texts, and how it writes numbers and dates."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from aiohttp import web
from babel import Locale, dates, negotiate_locale, numbers
from babel.messages.pofile import read_po

COOKIE: Final = "language"
_FOLDER: Final = Path(__file__).parent / "locale"
_SOURCE_LANGUAGE: Final = "en"
_CATALOGS_OF_ALL_PAGES: Final = ("console", "login")
_STEP: Final = 1000
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_MANY: Final = 100
_MINUTE: Final = 60  # seconds


# A page may have a thousand numbers; Babel takes about 20 microseconds for each, and more for a time.
@lru_cache(maxsize=10_000)
def _decimal(value: float, pattern: str, code: str) -> str:
    return str(numbers.format_decimal(value, format=pattern, locale=code))


@lru_cache(maxsize=1000)
def _datetime(time: datetime, code: str) -> str:
    return str(dates.format_datetime(time, "medium", locale=code)) + " UTC"


def N_(message: str) -> str:  # noqa: N802 - the name that extractors look for
    """Return *message*, which is to be translated where it is shown."""
    return message


class Language:
    """A language: the translations of all catalogs in its folder, and the formats of its locale."""

    def __init__(self, code: str, folder: Path | None) -> None:
        """Read the catalogs in *folder*; None for the language of the source."""
        self.code = code
        self._texts: dict[str, str | tuple[str, ...]] = {}
        """A message, or the forms of one in singular and plural, by the English singular."""
        self._script_messages: dict[str, dict[str, str | tuple[str, ...]]] = {}
        """Those that occur in scripts, by catalog."""
        for path in sorted(folder.glob("*.po")) if folder is not None else ():
            with path.open("rb") as file:
                catalog = read_po(file, locale=code)
            for message in catalog:
                if not message.id or message.fuzzy or not message.string:
                    continue
                key = message.id if isinstance(message.id, str) else message.id[0]
                text = message.string if isinstance(message.string, str) else tuple(message.string)
                self._texts[key] = text
                if any(name.endswith(".js") for name, _ in message.locations):
                    self._script_messages.setdefault(path.stem, {})[key] = text

    def script_messages(self, page: str) -> dict[str, str | tuple[str, ...]]:
        """Return the messages of the scripts that *page* may load."""
        catalogs = (*_CATALOGS_OF_ALL_PAGES, page)
        return {key: text for name in catalogs for key, text in self._script_messages.get(name, {}).items()}

    @property
    def name(self) -> str:
        """The name of the language in itself."""
        return (self._locale.language_name or self.code).capitalize()

    def gettext(self, message: str) -> str:
        """Return the translation of *message*; itself if there is none."""
        text = self._texts.get(message, message)
        return text if isinstance(text, str) else text[0]

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Return the form of *singular* for *count*. All languages here have two forms, as English has."""
        forms = self._texts.get(singular, (singular, plural))
        return forms[0 if count == 1 else 1] if isinstance(forms, tuple) else forms

    def number(self, value: float, digits: int = 0) -> str:
        """Return *value* with separators, and with up to *digits* decimals."""
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        return _decimal(value, pattern, self.code)

    def percent(self, share: float, digits: int = 0) -> str:
        """Return *share*, from 0 to 1, as a percentage."""
        pattern = "#,##0" + ("." + "#" * digits if digits else "") + self._locale.percent_formats[None].suffix[0]
        return str(numbers.format_percent(share, format=pattern, locale=self._locale))

    def bytes(self, size: float) -> str:
        """Return *size* in bytes with a unit of powers of 1,000."""
        value, unit = float(size), _UNITS[0]
        for unit in _UNITS:
            if abs(value) < _STEP or unit == _UNITS[-1]:
                break
            value /= _STEP
        digits = 0 if unit == _UNITS[0] or value >= _MANY else 1
        return f"{self.number(value, digits)}\N{NO-BREAK SPACE}{unit}"

    def duration(self, seconds: float) -> str:
        """Return *seconds* as "850 ms", "12.4 s", "3 min 20 s" or "2 h 5 min", as scripts do."""
        space = "\N{NO-BREAK SPACE}"
        if seconds < 1:
            return f"{self.number(round(seconds * _STEP))}{space}ms"
        if seconds < _MINUTE:
            return f"{self.number(seconds, 1 if seconds < 10 else 0)}{space}s"  # noqa: PLR2004
        minutes = int(seconds // _MINUTE)
        if minutes < _MINUTE:
            return f"{minutes}{space}min {int(seconds % _MINUTE)}{space}s"
        return f"{self.number(minutes // _MINUTE)}{space}h {minutes % _MINUTE}{space}min"

    def ago(self, seconds: float) -> str:
        """Return a time in the past, as "3 minutes ago"."""
        return str(dates.format_timedelta(-max(1, round(seconds)), add_direction=True, locale=self._locale))

    def short_date(self, moment: datetime) -> str:
        """Return the day of *moment* in UTC."""
        return str(dates.format_date(moment.astimezone(UTC), "medium", locale=self._locale))

    def clock_time(self, value: time) -> str:
        """Return a time of day."""
        return str(dates.format_time(value, "short", locale=self._locale))

    def weekday(self, day: date) -> str:
        """Return the name of the weekday of *day*."""
        return str(dates.format_date(day, "EEEE", locale=self._locale))

    def datetime(self, moment: datetime) -> str:
        """Return *moment* in UTC; scripts replace it by the reader's own time (`<time datetime>`)."""
        return _datetime(moment.astimezone(UTC), self.code)

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(self.code)


class Languages:
    """All languages of the console."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        """Read the catalogs of all languages in *folder*."""
        self._by_code = {_SOURCE_LANGUAGE: Language(_SOURCE_LANGUAGE, None)}
        for path in sorted(each for each in folder.iterdir() if each.is_dir()):
            self._by_code[path.name] = Language(path.name, path)

    def __iter__(self) -> Iterator[Language]:
        return iter(self._by_code.values())

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    def of(self, request: web.Request) -> Language:
        """Return the language that the client of *request* has chosen, or else the one that it prefers."""
        chosen = request.cookies.get(COOKIE, "")
        if chosen not in self._by_code:
            preferred = _preferred(request.headers.get("Accept-Language", ""))
            chosen = negotiate_locale(preferred, list(self._by_code), sep="-") or _SOURCE_LANGUAGE
        return self._by_code[chosen]


def _preferred(header: str) -> list[str]:
    """Return the languages of the header Accept-Language, the best one first (RFC 9110, section 12.5.4)."""
    weighted: list[tuple[float, str]] = []
    for each in header.split(","):
        code, _, parameter = each.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0
        if weight > 0 and (code := code.strip()):
            weighted.append((weight, code))
    return [code for _, code in sorted(weighted, key=lambda each: -each[0])]
