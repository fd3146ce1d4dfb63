"""PNGs: every kind of pixels, faults that cost nothing, and files that are cut off."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import Limits
from imageconverter.engine.decode import open_image
from imageconverter.engine.header import probe
from imageconverter.errors import Undecodable, Unsupported
from tests.testing import apng_files, chunks, icc_profiles, image_files
from tests.testing.chunks import chunk
from tests.testing.drawings import photo
from tests.testing.image_assertions import converted, difference, outcomes, result, target

SIZE = (32, 24)
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def interlaced(image: Image.Image) -> bytes:
    """Make a PNG (RGB) in seven passes."""
    pixels = np.asarray(image)
    rows = [row for x, y, dx, dy in _PASSES for row in pixels[y::dy, x::dx]]
    content = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 0)
    return chunks.PNG + chunks.ihdr(image.size, interlace=1) + chunk(b"IDAT", content) + chunks.IEND


def stored(image: Image.Image, *before: bytes) -> bytes:
    """Make a PNG (RGB) whose pixels are not compressed, so that it can be cut off between two rows."""
    content = zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(image)), 0)
    return chunks.PNG + chunks.ihdr(image.size) + b"".join(before) + chunk(b"IDAT", content) + chunks.IEND


def alpha_of(data: bytes) -> list[int]:
    """Return the alpha of the first row of the converted image."""
    return [int(value) for value in np.asarray(converted(data).convert("RGBA"))[0, :, 3]]


@pytest.mark.parametrize(
    ("depth", "color_type", "row", "key", "alpha"),
    [
        (1, 0, b"\xa0", b"\0\1", [0, 255, 0]),
        (2, 0, b"\x18", b"\0\2", [255, 255, 0]),
        (4, 0, b"\x12\x30", b"\0\2", [255, 0, 255]),
        (1, 0, b"\xa0", b"\0\3", [255, 255, 255]),  # no pixel has such a value
        (8, 0, b"\1\2\3", b"\1\2", [255, 255, 255]),
        (8, 0, b"\1\2\3", b"\0\2", [255, 0, 255]),
        (16, 0, b"\1\1\1\2\1\3", b"\1\2", [255, 0, 255]),
        (8, 2, b"\1\2\3\1\2\4\1\2\5", b"\0\1\0\2\0\4", [255, 0, 255]),
        (16, 2, b"\1\0\2\0\3\0\1\0\2\0\3\1\1\0\2\0\3\2", b"\1\0\2\0\3\1", [255, 0, 255]),
        (8, 3, b"\0\1\2", b"\xff\x80", [255, 128, 255]),
        (2, 3, b"\x18", b"\xff\0", [255, 0, 255]),
    ],
)
def test_a_transparent_color_is_compared_in_all_of_its_bits(
    depth: int, color_type: int, row: bytes, key: bytes, alpha: list[int]
) -> None:
    """Of 16 bits too, although the output has 8."""
    palette = [(b"PLTE", bytes(range(9)))] if color_type == 3 else []
    data = image_files.raw_png((3, 1), depth, color_type, [row], *palette, (b"tRNS", key))

    assert alpha_of(data) == alpha


@pytest.mark.parametrize(
    ("color_type", "row", "pixels"),
    [
        (4, b"\xff\xff\x80\x80\x40\x40\0\0", [(255, 255, 255, 128), (64, 64, 64, 0)]),
        (6, b"\xff\xff\x80\x80\0\0\x40\x40\0\0\0\0\xff\xff\xff\xff", [(255, 128, 0, 64), (0, 0, 255, 255)]),
    ],
)
def test_sixteen_bits_with_alpha(color_type: int, row: bytes, pixels: list[tuple[int, ...]]) -> None:
    """Of gray and of colors."""
    made = converted(image_files.raw_png((2, 1), 16, color_type, [row])).convert("RGBA")

    for x, expected in enumerate(pixels):
        pixel = made.getpixel((x, 0))
        assert isinstance(pixel, tuple)
        assert pixel[3] == expected[3]
        assert pixel[3] == 0 or max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) <= 1


_BOMB = chunks.zeros(32 * chunks.MEBIBYTE)
_FAULTS: dict[str, bytes] = {
    "text of 32 MiB": chunk(b"zTXt", b"a\0\0" + _BOMB),
    "international text of 32 MiB": chunk(b"iTXt", b"a\0\1\0\0\0" + _BOMB),
    "text of an unknown compression": chunk(b"zTXt", b"a\0\7xyz"),
    "text of 32 MiB for EXIF": chunk(b"zTXt", b"Raw profile type exif\0\0" + _BOMB),
    "text for EXIF that is none": chunk(b"tEXt", b"Raw profile type exif\0\n\n\nxyz"),
    **{
        f"{kind.decode()} with a wrong checksum": chunk(kind, content, checksum=1)
        for kind, content in (
            (b"tEXt", b"a\0b"), (b"zTXt", b"a"), (b"iTXt", b"a"), (b"cHRM", bytes(32)), (b"gAMA", bytes(4)),
            (b"sRGB", b"\0"), (b"pHYs", bytes(9)), (b"tIME", bytes(7)), (b"cLLI", bytes(8)), (b"eXIf", b"II*\0"),
            (b"acTL", bytes(8)), (b"fcTL", bytes(26)), (b"cICP", b"\1\1\0\1"), (b"prIv", b"x"),
        )
    },
    **{
        f"{kind.decode()} without content": chunk(kind, b"")
        for kind in (b"tEXt", b"zTXt", b"iTXt", b"cHRM", b"gAMA", b"sRGB", b"pHYs", b"tIME", b"cLLI", b"eXIf",
                     b"acTL", b"fcTL", b"cICP", b"sBIT", b"bKGD", b"hIST", b"sPLT")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", _FAULTS)
def test_a_fault_in_what_is_not_the_image_costs_nothing(name: str) -> None:
    """Before the pixels and after them."""
    image = photo(SIZE)
    before = stored(image, _FAULTS[name])
    after = stored(image)[: -len(chunks.IEND)] + _FAULTS[name] + chunks.IEND

    for data in (before, after):
        made = result(data)
        assert made.warning == ""
        assert difference(Image.open(io.BytesIO(made.data)).convert("RGB"), image) == 0


@pytest.mark.parametrize(
    "profile",
    [
        chunk(b"iCCP", b"p\0\0" + _BOMB),
        chunk(b"iCCP", b"p\0\0xyz"),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(icc_profiles.p3_profile()), checksum=1),
        chunk(b"iCCP", b"p\0\1" + zlib.compress(icc_profiles.p3_profile())),
        chunk(b"iCCP", b""),
    ],
)
def test_a_profile_that_cannot_be_used_is_a_warning(profile: bytes) -> None:
    """The colors are those of sRGB then."""
    made = result(stored(photo(SIZE), profile))

    assert made.warning == "The color profile is damaged and was ignored."
    assert difference(Image.open(io.BytesIO(made.data)).convert("RGB"), photo(SIZE)) == 0


def test_a_transparency_that_is_damaged_is_a_warning() -> None:
    """The image is opaque then."""
    made = result(stored(photo(SIZE), chunk(b"tRNS", bytes(6), checksum=1)))

    assert made.warning == "The transparency is damaged and was ignored."


def test_exif_is_read_behind_the_pixels() -> None:
    """It turns the image."""
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    whole = stored(photo(SIZE))
    data = whole[: -len(chunks.IEND)] + chunk(b"eXIf", block.removeprefix(b"Exif\0\0")) + chunks.IEND

    assert open_image(io.BytesIO(data), Limits())[1].size == SIZE[::-1]


def test_rows_before_the_end_of_a_file_are_converted() -> None:
    """The others are transparent; below half of them it is an error."""
    image, row = photo(SIZE), 1 + 3 * SIZE[0]
    data = stored(image)
    end = len(data) - len(chunks.IEND) - 8  # the checksums of the chunk and of the pixels
    made = result(data[: end - 6 * row])
    pixels = np.asarray(Image.open(io.BytesIO(made.data)).convert("RGBA"))

    assert made.warning == "The file is cut off: 25 % of the image are missing."
    assert (pixels[:18, :, :3] == np.asarray(image)[:18]).all()
    assert (pixels[:18, :, 3] == 255).all()
    assert (pixels[18:, :, 3] == 0).all()
    with pytest.raises(Undecodable, match=r"^The PNG file is broken: it is cut off after 46% of the image$"):
        outcomes(data[: end - 13 * row], target())


@pytest.mark.parametrize("cut", [8, 12, 16, 20])
def test_a_missing_end_is_a_warning(cut: int) -> None:
    """With all rows there, be it without their checksum."""
    made = result(stored(photo(SIZE))[:-cut])

    assert made.warning == "The file is cut off: its end is missing, but 0 % of the image."
    assert difference(Image.open(io.BytesIO(made.data)).convert("RGB"), photo(SIZE)) == 0


@pytest.mark.parametrize(("passes", "detail"), [(1, 98), (3, 94), (5, 75), (6, 50)])
def test_an_interlaced_image_that_is_cut_off_is_coarse(passes: int, detail: int) -> None:
    """All rows are there, from the passes before."""
    image = photo((64, 64))
    data = interlaced(image)
    counts = [(len(range(x, 64, dx)), len(range(y, 64, dy))) for x, y, dx, dy in _PASSES[:passes]]
    end = data.index(b"IDAT") + 4 + 2 + 5 + sum(rows * (1 + 3 * width) for width, rows in counts)
    made = result(data[:end])
    opened = Image.open(io.BytesIO(made.data)).convert("RGBA")
    grid = {1: (8, 8), 3: (4, 4), 5: (2, 2), 6: (1, 2)}[passes]

    assert made.warning == f"The file is cut off: {detail} % of the image's detail is missing."
    expected = np.asarray(image)[:: grid[1], :: grid[0]].repeat(grid[1], 0).repeat(grid[0], 1)
    assert (np.asarray(opened)[..., :3] == expected).all()
    assert result(interlaced(image)).warning == ""


def test_a_wrong_checksum_of_pixels_is_a_warning() -> None:
    """All of them are there, but may be wrong."""
    header, pixels, _ = apng_files.chunks(stored(photo(SIZE)))
    made = result(chunks.PNG + chunk(*header) + chunk(*pixels, checksum=1) + chunks.IEND)

    assert made.warning == "The checksum of the pixels is wrong; they may be damaged."
    assert difference(Image.open(io.BytesIO(made.data)).convert("RGB"), photo(SIZE)) == 0


@pytest.mark.parametrize(
    "head",
    [
        chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0), checksum=1),
        chunks.ihdr((8, 8), 3, 0),
        chunks.ihdr((8, 8), 4, 2),
        chunks.ihdr((8, 8), 8, 5),
        chunks.ihdr((8, 8), interlace=2),
        chunk(b"IHDR", bytes(12)),
        chunks.ihdr((8, 8), 8, 3),  # without its palette
    ],
)
def test_a_header_that_says_nothing_is_an_error(head: bytes) -> None:
    """No program can guess it."""
    with pytest.raises(Undecodable):
        outcomes(chunks.PNG + head + chunks.PIXELS + chunks.IEND, target())


def test_colors_beyond_a_palette_are_black() -> None:
    """As libpng shows them."""
    data = image_files.raw_png((2, 1), 8, 3, [b"\1\2"], (b"PLTE", bytes((0, 0, 0, 255, 0, 0))))

    assert np.asarray(converted(data).convert("RGB")).tolist() == [[[255, 0, 0], [0, 0, 0]]]


def test_a_png_of_the_iphone_is_refused_by_its_header() -> None:
    """With its name; its extents are known."""
    parts = apng_files.chunks(stored(photo(SIZE)))
    data = apng_files.joined((b"CgBI", bytes(4)), *parts)

    with pytest.raises(Unsupported, match=r"^The file is not supported: PNG of the iPhone \(CgBI\)\.$"):
        probe(data, Limits())
