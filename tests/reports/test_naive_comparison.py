"""Missing and unused, beside a naive comparison of Python sets."""

import unicodedata
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imageconverter.images.conversions import OutputSpec
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.names import with_extension
from tests.reports.compared import entry, report
from tests.testing.shop import make_format

STEMS = ("a", "A", "\u00e4", "a\u0308", "b")
NAMES = [stem + extension for stem in STEMS for extension in ("", ".jpg", ".JPG", ".png", ".tif", ".webp")]
OUTPUTS = ["keep", "auto", "jpeg", "png", "webp"]
formats_of_a_shop = st.lists(
    st.tuples(st.sampled_from(OUTPUTS), st.sampled_from(["d", "e"])), min_size=1, max_size=3
).map(
    lambda given: [
        make_format(f"f{n}", output, target_directory=directory) for n, (output, directory) in enumerate(given)
    ]
)
catalogs = st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(NAMES), max_size=4)), max_size=8)
stores = st.lists(st.tuples(st.sampled_from(["d", "e"]), st.sampled_from(NAMES)), max_size=30)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(formats=formats_of_a_shop, catalog=catalogs, files=stores)
async def test_the_report_is_that_of_a_naive_comparison(
    formats: list[ImageFormat], catalog: list[tuple[bool, list[str]]], files: list[tuple[str, str]]
) -> None:
    """Small sets of all kinds of names, in formats of all kinds."""
    entries = [
        entry(n, *dict.fromkeys(normal(name) for name in images), active=active)
        for n, (active, images) in enumerate(catalog)
    ]
    found = await report(entries, [f"{directory}/{name}" for directory, name in files], formats=formats)
    names = {name for each in entries if each.active for name in each.images}
    missing, unused = naive(names, formats, by_directory(files))

    assert {(row["format"], row["path"], row["filename"]) for row in found.missing} == missing
    assert len(found.missing) == len(missing)
    assert found.missing_paths == sorted(found.missing_paths)
    assert found.unused_paths == sorted(unused if names else set())
    for row in found.missing:
        users = sorted(each.id for each in entries if each.active and row["filename"] in each.images)
        assert row["products"] == users


def by_directory(files: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    """Return the names in each directory."""
    found: dict[str, set[str]] = {"d": set(), "e": set()}
    for directory, name in files:
        found[directory].add(name)
    return found


def naive(
    names: set[str], formats: Sequence[ImageFormat], there: Mapping[str, set[str]]
) -> tuple[set[tuple[str, str, str]], set[str]]:
    """Return (format, path, name) of what is missing and paths of what is unused, by sets of everything."""
    missing = set()
    used = set()
    for each in formats:
        there_too = {normal(name) for name in there[each.target_directory]}
        paths = {f"{each.target_directory}/{name}" for name in there_too}
        used |= {f"{each.target_directory}/{name}" for name in names}
        for name in names:
            expected = expected_paths(each, name)
            used |= set(expected)
            if not paths.intersection(expected):
                missing.add((each.node_id, expected[0], name))
                used |= {f"{each.target_directory}/{other}" for other in there_too if bare(other) == bare(name)}
    unused = {
        f"{directory}/{name}"
        for directory in {each.target_directory for each in formats}
        for name in there[directory]
        if f"{directory}/{normal(name)}" not in used
    }
    return missing, unused


def expected_paths(target: ImageFormat, name: str) -> list[str]:
    """Return where a conversion may put what it makes of *name*."""
    order = OutputSpec(target=target.as_target(), directory=target.target_directory, name=name)
    return [order.expected_path, *([order.path("png")] if target.output == "auto" else [])]


def bare(name: str) -> str:
    """Return *name* without what two near names may differ in."""
    return with_extension(name, (".x",)).casefold()


def normal(name: str) -> str:
    """Return *name* in normal form C."""
    return unicodedata.normalize("NFC", name)
