"""XCF: what GIMP shows of its own files; every version, precision and compression; layers, masks and groups."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gimpformats.gimpXcfDocument import GimpDocument  # type: ignore[import-untyped] # it ships none
from numpy.typing import NDArray
from PIL import Image, ImageCms

from rare_formats.xcf import XcfImageFile
from rare_formats.xcf.profile import with_srgb_curves
from rare_formats.xcf.tiles import unpack_runs
from tests.testing.xcf_files import (
    GRAY,
    INDEXED,
    NONE,
    NORMAL,
    PASS_THROUGH,
    RGB,
    RLE,
    ZLIB,
    Layer,
    parasite,
    prop,
    runs,
    string,
    xcf,
)  # fmt: skip

_MADE_BY_GIMP = sorted((Path(__file__).parent / "xcf").glob("*.xcf"))
_WIDTH, _HEIGHT = 70, 66  # two tiles each way, the second of them narrow
_SIZE = (_WIDTH, _HEIGHT)
_TOTAL = {"u1": 255, "u2": 65535, "u4": 2**32 - 1}
_SCREEN, _ADDITION, _DIVIDE, _OLD_MULTIPLY = 31, 33, 41, 3


def _photo(channels: int = 3) -> NDArray[np.uint8]:
    """Runs, and noise between them; nothing is quite transparent, since what is has no color to compare."""
    random = np.random.default_rng(7)
    photo = random.integers(0, 256, (_HEIGHT, _WIDTH, channels), np.uint8)
    photo[:20] = photo[:20, :1]
    photo[30:34, 5:] = 9
    photo[..., -1] |= channels in (2, 4)
    return photo


def _flat(*color: int, width: int = _WIDTH, height: int = _HEIGHT) -> NDArray[np.uint8]:
    return np.full((height, width, len(color)), color, np.uint8)


def _opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=[XcfImageFile.format])
    image.load()
    return image


def _pixels(data: bytes, mode: str = "RGB") -> NDArray[np.uint8]:
    image = _opened(data)
    assert image.mode == mode
    return np.asarray(image)


def _color(*layers: Layer, mode: str = "RGB", **fields: Any) -> list[int]:
    """Return the one color that flat layers make."""
    pixels = _pixels(xcf(layers, _SIZE, **fields), mode)
    assert (pixels == pixels[0, 0]).all()
    return [int(level) for level in np.atleast_1d(pixels[0, 0])]


@pytest.mark.parametrize("path", _MADE_BY_GIMP, ids=lambda path: path.stem)
def test_a_file_of_gimp_looks_as_in_gimp(path: Path) -> None:
    """Its modes, groups, masks, precisions and spaces, beside what it exported itself.

    Both reckon in 32-bit floats, but not in the same order, so that a value may be rounded to either side: one
    level here and there. Only a mode that leaves nothing but black and white makes more of that.
    """
    own = np.asarray(_opened(path.read_bytes()).convert("RGBA")).astype(int)
    gimp = np.asarray(Image.open(path.with_suffix(".png")).convert("RGBA")).astype(int)
    off = np.abs(own - gimp) * np.where([True, True, True, False], gimp[..., 3:] / 255, 1)

    assert off.mean() < 0.05
    assert (off > 1).any(axis=2).mean() < 0.002


@pytest.mark.parametrize("compression", [NONE, RLE, ZLIB])
@pytest.mark.parametrize("version", range(15))
def test_every_version_holds_the_same_pixels(version: int, compression: int) -> None:
    """Pointers of 4 and 8 bytes, tiles packed in every way."""
    photo = _photo()

    code = 0 if version == 4 else 150
    data = xcf([Layer(photo)], _SIZE, version=version, compression=compression, precision=code)

    assert (_pixels(data) == photo).all()


@pytest.mark.parametrize("compression", [NONE, RLE, ZLIB])
@pytest.mark.parametrize("version", [0, 3, 11])
def test_another_reader_sees_the_same(version: int, compression: int) -> None:
    """The library gimpformats, as far as it goes."""
    data = xcf([Layer(_photo(4))], _SIZE, version=version, compression=compression)
    document = GimpDocument()
    document.decode(data)

    assert (_pixels(data, "RGBA") == np.asarray(document.raw_layers[0].image)).all()


@pytest.mark.parametrize(
    ("version", "code", "dtype", "is_linear"),
    [
        (4, 1, "<u2", False), (4, 2, "<u4", True), (4, 3, "<f2", True), (4, 4, "<f4", True),
        (5, 100, "u1", True), (6, 450, "<f2", False), (6, 500, "<f4", True), (6, 550, "<f4", False),
        (9, 250, "<u2", False), (12, 100, "u1", True), (12, 200, ">u2", True), (12, 250, ">u2", False),
        (12, 300, ">u4", True), (12, 350, ">u4", False), (12, 500, ">f2", True), (12, 550, ">f2", False),
        (12, 600, ">f4", True), (12, 650, ">f4", False), (12, 700, ">f8", True), (12, 750, ">f8", False),
        (20, 675, ">f4", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("compression", [NONE, RLE])
def test_every_precision_is_read(version: int, code: int, dtype: str, compression: int, *, is_linear: bool) -> None:
    """What is proportional to light gets the curve of sRGB."""
    values = _photo(4) / 255
    image = _pixels(
        xcf([Layer(values * _TOTAL.get(dtype.strip("<>"), 1))], _SIZE, version=version, precision=code, dtype=dtype,
            compression=compression), "RGBA",
    )  # fmt: skip
    color = values[..., :3]
    if is_linear:
        color = np.where(color <= 0.0031308, color * 12.92, 1.055 * color ** (1 / 2.4) - 0.055)

    assert np.abs(image[..., :3] / 255 - color).max() < (0.03 if is_linear and dtype == "u1" else 0.005)
    assert np.abs(image[..., 3] / 255 - values[..., 3]).max() < 0.003


def test_values_beyond_white_and_no_numbers_do_no_harm() -> None:
    """A float may be anything."""
    values = np.zeros((_HEIGHT, _WIDTH, 3))
    values[:, :3] = np.array([np.nan, np.inf, -np.inf])[:, np.newaxis]
    top = Layer(np.full((_HEIGHT, _WIDTH, 4), 3e38), mode=_DIVIDE)

    row = _pixels(xcf([top, Layer(values)], _SIZE, version=12, precision=600, dtype=">f4"))[0, :4, 0]

    assert row.tolist() == [0, 255, 0, 0]


def test_gray_stays_gray() -> None:
    """With alpha and without."""
    photo = _photo(2)

    assert (_pixels(xcf([Layer(photo)], _SIZE, base=GRAY), "LA") == photo).all()
    assert (_pixels(xcf([Layer(photo[..., :1])], _SIZE, base=GRAY), "L") == photo[..., 0]).all()


def test_indices_are_looked_up() -> None:
    """Though the length of the color map is a lie in these files, as it was in some of GIMP's."""
    colors = bytes(range(255, -1, -1)) * 3
    indices = _photo(1)
    palette = np.frombuffer(colors, np.uint8).reshape(-1, 3)

    assert (_pixels(xcf([Layer(indices)], _SIZE, base=INDEXED, colors=colors)) == palette[indices[..., 0]]).all()


