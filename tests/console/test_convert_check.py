"""What the page *Convert* finds out about a file before it sends it: by the rules of the server, and no stricter."""

import base64
from typing import Any

import pytest

from imageconverter.engine.source_types import identify
from imageconverter.images.conversions import check_names
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.uploads import image_name
from tests.console.conftest import Visit
from tests.console.convert_page import module
from tests.testing import image_files, more_files

OTHER_TYPES = """async ([address, files]) => {
  const { otherType } = await import(address);
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return files.map(([name, head]) => otherType(bytes(head), name));
}"""
NAMES = """async ([address, names]) => {
  const { acceptableName } = await import(address);
  return names.map(acceptableName);
}"""

OTHERS = {
    "a.jpg": b"%PDF-1.7\n%",
    "b.png": b"PK\x03\x04\x14\0\0\0\x08\0",
    "c.heic": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2avc1mp41",
    "d.svg": b'<?xml version="1.0"?><svg xmlns=',
    "e.txt": b"Minutes of the last meeting,",
    "f.gif": b"<!DOCTYPE html><html><head>",
    "g.wav": b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\1\0",
}


async def other_types(visit: Visit, files: dict[str, bytes]) -> list[str]:
    """Return what the page takes each of *files* for, "" for an image."""
    page = await visit()
    heads = [[name, base64.b64encode(data[:32]).decode()] for name, data in files.items()]
    found: list[str] = await page.evaluate(OTHER_TYPES, [await module(page, "convert-check.js"), heads])
    return found


async def test_no_file_that_the_server_can_read_is_refused(visit: Visit) -> None:
    """Of all types, whatever their names are."""
    made = {**image_files.SOURCES, **more_files.SOURCES, **more_files.OWN}
    files = {f"{name}.dat": make() for name, make in made.items()}
    assert await other_types(visit, files) == [""] * len(files)


async def test_what_is_certainly_no_image_is_refused(visit: Visit) -> None:
    """As the server would, which knows none of them."""
    assert all(identify(head[:32]) is None for head in OTHERS.values())
    assert all(await other_types(visit, OTHERS))


@pytest.mark.parametrize("output", ["keep", "webp"])
async def test_names_become_such_as_the_server_accepts(visit: Visit, output: Any) -> None:
    """With room for another extension; a valid name stays as it is."""
    hostile = [
        "a/b\\c.png", " lead.png ", "..", ". .", "", ".directory", "tab\tline\n.png", "\u202egnp.exe", "\ufeff.png",
        "x" * 300 + ".jpg", "ü" * 200 + ".jpeg", "椅" * 120, "\U0001f469\u200d" * 60 + ".webp", "e\u0301.png",
        "nul\0.png", "\u2028.png",
        "." * 300, "no extension", "a.b.c.d.tiff", ".png",
    ]  # fmt: skip
    valid = ["chair.jpg", "كرسي.png", "a b (1).webp", "zwei ü.gif"]
    page = await visit()
    names = await page.evaluate(NAMES, [await module(page, "convert-check.js"), [*valid, *hostile]])

    assert names[: len(valid)] == valid
    form = ImageFormat(id="x", name="x", type="app", target_directory="x", max_width=1, max_height=1, output=output)
    assert [image_name(name) for name in names] == names
    check_names(names, [form])
