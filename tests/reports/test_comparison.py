"""Missing and unused, by examples."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from imageconverter.catalog import Entry
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.writing import write_version
from imageconverter.errors import StoreUnavailable
from imageconverter.images.image_formats import ImageFormats
from imageconverter.images.subshops import same_subshops
from imageconverter.reports import CatalogSize, Summary
from imageconverter.reports import comparison as module
from imageconverter.reports.comparison import compare
from imageconverter.storage.store import StoredObject
from tests.catalog.test_writing import batches
from tests.reports.compared import KEEP, MODIFIED, entry, report
from tests.testing.shop import make_format

FORMATS = [KEEP, make_format("jpeg", "jpeg"), make_format("auto", "auto")]


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
        "d": {"files": 3, "bytes": 28, "missing": 1, "unused": 2, "unused_bytes": 21, "subshops": ()},
        "keep": {"files": 1, "bytes": 10, "missing": 0, "unused": 0, "unused_bytes": 0, "subshops": ()},
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
            same_subshops(ImageFormats(FORMATS), ["default"]),
            [tmp_path / "catalogue" / "entries-00000.parquet"],
            breaking,
            previous=None,
            workspace=workspace,
            results=tmp_path / "results",
        )

    assert list(workspace.folder.iterdir()) == []
    assert not (tmp_path / "results").exists()