def test_version_0_takes_indices_for_gray() -> None:
    """It did not save the colors."""
    indices = _photo(1)

    pixels = _pixels(xcf([Layer(indices)], _SIZE, version=0, base=INDEXED, colors=bytes(768)))

    assert (pixels == indices).all()


def test_layers_are_clipped_by_the_canvas() -> None:
    """On all sides, and where nothing is stays transparent."""
    photo = _photo(3)
    pixels = _pixels(xcf([Layer(photo, left=-20, top=-30), Layer(photo, left=60, top=50)], _SIZE), "RGBA")

    assert (pixels[:36, :50, :3] == photo[30:, 20:]).all()
    assert (pixels[50:, 60:, :3] == photo[:16, :10]).all()
    assert pixels[36:50].max() == 0


def test_only_tiles_on_the_canvas_are_read() -> None:
    """The others of a layer may be as broken as they like; here they are missing."""
    photo = np.tile(_photo(), (2, 2, 1))
    data = bytearray(xcf([Layer(photo, left=-64, top=-64)], (64, 64), compression=NONE))
    first_row = data.index(struct.pack(">2I", 140, 132), data.index(struct.pack(">3I", 140, 132, 3)) + 12) + 8
    for tile in (0, 1, 2, 3, 5, 6, 7, 8):
        data[first_row + 8 * tile : first_row + 8 * tile + 8] = struct.pack(">Q", 1 << 40)

    assert (_pixels(bytes(data)) == photo[64:128, 64:128]).all()


