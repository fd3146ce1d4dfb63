"""Reports where there are several subshops."""

from pathlib import Path

import duckdb
import pytest

from imageconverter.catalog import Entry
from imageconverter.catalog.database import Workspace
from imageconverter.images.image_formats import ImageFormats
from imageconverter.images.subshops import Subshop, Subshops, same_subshops
from imageconverter.reports.comparison import compare
from imageconverter.reports.looks import source_directories
from tests.reports.compared import Report, listing_of, report
from tests.testing.shop import make_format

KEEP, WEBP = make_format("keep"), make_format("webp", "webp", target_directory="keep")
INHERITED = make_format("keep", target_directory="outdoor/keep")
MAIN = Subshop("main", "Main", ImageFormats([KEEP]))
SALE = Subshop("sale", "Sale", ImageFormats([KEEP, WEBP]))
OUTDOOR = Subshop("outdoor", "Outdoor", ImageFormats([INHERITED]), target_prefix="outdoor")
SUBSHOPS = Subshops([MAIN, SALE, OUTDOOR])


def entry(number: int, name: str, *subshops: str, active: bool = True) -> Entry:
    """Make an entry of *subshops*, of all without any."""
    return Entry(number, f"p{number}", active, (name,), subshops)


async def compared(entries: list[Entry], *files: str) -> Report:
    """Compare them for all subshops."""
    return await report(entries, files, subshops=SUBSHOPS)


def test_sources_are_compared_in_the_directories_of_the_formats_of_all_subshops() -> None:
    """Also of those that one subshop has alone; the prefix of a subshop is not part of a directory of sources."""
    own = make_format("own", target_directory="outdoor/own", source_directory="tents")
    other = make_format("c", kind="category", target_directory="outdoor/c")
    outdoor = OUTDOOR._replace(formats=ImageFormats([INHERITED, own, other]))
    subshops = Subshops([MAIN, SALE, outdoor])

    assert source_directories("product", subshops) == ["keep", "tents"]
    assert source_directories("category", subshops) == ["c"]


async def test_an_entry_of_all_subshops_is_expected_in_the_directories_of_all() -> None:
    """Each missing file is named once, whatever number of subshops share its directory."""
    found = await compared([entry(1, "a.jpg")])

    assert sorted(found.missing_paths) == ["keep/a.jpg", "keep/a.webp", "outdoor/keep/a.jpg"]


@pytest.mark.parametrize(
    ("subshop", "paths"),
    [
        ("main", ["keep/a.jpg"]),
        ("sale", ["keep/a.jpg", "keep/a.webp"]),
        ("outdoor", ["outdoor/keep/a.jpg"]),
    ],
)
async def test_an_entry_of_a_subshop_is_expected_in_its_directories_only(subshop: str, paths: list[str]) -> None:
    """In all of its formats; the products are those of the subshop."""
    found = await compared([entry(1, "a.jpg", subshop), entry(2, "b.jpg", "main"), entry(3, "a.jpg", active=False)])

    missing = [row for row in found.missing if row["filename"] == "a.jpg"]
    assert sorted(row["path"] for row in missing) == paths
    assert {tuple(row["products"]) for row in missing} == {("p1",)}


async def test_a_shared_file_is_unused_if_no_subshop_uses_it() -> None:
    """Of those that have images in its directory, also in another format."""
    files = ("keep/a.jpg", "keep/a.webp", "keep/b.jpg", "keep/c.jpg", "outdoor/keep/a.jpg", "outdoor/keep/c.jpg")
    found = await compared(
        [entry(1, "a.jpg", "sale"), entry(2, "b.jpg", "main"), entry(3, "c.jpg", "outdoor")], *files
    )

    assert found.unused_paths == ["keep/c.jpg", "outdoor/keep/a.jpg"]
    assert found.missing_paths == []


async def test_a_name_that_two_subshops_use_is_used_until_neither_does() -> None:
    """Entries are not merged."""
    both = [entry(1, "a.jpg", "main"), entry(2, "a.jpg", "outdoor"), entry(3, "x.jpg", "main", "outdoor")]
    files = ("keep/a.jpg", "outdoor/keep/a.jpg", "keep/x.jpg", "outdoor/keep/x.jpg")

    assert (await compared(both, *files)).unused_paths == []
    assert (await compared(both[1:], *files)).unused_paths == ["keep/a.jpg"]
    assert (await compared(both[2:], *files)).unused_paths == ["keep/a.jpg", "outdoor/keep/a.jpg"]


async def test_the_totals_of_a_directory_name_its_subshops() -> None:
    """And count what is missing there, although formats of several directories have the same id."""
    found = await compared([entry(1, "a.jpg")], "keep/a.jpg", "outdoor/keep/z.jpg")
    directories = found.summary.directories

    assert {path: each.subshops for path, each in directories.items()} == {
        "keep": ("main", "sale"),
        "outdoor/keep": ("outdoor",),
    }
    assert [(each.missing, each.unused) for each in directories.values()] == [(1, 0), (1, 1)]


async def test_a_catalog_of_an_earlier_release_is_of_all_subshops(tmp_path: Path) -> None:
    """It does not say of which it is."""
    catalog, work = tmp_path / "catalog", tmp_path / "work"
    catalog.mkdir()
    work.mkdir()
    part = catalog / "entries-00000.parquet"
    with duckdb.connect() as database:
        database.execute(
            "COPY (SELECT 1 AS line, 'p1' AS id, true AS active, ['a.jpg'] AS images) TO $part (FORMAT parquet)",
            {"part": str(part)},
        )
    summary = await compare(
        "product",
        SUBSHOPS,
        [part],
        listing_of(["keep/a.jpg", "keep/z.jpg"]),
        previous=None,
        workspace=Workspace(work, memory_mb=64, threads=1),
        results=tmp_path / "results",
    )

    assert (summary.missing, summary.unused) == (2, 1)


def test_the_digest_changes_with_the_formats_of_any_subshop() -> None:
    """It stays that of the formats file where all is shared, so that an upgrade needs no new reports."""
    formats = ImageFormats([KEEP])

    assert same_subshops(formats, ["a", "b"]).digest() == formats.digest()
    assert SUBSHOPS.digest() not in (MAIN.formats.digest(), Subshops([MAIN, OUTDOOR]).digest())
