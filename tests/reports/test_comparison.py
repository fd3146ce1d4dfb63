"""Missing and unused: by examples, and beside a naive comparison of Python sets."""

import json
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imageconverter.catalog import Entry
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.writing import write_version
from imageconverter.errors import StoreUnavailable
from imageconverter.images.conversions import OutputSpec
from imageconverter.images.image_formats import ImageFormat, ImageFormats, ImageType
from imageconverter.images.names import with_extension
from imageconverter.reports import CatalogSize, Summary, Table
from imageconverter.reports import comparison as module
from imageconverter.reports.comparison import compare
from imageconverter.reports.listing import Listing
from imageconverter.reports.results import part_names
from imageconverter.storage.store import StoredObject
from tests.catalog.test_writing import batches
from tests.testing.shop import make_format

MODIFIED = datetime(2025, 4, 25, 15, 55, 39, 123_000, tzinfo=UTC)


KEEP = make_format("keep")
FORMATS = [KEEP, make_format("jpeg", "jpeg"), make_format("auto", "auto")]


def entry(number: int, *images: str, active: bool = True) -> Entry:
    """Make an entry whose id contains its number."""
    return Entry(number, f"p{number}", active=active, images=images)


class Report(NamedTuple):
    """A whole report."""

    summary: Summary
    missing: list[dict[str, Any]]
    unused: list[dict[str, Any]]

    @property
    def missing_paths(self) -> list[str]:
        """Where files are missing."""
        return [row["path"] for row in self.missing]

    @property
    def unused_paths(self) -> list[str]:
        """Where files are unused."""
        return [row["path"] for row in self.unused]