def test_opening_reads_no_pixel() -> None:
    """The size is known before anything is unpacked, and broken tiles are found when they are."""
    data = xcf([Layer(_photo())], _SIZE, compression=ZLIB)
    image = Image.open(io.BytesIO(data[:-2000]), formats=[XcfImageFile.format])

    assert image.size == _SIZE
    with pytest.raises((ValueError, zlib.error)):
        image.load()


def test_opacity_visibility_and_mode_count() -> None:
    """In an old file, in the levels of sRGB; the more exact opacity of new files goes first."""
    below = Layer(_flat(200, 100, 0))
    exact = [(33, struct.pack(">f", 0.25))]

    assert _color(Layer(_flat(0, 0, 0), opacity=51), below) == [160, 80, 0]
    assert _color(Layer(_flat(0, 0, 0), opacity=51, properties=exact), below) == [150, 75, 0]
    assert _color(Layer(_flat(0, 0, 0), is_visible=False), below) == [200, 100, 0]
    assert _color(Layer(_flat(128, 255, 9), mode=_OLD_MULTIPLY), below) == [100, 100, 0]
    assert _color(Layer(_flat(128, 255, 9), mode=_OLD_MULTIPLY)) == [128, 255, 9]  # nothing to multiply with
    assert _color(Layer(_flat(1, 2, 3), mode=999), below) == [1, 2, 3]


def test_new_modes_compose_in_light() -> None:
    """Unless the layer says otherwise; half of the light is not half of the level."""
    below = Layer(_flat(0, 0, 0), mode=NORMAL)
    half = Layer(_flat(255, 255, 255), mode=NORMAL, opacity=128)
    half_of_levels = Layer(half.pixels, mode=NORMAL, opacity=128, properties=[(36, struct.pack(">i", -2))])

    assert _color(half, below) == [188, 188, 188]
    assert _color(half_of_levels, below) == [128, 128, 128]


def test_new_modes_blend_in_spaces_of_their_own() -> None:
    """Light is added, levels are screened; a layer may choose."""
    gray = Layer(_flat(100, 100, 100), mode=NORMAL)
    screened = Layer(gray.pixels, mode=_SCREEN)
    in_light = Layer(gray.pixels, mode=_SCREEN, properties=[(37, struct.pack(">i", 1))])

    assert _color(Layer(gray.pixels, mode=_ADDITION), gray) == [138, 138, 138]
    assert _color(screened, gray) == [161, 161, 161]
    assert _color(in_light, gray) == [134, 134, 134]


def test_composite_modes_clip() -> None:
    """To the layer, which takes away what is beside it, also where the layer does not reach a band at all."""
    over = Layer(_flat(255, 0, 0, width=10, height=1), mode=NORMAL, properties=[(35, struct.pack(">i", 3))])
    pixels = _pixels(xcf([over, Layer(_flat(0, 0, 255))], _SIZE), "RGBA")

    assert pixels[0, 0].tolist() == [255, 0, 0, 255]
    assert pixels[0, 10:, 3].max() == pixels[1:, :, 3].max() == 0


def test_a_mask_hides_where_it_is_dark() -> None:
    """Unless it is not to be applied; where it does not reach it hides all."""
    mask = np.zeros((_HEIGHT, _WIDTH), np.uint8)
    mask[:, 10:20] = 102
    layers = [Layer(_flat(250, 250, 250), mask=mask), Layer(_flat(0, 0, 0))]
    row = _pixels(xcf(layers, _SIZE))[40, :, 0]
    layers[0].mask = mask[:30]
    short = _pixels(xcf(layers, _SIZE))[40, :, 0]
    layers[0].applies_mask = False

    assert row.tolist() == [0] * 10 + [100] * 10 + [0] * 50
    assert short.max() == 0
    assert _pixels(xcf(layers, _SIZE)).min() == 250


