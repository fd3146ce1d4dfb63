"""Recognizing a source by its leading bytes."""

import io
import struct
import subprocess
import sys
from collections.abc import Callable

import pytest
from PIL import Image

from imageconverter.engine import OUTPUT_TYPES, Limits, OutputType, decoders, identify
from imageconverter.engine.decode import open_image
from imageconverter.engine.source_types import HEAD_BYTES, KEPT_AS, SOURCE_TYPES, SourceType
from tests.testing import broken_files, image_files, more_files

_EVERY = {**image_files.SOURCES, **more_files.SOURCES, **more_files.OWN}


@pytest.mark.parametrize(("name", "make"), image_files.SOURCES.items(), ids=image_files.SOURCES.keys())
def test_every_variant_of_a_source_is_recognized(name: str, make: Callable[[], bytes]) -> None:
    """By its first bytes."""
    found = identify(make()[:HEAD_BYTES])

    assert found is not None
    assert found.name == name.split(maxsplit=1)[0]


@pytest.mark.parametrize(("name", "magic"), broken_files.MAGICS.items(), ids=broken_files.MAGICS.keys())
def test_a_magic_number_is_enough(name: str, magic: bytes) -> None:
    """The decoder checks the rest of the file."""
    found = identify(magic)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"just some words",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0\0\0\x18ftypisom\0\0\0\0isomiso2",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"BM is how this text begins",
        b"\0\0\0\x0cjP3 \r\n\x87\n",
        b"8BPS\0\3",
        b"\0\0\1\0\0\0",
        b"\0\0\1\0\0\1",  # an icon of 256 images
        b"P8\n1 1\n255\n",
        b"P6R was a processor",
        struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 0, 64, 24, 0),
        struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 64, 64, 8, 0),
        struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 64, 64, 24, 0xC0),
        struct.pack("<BBBHHBHHHHBB", 0, 0, 1, 0, 256, 24, 0, 0, 64, 64, 8, 0),
        bytes(32),
        broken_files.garbage(),
    ],
)
def test_other_files_are_not_recognized(head: bytes) -> None:
    """Not even other images, nor texts that begin like one."""
    assert identify(head[:HEAD_BYTES]) is None


@pytest.mark.parametrize("brands", [b"avif\0\0\0\0", b"avis\0\0\0\0avif", b"mif1\0\0\0\0mif1avifmiaf"])
def test_an_avif_is_recognized_by_any_of_its_brands(brands: bytes) -> None:
    """Some writers put the brand of the container first."""
    found = identify((b"\0\0\0\x1cftyp" + brands)[:HEAD_BYTES])

    assert found is not None
    assert found.name == "AVIF"


def test_types_that_browsers_do_not_show_are_kept_as_png() -> None:
    """Except for HEIC, which is used for photographs."""
    kept = {each.name: each.kept_as for each in SOURCE_TYPES if each.kept_as != "png" or each.name == "PNG"}

    assert kept == {"JPEG": "jpeg", "PNG": "png", "GIF": "gif", "WebP": "webp", "AVIF": "avif", "HEIC": "jpeg"}


@pytest.mark.parametrize("source_type", SOURCE_TYPES, ids=lambda each: each.name)
def test_every_type_has_a_test_image(source_type: SourceType) -> None:
    """The tests of the engine, the sandbox and the hostile files go through these images."""
    names = {found.name for make in _EVERY.values() if (found := identify(make()[:HEAD_BYTES]))}

    assert source_type.name in names


@pytest.mark.parametrize("name", _EVERY)
def test_the_extents_in_the_header_are_those_of_the_decoder(name: str) -> None:
    """In the plain variant of each type with a reader of extents; in other variants they may be unknown."""
    source = io.BytesIO(_EVERY[name]())
    image, info = open_image(source, Limits())
    size = info.format.extents(source) if info.format.extents is not None else None

    assert size == image.size or (size is None and (info.format.extents is None or name != info.format.name))


def test_rare_formats_registers_the_same_extensions() -> None:
    """As the engine's table."""
    decoders.available()
    for each in SOURCE_TYPES:
        if each.plugin.startswith("rare_formats."):
            registered = {end for end, decoder in Image.EXTENSION.items() if decoder == each.decoder}
            assert registered == set(each.extensions)


@pytest.mark.parametrize("output", OUTPUT_TYPES)
def test_an_output_type_can_be_read_back(output: OutputType) -> None:
    """Under all of its extensions, and `keep` keeps its type."""
    assert {KEPT_AS[extension] for extension in OUTPUT_TYPES[output].extensions} == {output}


def test_no_other_decoder_is_loaded() -> None:
    """Pillow has forty plugins, one of which starts Ghostscript; a broken file must not load them."""
    program = (
        "import io\n"
        "from PIL import Image\n"
        "from imageconverter.engine import Target\n"
        "from imageconverter.engine.pipeline import convert\n"
        "from imageconverter.errors import Undecodable\n"
        "for data in (b'GIF89a\\1\\0\\1\\0\\0\\0\\0', b'%!PS-Adobe-3.0 EPSF-3.0'):\n"
        "    try:\n"
        "        convert(io.BytesIO(data), [Target(max_width=1, max_height=1)])\n"
        "    except Undecodable:\n"
        "        pass\n"
        "print(*sorted(Image.OPEN))\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(printed.stdout.split())

    assert {each.decoder for each in SOURCE_TYPES} <= loaded
    encoders = {"JPEG", "PNG", "WEBP", "AVIF", "GIF"}  # which are decoders as well
    brought_along = {"BMP", "DIB", "PPM"}  # Pillow imports them whenever an image is opened
    assert loaded <= {each.decoder for each in SOURCE_TYPES} | encoders | brought_along


def test_a_decoder_that_is_an_extra_can_be_missing() -> None:
    """The others are available without it."""
    program = (
        "import sys\n"
        "sys.modules['pillow_heif'] = None\n"
        "from imageconverter.engine import decoders\n"
        "print(*sorted(decoders.available()))\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    expected = {each.decoder for each in SOURCE_TYPES if not each.is_extra}
    assert expected <= set(printed.stdout.split())
    assert "OWN-HEIF" not in printed.stdout.split()
