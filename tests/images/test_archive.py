"""Zip archives of converted images."""

import asyncio
import io
import os
import shutil
import subprocess
import unicodedata
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.images import archive
from imageconverter.images.archive import MISSING_FILE, zip_archive
from imageconverter.images.archive_names import ArchiveNames
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore

IMAGES = {
    "archive/thumbnail/Stuhl grün.png": b"thumbnail",
    "archive/normal/Stuhl grün.png": b"large" * 200_000,
    "archive/normal/椅子 كرسي.webp": b"",
    "archive/normal/a<b>.gif": b"gif",
}


async def zipped(store: ObjectStore, *paths: str) -> bytes:
    """Return the whole archive."""
    return b"".join([piece async for piece in zip_archive(store, paths)])


async def store_all(store: ObjectStore) -> None:
    """Store the images."""
    for path, data in IMAGES.items():
        await store.put(keys.target(path), data, content_type="image/png")


async def test_python_reads_the_archive(resources: Resources) -> None:
    """Names in UTF-8, bytes as they are stored, a path that is there twice once."""
    await store_all(resources.store)
    data = await zipped(resources.store, *IMAGES, *IMAGES)

    with ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        entries = {each.filename: opened.read(each) for each in opened.infolist()}
        assert all(each.compress_type == ZIP_STORED and each.date_time[0] > 2000 for each in opened.infolist())
    assert entries == {name.replace("a<b>", "a_b_"): content for name, content in IMAGES.items()}


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
async def test_unzip_reads_the_archive(resources: Resources, tmp_path: Path) -> None:
    """A second reader, which knows nothing of Python's."""
    await store_all(resources.store)
    file = tmp_path / "images.zip"
    file.write_bytes(await zipped(resources.store, *IMAGES))
    command = ["unzip", "-q", str(file), "-d", str(tmp_path)]
    await asyncio.to_thread(subprocess.run, command, check=True, env={"LC_ALL": "C.UTF-8", "PATH": os.defpath})

    for path, content in IMAGES.items():
        assert (tmp_path / path.replace("a<b>", "a_b_")).read_bytes() == content


async def test_more_entries_than_the_old_format_has_are_read(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by zip64: the old format counts entries and bytes with fewer bits."""
    await store_all(resources.store)
    monkeypatch.setattr("zipfile.ZIP_FILECOUNT_LIMIT", 2)
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", 500_000)
    data = await zipped(resources.store, *IMAGES)
    monkeypatch.undo()

    assert b"PK\x06\x06" in data  # the record of zip64, section 4.3.14 of APPNOTE.TXT
    with ZipFile(io.BytesIO(data)) as opened:
        assert [len(opened.read(each)) for each in opened.infolist()] == [len(each) for each in IMAGES.values()]


async def test_images_that_do_not_exist_are_listed(resources: Resources) -> None:
    """In a file of the archive; without any image there is no archive."""
    await store_all(resources.store)
    path = next(iter(IMAGES))
    data = await zipped(resources.store, "archive/gone.png", path, "archive/lost.png")

    with ZipFile(io.BytesIO(data)) as opened:
        assert opened.namelist() == [path, MISSING_FILE]
        assert opened.read(MISSING_FILE) == b"archive/gone.png\narchive/lost.png\n"
    with pytest.raises(NotFound):
        await zipped(resources.store, "archive/gone.png")


async def test_a_reader_that_leaves_ends_what_was_opened_ahead(resources: Resources) -> None:
    """And of a long archive only a few images are opened ahead."""
    opened: list[str] = []

    class Store(ObjectStore):
        def __init__(self) -> None:
            pass

        async def open(self, key: str, *, span: tuple[int, int] | None = None) -> None:
            opened.append(key)
            return await resources.store.open(key, span=span)  # type: ignore[return-value]

    await store_all(resources.store)
    pieces = zip_archive(Store(), ["archive/normal/Stuhl grün.png", *(f"archive/{n}.png" for n in range(1000))])
    assert await anext(pieces)
    await pieces.aclose()
    assert len(opened) <= 2 * archive._AHEAD


def test_names_are_safe_and_unique_on_every_system() -> None:
    """As Windows documents what it refuses; it and macOS ignore letter case."""
    names = ArchiveNames()
    decomposed = unicodedata.normalize("NFD", "ü.png")
    given = [
        "a/b.png",
        "a/B.png",
        "a/b.png",
        "con.png",
        "x/aux",
        'q"|?*<>:.png',
        "end. ",
        "ü.png",
        decomposed,
        "nul .gif",
    ]

    assert [names.add(each) for each in given] == [
        "a/b.png", "a/B (2).png", "a/b (3).png", "_con.png", "x/_aux", "q_______.png", "end_", "ü.png",
        unicodedata.normalize("NFD", "ü") + " (2).png", "_nul .gif",
    ]  # fmt: skip