def test_groups_have_opacity_masks_and_visibility_of_their_own() -> None:
    """They apply to what the members make together, however deep."""
    black, red, white = Layer(_flat(0, 0, 0)), _flat(200, 0, 0), _flat(200, 200, 200)
    members = [Layer(red, path=(0, 0, 0)), Layer(white, path=(0, 0, 1))]
    mask = np.full((_HEIGHT, _WIDTH), 51, np.uint8)
    inner = Layer(None, path=(0, 0), opacity=204)

    assert _color(Layer(None), inner, *members, black) == [160, 0, 0]
    assert _color(Layer(None, mask=mask), inner, *members, black) == [32, 0, 0]
    assert _color(Layer(None, is_visible=False), inner, *members, black) == [0, 0, 0]
    assert _color(Layer(None), Layer(None, path=(0, 0), is_visible=False), *members, black) == [0, 0, 0]


def test_members_of_a_group_that_passes_through_see_what_is_below_it() -> None:
    """Those of other groups do not."""
    member = Layer(_flat(128, 128, 128, 255), mode=_OLD_MULTIPLY, path=(0, 0))
    below = Layer(_flat(200, 100, 50))

    assert _color(Layer(None, mode=PASS_THROUGH), member, below) == [100, 50, 25]
    assert _color(Layer(None), member, below) == [128, 128, 128]
    assert _color(Layer(None, mode=PASS_THROUGH, opacity=0), member, below) == [200, 100, 50]


def test_a_floating_selection_is_left_out() -> None:
    """It is no layer, and has no place in the stack."""
    floating = Layer(_flat(255, 0, 0), properties=[(5, struct.pack(">I", 4))])

    assert _color(floating, Layer(_flat(0, 9, 0))) == [0, 9, 0]


def test_nothing_visible_is_transparent() -> None:
    """GIMP exports the same."""
    assert _color(Layer(_flat(1, 2, 3), is_visible=False), mode="RGBA") == [0, 0, 0, 0]
    assert _color(mode="RGBA") == [0, 0, 0, 0]


def test_the_profile_comes_along() -> None:
    """It is the only thing that does."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    parasites = parasite(b"gimp-comment", b"made by hand") + parasite(b"icc-profile", profile)

    assert _opened(xcf([], _SIZE, properties=prop(21, parasites))).info == {"icc_profile": profile}


def test_the_profile_of_an_image_in_light_gets_the_curve_that_its_samples_get() -> None:
    """Only its primaries are GIMP's; and a profile that makes no sense does not stop the image."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = _replaced(profile, struct.pack(">i", int(2.4 * 65536)), struct.pack(">i", 65536))  # its exponent
    data = xcf([], _SIZE, precision=100, properties=prop(21, parasite(b"icc-profile", profile)))
    changed = ImageCms.ImageCmsProfile(io.BytesIO(_opened(data).info["icc_profile"]))
    ramp = Image.linear_gradient("L").convert("RGB")
    same = ImageCms.profileToProfile(ramp, changed, ImageCms.createProfile("sRGB"))

    assert same is not None
    assert np.abs(np.asarray(same).astype(int) - np.asarray(ramp)).max() <= 1
    assert with_srgb_curves(profile[:128] + bytes(4)) is None
    assert _opened(xcf([], _SIZE, precision=100, properties=prop(21, parasite(b"icc-profile", b"?")))).info == {}


def test_bands_meet() -> None:
    """A canvas so wide that it is composed a few rows at a time, with layers that lie across."""
    random = np.random.default_rng(3)
    below, above = (random.integers(0, 256, (150, 9000, 3), np.uint8) for _ in range(2))
    layers = [Layer(above, left=31, top=-17, mode=_OLD_MULTIPLY), Layer(below)]
    pixels = _pixels(xcf(layers, (9000, 150), compression=ZLIB))
    product = below[:133, 31:] / 255 * above[17:, :-31]

    assert np.abs(pixels[:133, 31:] - product).max() < 0.51
    assert (pixels[133:] == below[133:]).all()


