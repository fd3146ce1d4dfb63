"""XPM: both versions, every way to write a color, keys of any length, C's comments and escapes."""

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from rare_formats import x11
from rare_formats import xpm as reader
from rare_formats.x11 import named_color
from tests.testing.oracles import MAGICK, read_by

_RGB_TXT = Path("/usr/share/X11/rgb.txt")  # of Debian's x11-common


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=[reader.XpmImageFile.format])


def _xpm(width: int, colors: dict[str, str], rows: list[str]) -> bytes:
    """Return a file of version 3; *colors* are the definitions after the keys."""
    length = len(next(iter(colors)))
    strings = [f"{width} {len(rows)} {len(colors)} {length}"]
    strings += [key + " " + color for key, color in colors.items()] + rows
    quoted = ",\n".join('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in strings)
    return f"/* XPM */\nstatic char *image[] = {{\n{quoted}\n}};\n".encode()


def _pixel(color: str) -> tuple[int, ...]:
    pixel = _opened(_xpm(1, {".": color}, ["."])).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


def _random_xpm(count: int, length: int) -> bytes:
    """Return an image of *count* colors, some of them named, with keys of *length* characters."""
    chance = random.Random(count)  # noqa: S311 -- an image, no secret
    letters = [chr(code) for code in range(32, 127) if chr(code) not in '"\\']  # other programs do not unescape them
    keys: set[str] = set()
    while len(keys) < count:
        keys.add("".join(chance.choice(letters) for _ in range(length)))
    names = ["red", "NavyBlue", "gray61", "DarkSeaGreen", "#f80", "#123456789abc"]
    colors = {key: "c " + chance.choice([*names, f"#{chance.randrange(1 << 24):06x}"]) for key in sorted(keys)}
    colors[min(keys)] = "c None"  # one only: of several, GraphicsMagick uses the last
    rows = ["".join(chance.choice(list(colors)) for _ in range(17)) for _ in range(13)]
    return _xpm(17, colors, rows)


@pytest.mark.parametrize(
    ("color", "pixel"),
    [
        ("c #f80", (255, 136, 0)),
        ("c #ff8000", (255, 128, 0)),
        ("c #FFF800000", (255, 128, 0)),
        ("c #ffff80000000", (255, 128, 0)),
        ("c red", (255, 0, 0)),
        ("c Light Sea Green", (32, 178, 170)),
        ("c gray", (190, 190, 190)),
        ("c Grey", (190, 190, 190)),
        ("c green", (0, 255, 0)),
        ("c maroon", (176, 48, 96)),
        ("c purple", (160, 32, 240)),
        ("c gray0", (0, 0, 0)),
        ("c grey50", (127, 127, 127)),
        ("c GRAY100", (255, 255, 255)),
        ("c red3", (205, 0, 0)),
        ("c NavajoWhite4", (139, 121, 94)),
        ("c None", (0, 0, 0, 0)),
        ("c none s background", (0, 0, 0, 0)),
        ("m white", (255, 255, 255)),
        ("g4 gray20 m black", (51, 51, 51)),
        ("m black g4 gray20 g gray40", (102, 102, 102)),
        ("s edge of it m black c dark blue g gray40", (0, 0, 139)),
        ("s c c #010203", (1, 2, 3)),
        ("s red", (255, 0, 0)),
        ("c red m #nonsense", (255, 0, 0)),
        ("c red s c", (255, 0, 0)),
    ],
)
def test_a_color_can_be_written_in_many_ways(color: str, pixel: tuple[int, ...]) -> None:
    """The color for color visuals has precedence over those for grays, and these over black and white."""
    assert _pixel(color) == pixel


@pytest.mark.skipif(not _RGB_TXT.exists(), reason="no rgb.txt of X11")
def test_every_color_of_x11_is_known_by_its_name() -> None:
    """As in X.Org's list, except for one color that Debian adds."""
    lines = [line.split(None, 3) for line in _RGB_TXT.read_text().splitlines() if not line.startswith("!")]
    listed = {line[3]: tuple(map(int, line[:3])) for line in lines}
    del listed["DebianRed"]

    assert len(listed) > 700
    assert {name: named_color(name) for name in listed} == listed


def test_a_name_that_pillow_was_asked_for_before() -> None:
    """Pillow replaces its code in the table that the names are from."""
    x11._colors.cache_clear()
    assert ImageColor.getrgb("crimson") == (220, 20, 60)

    assert named_color("Crimson") == (220, 20, 60)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8])
def test_keys_can_have_any_length(length: int) -> None:
    """And any characters, including blanks, quotes and backslashes."""
    rng = np.random.default_rng(length)
    keys = [" " * length, '"' * length, "\\" * length, "c" * length]
    colors = dict(zip(keys, ["c #000001", "c #000002", "c #000003", "c #000004"], strict=True))
    pixels = rng.integers(4, size=(5, 7))

    image = _opened(_xpm(7, colors, ["".join(keys[pixel] for pixel in row) for row in pixels]))

    assert (image.mode, image.size) == ("RGB", (7, 5))
    assert np.asarray(image)[..., 2].tolist() == (pixels + 1).tolist()