async def report(
    entries: Sequence[Entry],
    files: Sequence[str],
    *,
    formats: Sequence[ImageFormat] = (KEEP,),
    kind: ImageType = "product",
    previous: CatalogSize | None = None,
) -> Report:
    """Compare *entries* with *files*, which are paths in the target tree, each as many bytes as its path is long."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        workspace = Workspace(folder, memory_mb=64, threads=1)
        (folder / "catalogue").mkdir()
        version = await write_version(batches(entries), folder / "catalogue", workspace)
        assert version.parts == 1
        results = folder / "results"
        summary = await compare(
            kind,
            ImageFormats(formats),
            [folder / "catalogue" / "entries-00000.parquet"],
            listing_of(files),
            previous=previous,
            workspace=workspace,
            results=results,
        )
        assert {path.name for path in folder.iterdir()} == {"catalogue", "results"}
        return Report(summary, rows(results, "missing", summary.missing), rows(results, "unused", summary.unused))


def listing_of(files: Sequence[str]) -> Listing:
    """List as the store does, three files a page."""

    async def listing(directory: str, _parting: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
        found = sorted({f"target/{path}" for path in files if path.startswith(f"{directory}/")})
        for start in range(0, len(found), 3):
            yield [StoredObject(key, len(key) - 7, '"etag"', MODIFIED) for key in found[start : start + 3]]

    return listing


def rows(folder: Path, table: Table, total: int) -> list[dict[str, Any]]:
    """Read all rows of a table."""
    lines = [line for name in part_names(table, total) for line in (folder / name).read_bytes().splitlines()]
    assert len(lines) == total
    return [json.loads(line) for line in lines]


async def test_what_is_named_is_there_or_missing_what_is_there_is_named_or_unused() -> None:
    """One row for each format, with all that a person needs to do something about it."""
    found = await report(
        [entry(1, "a.jpg", "b.jpg"), entry(2, "b.jpg"), entry(3, "c.jpg", active=False)],
        ["keep/a.jpg", "keep/c.jpg", "jpeg/b.jpg", "auto/a.jpg", "auto/b.jpg", "elsewhere/x.jpg"],
        formats=FORMATS,
    )

    assert found.missing == [
        {
            "filename": "a.jpg",
            "format": "content.imageFormat.jpeg",
            "path": "jpeg/a.jpg",
            "near": "",
            "products": ["p1"],
            "productCount": 1,
        },
        {
            "filename": "b.jpg",
            "format": "content.imageFormat.keep",
            "path": "keep/b.jpg",
            "near": "",
            "products": ["p1", "p2"],
            "productCount": 2,
        },
    ]
    assert found.unused == [
        {
            "filename": "c.jpg",
            "format": "content.imageFormat.keep",
            "path": "keep/c.jpg",
            "size": 10,
            "modified": "2025-04-25T15:55:39.123Z",
        }
    ]
    assert found.summary == Summary.model_validate(
        {
            "catalog": (3, 3),
            "files": 5,
            "file_bytes": 50,
            "passed_over": 0,
            "missing": 2,
            "missing_but_near": 0,
            "unused": 1,
            "unused_bytes": 10,
            "formats": {
                "content.imageFormat.keep": {"missing": 1, "unused": 1, "unused_bytes": 10},
                "content.imageFormat.jpeg": {"missing": 1},
                "content.imageFormat.auto": {},
            },
            "directories": {
                "keep": {"files": 2, "bytes": 20, "missing": 1, "unused": 1, "unused_bytes": 10},
                "jpeg": {"files": 1, "bytes": 10, "missing": 1},
                "auto": {"files": 2, "bytes": 20},
            },
            "unused_refused": "",
            "shared_directories": (),
        }
    )


@pytest.mark.parametrize(
    ("output", "named", "there", "missing", "near", "unused"),
    [
        ("jpeg", "photo.tif", "photo.jpg", [], [], []),
        ("jpeg", "photo.JPG", "photo.JPG", [], [], []),
        ("jpeg", "photo.jpeg", "photo.jpeg", [], [], []),
        ("jpeg", "photo", "photo.jpg", [], [], []),
        ("jpeg", "photo.2025", "photo.2025.jpg", [], [], []),
        ("keep", "photo.heic", "photo.jpg", [], [], []),
        ("keep", "photo.tif", "photo.png", [], [], []),
        ("auto", "photo.tif", "photo.png", [], [], []),
        ("auto", "photo.tif", "photo.jpg photo.png", [], [], []),
        # Named as it stands: a shop may show it, though the format makes another file of it today.
        ("webp", "photo.jpg", "photo.jpg photo.webp", [], [], []),
        ("webp", "photo.jpg", "photo.jpg", ["photo.webp"], ["photo.jpg"], []),
        # They are different URLs, but the other one is probably meant.
        ("keep", "photo.jpg", "Photo.jpg", ["photo.jpg"], ["Photo.jpg"], []),
        ("keep", "photo.jpg", "photo.png", ["photo.jpg"], ["photo.png"], []),
        ("keep", "photo.jpg", "PHOTO.PNG photo.JPG", ["photo.jpg"], ["photo.JPG"], []),
        # While the right file is there, it is the only one.
        ("keep", "photo.jpg", "photo.jpg Photo.jpg photo.png", [], [], ["Photo.jpg", "photo.png"]),
        ("auto", "photo.tif", "photo.gif photo.png", [], [], ["photo.gif"]),
        ("keep", "photo.jpg", "photo2.jpg", ["photo.jpg"], [""], ["photo2.jpg"]),
        # Unicode: composed or not is the same.
        ("keep", "H\u00f6he.jpg", "Ho\u0308he.jpg", [], [], []),
        ("keep", "H\u00f6he.jpg", "ho\u0308he.jpg", ["H\u00f6he.jpg"], ["ho\u0308he.jpg"], []),
        ("keep", "a.jpg", "b\u0308.jpg", ["a.jpg"], [""], ["b\u0308.jpg"]),
    ],
)
async def test_extension_case_and_normal_form(
    output: str, named: str, there: str, missing: list[str], near: list[str], unused: list[str]
) -> None:
    """What stands for a name, and what is only near it."""
    found = await report(
        [entry(1, named)], [f"f/{name}" for name in there.split()], formats=[make_format("f", output)]
    )

    assert found.missing_paths == [f"f/{name}" for name in missing]
    assert [row["near"] for row in found.missing] == near
    assert found.unused_paths == [f"f/{name}" for name in unused]
    assert found.summary.missing_but_near == sum(map(bool, near))


async def test_only_files_right_in_the_directory_count() -> None:
    """Subfolders and other names are not those of converted images, and must not be deleted."""
    found = await report(
        [entry(1, "a.jpg")],
        ["keep/a.jpg", "keep/old/a.jpg", "keep/deep/x.jpg", "keep/x\n.jpg", "keep/x\\y.jpg", "keep/x.jpg"],
    )

    assert found.unused_paths == ["keep/x.jpg"]
    assert (found.summary.files, found.summary.ignored) == (2, 4)


async def test_formats_may_share_a_directory() -> None:
    """A file that one of them makes is used; an unused one is assigned by its extension, if possible."""
    formats = [
        make_format("one", "webp", target_directory="d"),
        make_format("two", "jpeg", target_directory="d"),
        make_format("three", "jpeg", target_directory="d"),
    ]
    found = await report([entry(1, "a.tif")], ["d/a.jpg", "d/b.webp", "d/b.jpg"], formats=formats)

    assert [(row["path"], row["format"]) for row in found.missing] == [("d/a.webp", "content.imageFormat.one")]
    assert [(row["path"], row["format"]) for row in found.unused] == [
        ("d/b.jpg", ""),
        ("d/b.webp", "content.imageFormat.one"),
    ]
    assert found.summary.formats[""].unused == 1


async def test_totals_are_counted_by_directory() -> None:
    """Files of all formats of a directory, and what would be freed there."""
    formats = [make_format("one", target_directory="d"), make_format("two", "webp", target_directory="d"), KEEP]
    found = await report([entry(1, "a.jpg")], ["d/a.jpg", "d/old.jpg", "d/oldest.jpg", "keep/a.jpg"], formats=formats)

    assert {path: each.model_dump() for path, each in found.summary.directories.items()} == {
        "d": {"files": 3, "bytes": 28, "missing": 1, "unused": 2, "unused_bytes": 21},
        "keep": {"files": 1, "bytes": 10, "missing": 0, "unused": 0, "unused_bytes": 0},
    }


async def test_files_where_another_type_writes_too_are_not_called_unused() -> None:
    """The catalog of products does not know the images of categories."""
    formats = [KEEP, make_format("mixed"), make_format("category", kind="category", target_directory="mixed")]
    found = await report([entry(1, "a.jpg")], ["keep/x.jpg", "mixed/x.jpg"], formats=formats)

    assert found.unused_paths == ["keep/x.jpg"]
    assert found.missing_paths == ["keep/a.jpg", "mixed/a.jpg"]
    assert found.summary.shared_directories == ("mixed",)


async def test_only_formats_of_the_type_are_compared() -> None:
    """A report on categories leaves products alone."""
    formats = [KEEP, make_format("c", kind="category")]
    found = await report([entry(1, "a.jpg")], ["keep/x.jpg", "c/y.jpg"], formats=formats, kind="category")

    assert (found.missing_paths, found.unused_paths) == (["c/a.jpg"], ["c/y.jpg"])


@pytest.mark.parametrize(
    ("entries", "previous", "words"),
    [
        ([], None, "No active entry"),
        ([entry(1)], None, "No active entry"),
        ([entry(1, "a.jpg", active=False)], None, "No active entry"),
        ([entry(1, "a.jpg")], CatalogSize(3, 1), "1 entries, less than half of the previous 3"),
        ([entry(1, "a.jpg"), entry(2, active=True)], CatalogSize(2, 3), "1 images, less than half of the previous 3"),
    ],
)
async def test_a_catalog_that_lost_too_much_calls_nothing_unused(
    entries: list[Entry], previous: CatalogSize | None, words: str
) -> None:
    """An export that broke off must not cost a shop its images; missing images are reported all the same."""
    found = await report(entries, ["keep/x.jpg"], previous=previous)

    assert found.unused == []
    assert words in found.summary.unused_refused
    assert found.summary.missing == len({name for each in entries if each.active for name in each.images})


async def test_a_catalog_of_half_the_size_is_believed() -> None:
    """Half is not less than half."""
    found = await report([entry(1, "a.jpg")], ["keep/x.jpg"], previous=CatalogSize(2, 2))

    assert found.unused_paths == ["keep/x.jpg"]


async def test_a_placeholder_of_many_products_makes_a_short_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some products are named, all are counted."""
    monkeypatch.setattr(module, "PRODUCTS_SHOWN", 2)
    found = await report([entry(number, "none.jpg") for number in range(7)], [])

    assert [(row["products"], row["productCount"]) for row in found.missing] == [(["p0", "p1"], 7)]


async def test_a_listing_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Half a listing would call half of the images missing."""

    async def breaking(directory: str, _parting: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
        yield [StoredObject(f"target/{directory}/a.jpg", 1, "", MODIFIED)]
        raise StoreUnavailable("The object store did not answer in time.")

    workspace = Workspace(tmp_path / "work", memory_mb=64)
    workspace.folder.mkdir()
    (tmp_path / "catalogue").mkdir()
    await write_version(batches([entry(1, "a.jpg")]), tmp_path / "catalogue", workspace)
    with pytest.raises(StoreUnavailable):
        await compare(
            "product",
            ImageFormats(FORMATS),
            [tmp_path / "catalogue" / "entries-00000.parquet"],
            breaking,
            previous=None,
            workspace=workspace,
            results=tmp_path / "results",
        )

    assert list(workspace.folder.iterdir()) == []
    assert not (tmp_path / "results").exists()


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