def test_memory_stays_near_that_of_the_canvas() -> None:
    """Four layers of 6 megapixels would take 400 MB as floats."""
    layers = [Layer(_flat(9, 9, 9, 128, width=2500, height=2500))] * 4
    data = xcf(layers, (2500, 2500), compression=ZLIB)
    tracemalloc.start()
    try:
        assert _opened(data).size == (2500, 2500)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_runs_end_with_their_plane() -> None:
    """Every kind of run comes back; one that is too long, and data that ends within one, are refused."""
    plane = _photo(1).tobytes()

    assert unpack_runs(runs(plane) * 3, 3, len(plane)) == plane * 3
    for broken in (
        b"\x05a",
        b"\x7f\x00\x05a",
        b"\x80\x00\x05abcde",
        b"\xfbabcde",
        b"",
        b"\x03",
        b"\xfdab",
        b"\x80\x00",
    ):
        with pytest.raises(ValueError, match="tile"):
            unpack_runs(broken, 1, 4)


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def _with_layers_at(*pointers: int) -> bytes:
    return _GOOD[:_TABLE] + struct.pack(f">{len(pointers)}Q", *pointers) + _GOOD[_TABLE + 8 * len(pointers) :]


_GOOD = xcf([Layer(_photo())], _SIZE, compression=NONE)
_HEADER = struct.pack(">4I", *_SIZE, RGB, 150)
_LAYER = _GOOD.index(struct.pack(">3I", *_SIZE, 0) + string(b"a layer"))
_TABLE = _GOOD.index(struct.pack(">Q", _LAYER))


_FIRST_TILE = struct.pack(">Q", _GOOD.index(_photo()[:64, :64].tobytes()))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_GOOD[:30], "ends too early"),
        (_GOOD[:-1], "ends too early"),
        (_replaced(_GOOD, b"v011", b"v100"), "version"),
        (_replaced(_GOOD, b"v011", b"vABC"), "version"),
        (_replaced(_GOOD, _HEADER, struct.pack(">4I", *_SIZE, RGB, 151)), "precision"),
        (_replaced(_GOOD, _HEADER, struct.pack(">4I", *_SIZE, 3, 150)), "BaseType"),
        (_replaced(_GOOD, _HEADER, struct.pack(">4I", 1 << 31, 1, RGB, 150)), "an image cannot"),
        (_replaced(_GOOD, prop(17, b"\0"), prop(17, b"\3")), "Compression"),
        (_GOOD[:_LAYER] + struct.pack(">2I", 1 << 30, 1 << 30) + _GOOD[_LAYER + 8 :], "a layer cannot"),
        (_replaced(_GOOD, struct.pack(">3I", *_SIZE, 3), struct.pack(">3I", *_SIZE, 4)), "layer's size and type"),
        (_replaced(_GOOD, struct.pack(">3I", *_SIZE, 3), struct.pack(">3I", 71, 66, 3)), "layer's size and type"),
        (_replaced(_GOOD, struct.pack(">2I", *_SIZE) + _FIRST_TILE, bytes(16)), "layer's size"),
        (_replaced(_GOOD, _FIRST_TILE, _FIRST_TILE + bytes(8)), "missing"),
        (xcf([Layer(_photo(), path=[0] * 99)], _SIZE), "too deep"),
        (xcf([], _SIZE, properties=prop(21, struct.pack(">I", 1 << 31))), "ends too early"),
        (xcf([], _SIZE, properties=prop(1, struct.pack(">I", 1 << 31))), "too many colors"),
        (xcf([], _SIZE, properties=prop(99, length=1 << 31)), "beyond the end"),
        (xcf([], _SIZE, properties=prop(99) * 400_001), "too many properties"),
        (_with_layers_at(_LAYER, _LAYER, 0), "twice"),
        (_with_layers_at(1 << 63, 0), "beyond the end"),
        (_with_layers_at(*range(1, 10_002)), "too many layers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_files_are_refused(data: bytes, reason: str) -> None:
    """Whatever they say of themselves: clearly, soon, and before much is allocated."""
    with pytest.raises(ValueError, match=reason):
        XcfImageFile(io.BytesIO(data)).load()