def test_a_transparent_color_adds_an_alpha_channel() -> None:
    """The other colors are opaque."""
    image = _opened(_xpm(2, {"a": "c None", "b": "c blue"}, ["ab"]))

    assert image.mode == "RGBA"
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0, 0), (0, 0, 255, 255)]
    assert image.info == {}


def test_version_2_has_plain_lines() -> None:
    """Without quotes and commas; comments precede the extents."""
    data = b"! XPM2\n! a comment\r\n3 2 2 1\n* c #010203\n! c #ffffff\n**!\r\n!!*\n"

    assert np.asarray(_opened(data))[..., 0].tolist() == [[1, 1, 255], [255, 255, 1]]


def test_comments_and_escapes_of_c_are_parsed() -> None:
    """Comments can contain quotes, strings can contain comment signs and line continuations."""
    data = (
        b'/* XPM */\n/* "9 9 9 9" */ static const char * const a_xpm[] = { // "none"\n'
        b'"4 1 4 1 0 0 XPMEXT", /* "extents" */\n"/ c red",\n"* c #00ff00", "\\" c #0000ff", "\\\\ c \\\nwhite",\n'
        b'/* pixels */ "/*\\"\\134" , "XPMEXT a b", "XPMENDEXT"};'
    )

    assert np.asarray(_opened(data)).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]]


def test_a_large_image_is_decoded_in_strips() -> None:
    """Its rows are in order."""
    rng = np.random.default_rng(0)
    levels = rng.integers(256, size=(1100, 1000), dtype="u1")
    keys = [f"{level:02x}" for level in range(256)]
    rows = ["".join(keys[level] for level in row) for row in levels.tolist()]

    image = _opened(_xpm(1000, {key: f"c #{key}0000" for key in keys}, rows))

    assert np.array_equal(np.asarray(image)[..., 0], levels)


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("2 1 2 1", "2 9 2 1", "truncated"),
        ("2 1 2 1", "90000 90000 2 1", "truncated"),
        ("2 1 2 1", "2 1 4 1", "not known"),
        ("2 1 2 1", "2 1 99999999 1", "too many colors"),
        ("2 1 2 1", "2 1 2 9", "too many colors"),
        ("2 1 2 1", "2 0 2 1", "empty"),
        ("2 1 2 1", "2 1 2", "unpack"),
        ("2 1 2 1", "two 1 2 1", "invalid literal"),
        ("c red", "c rde", "'rde' is not known"),
        ("c red", "c #ff", "not known"),
        ("c red", "c #xxyyzz", "invalid literal"),
        ("c red", "red", "not known"),
        ('"ab"', '"ax"', "undefined color"),
        ('"ab"', '"a"', "truncated"),
    ],
)
def test_a_broken_file_is_refused(good: str, bad: str, reason: str) -> None:
    """With the reason."""
    data = _xpm(2, {"a": "c red", "b": "s x c blue"}, ["ab"]).replace(good.encode(), bad.encode())

    with pytest.raises((ValueError, SyntaxError), match=reason):
        reader.XpmImageFile(io.BytesIO(data)).load()


@pytest.mark.parametrize("length", [1, 2, 3, 8])
@pytest.mark.parametrize("missing", ["b", "z", "!"])
def test_an_undefined_key_is_refused(length: int, missing: str) -> None:
    """With both methods of looking up keys."""
    data = _xpm(2, {"a" * length: "c red", "c" * length: "c blue"}, ["a" * length + missing * length])

    with pytest.raises(ValueError, match="undefined color"):
        reader.XpmImageFile(io.BytesIO(data)).load()


@pytest.mark.parametrize(
    "noise",
    [b'"' + b'\\"' * 200_000, b'"' + b'\\"' * 200_000 + b"\\", b"/*" * 200_000, b"//" * 200_000, b'"a"' * 200_000],
)
def test_unterminated_strings_and_comments_are_searched_once(noise: bytes) -> None:
    """The time is not quadratic in their number."""
    with pytest.raises((ValueError, SyntaxError)):
        reader.XpmImageFile(io.BytesIO(b"/* XPM */" + noise))


@MAGICK
@pytest.mark.parametrize(("count", "length"), [(2, 1), (30, 1), (90, 1), (300, 2), (1000, 3)])
def test_other_programs_read_the_same_image(program: str, count: int, length: int) -> None:
    """Pixel by pixel, except for transparent ones."""
    data = _random_xpm(count, length)

    ours = np.asarray(_opened(data).convert("RGBA"))
    theirs = np.asarray(read_by(program, data, "xpm"))

    assert np.array_equal(ours[..., 3], theirs[..., 3])
    assert np.array_equal(ours[ours[..., 3] > 0], theirs[ours[..., 3] > 0])
