"""XCF: every version, precision and compression, the color profile, and broken files."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from gimpformats.gimpXcfDocument import GimpDocument  # type: ignore[import-untyped] # it ships none
from PIL import Image, ImageCms

from rare_formats.xcf import XcfImageFile
from rare_formats.xcf.profile import with_srgb_curves
from rare_formats.xcf.tiles import unpack_runs
from tests.testing.xcf_files import (
    GRAY,
    INDEXED,
    NONE,
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
from tests.testing.xcf_images import HEIGHT, SIZE, WIDTH, opened, patterned, pixels_of

_MADE_BY_GIMP = sorted((Path(__file__).parent / "xcf").glob("*.xcf"))
_TOTAL = {"u1": 255, "u2": 65535, "u4": 2**32 - 1}
_SCREEN, _ADDITION, _DIVIDE, _OLD_MULTIPLY = 31, 33, 41, 3


@pytest.mark.parametrize("path", _MADE_BY_GIMP, ids=lambda path: path.stem)
def test_a_file_of_gimp_looks_as_in_gimp(path: Path) -> None:
    """Its modes, groups, masks, precisions and spaces, compared with GIMP's own export.

    Both compute with 32-bit floats, but not in the same order, so that some values differ by one level. Only a mode
    whose result is black or white amplifies that.
    """
    own = np.asarray(opened(path.read_bytes()).convert("RGBA")).astype(int)
    gimp = np.asarray(Image.open(path.with_suffix(".png")).convert("RGBA")).astype(int)
    off = np.abs(own - gimp) * np.where([True, True, True, False], gimp[..., 3:] / 255, 1)

    assert off.mean() < 0.05
    assert (off > 1).any(axis=2).mean() < 0.002


@pytest.mark.parametrize("compression", [NONE, RLE, ZLIB])
@pytest.mark.parametrize("version", range(15))
def test_every_version_holds_the_same_pixels(version: int, compression: int) -> None:
    """With pointers of 4 and 8 bytes, and every compression."""
    photo = patterned()

    code = 0 if version == 4 else 150
    data = xcf([Layer(photo)], SIZE, version=version, compression=compression, precision=code)

    assert (pixels_of(data) == photo).all()


@pytest.mark.parametrize("compression", [NONE, RLE, ZLIB])
@pytest.mark.parametrize("version", [0, 3, 11])
def test_another_reader_agrees(version: int, compression: int) -> None:
    """The library gimpformats, for the versions that it reads."""
    data = xcf([Layer(patterned(4))], SIZE, version=version, compression=compression)
    document = GimpDocument()
    document.decode(data)

    assert (pixels_of(data, "RGBA") == np.asarray(document.raw_layers[0].image)).all()


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
    """Linear samples get the curve of sRGB."""
    values = patterned(4) / 255
    image = pixels_of(
        xcf([Layer(values * _TOTAL.get(dtype.strip("<>"), 1))], SIZE, version=version, precision=code, dtype=dtype,
            compression=compression), "RGBA",
    )  # fmt: skip
    color = values[..., :3]
    if is_linear:
        color = np.where(color <= 0.0031308, color * 12.92, 1.055 * color ** (1 / 2.4) - 0.055)

    assert np.abs(image[..., :3] / 255 - color).max() < (0.03 if is_linear and dtype == "u1" else 0.005)
    assert np.abs(image[..., 3] / 255 - values[..., 3]).max() < 0.003


def test_infinite_values_and_nan_are_handled() -> None:
    """They become white, black, or black for NaN."""
    values = np.zeros((HEIGHT, WIDTH, 3))
    values[:, :3] = np.array([np.nan, np.inf, -np.inf])[:, np.newaxis]
    top = Layer(np.full((HEIGHT, WIDTH, 4), 3e38), mode=_DIVIDE)

    row = pixels_of(xcf([top, Layer(values)], SIZE, version=12, precision=600, dtype=">f4"))[0, :4, 0]

    assert row.tolist() == [0, 255, 0, 0]


def test_gray_stays_gray() -> None:
    """With alpha and without."""
    photo = patterned(2)

    assert (pixels_of(xcf([Layer(photo)], SIZE, base=GRAY), "LA") == photo).all()
    assert (pixels_of(xcf([Layer(photo[..., :1])], SIZE, base=GRAY), "L") == photo[..., 0]).all()


def test_indices_are_looked_up() -> None:
    """Even if the stored length of the color map is wrong, as in some of GIMP's files."""
    colors = bytes(range(255, -1, -1)) * 3
    indices = patterned(1)
    palette = np.frombuffer(colors, np.uint8).reshape(-1, 3)

    assert (pixels_of(xcf([Layer(indices)], SIZE, base=INDEXED, colors=colors)) == palette[indices[..., 0]]).all()


def test_version_0_shows_indices_as_gray() -> None:
    """That version does not store the colors."""
    indices = patterned(1)

    pixels = pixels_of(xcf([Layer(indices)], SIZE, version=0, base=INDEXED, colors=bytes(768)))

    assert (pixels == indices).all()


def test_only_tiles_on_the_canvas_are_read() -> None:
    """The pointers to all other tiles of the layer are invalid here."""
    photo = np.tile(patterned(), (2, 2, 1))
    data = bytearray(xcf([Layer(photo, left=-64, top=-64)], (64, 64), compression=NONE))
    first_row = data.index(struct.pack(">2I", 140, 132), data.index(struct.pack(">3I", 140, 132, 3)) + 12) + 8
    for tile in (0, 1, 2, 3, 5, 6, 7, 8):
        data[first_row + 8 * tile : first_row + 8 * tile + 8] = struct.pack(">Q", 1 << 40)

    assert (pixels_of(bytes(data)) == photo[64:128, 64:128]).all()


def test_opening_reads_no_pixels() -> None:
    """The size is known before tiles are decompressed; broken tiles raise an error on loading."""
    data = xcf([Layer(patterned())], SIZE, compression=ZLIB)
    image = Image.open(io.BytesIO(data[:-2000]), formats=[XcfImageFile.format])

    assert image.size == SIZE
    with pytest.raises((ValueError, zlib.error)):
        image.load()


def test_the_profile_is_kept() -> None:
    """No other metadata is."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    parasites = parasite(b"gimp-comment", b"made by hand") + parasite(b"icc-profile", profile)

    assert opened(xcf([], SIZE, properties=prop(21, parasites))).info == {"icc_profile": profile}


def test_the_profile_of_a_linear_image_gets_the_curve_of_its_samples() -> None:
    """Only its primaries are kept; a broken profile is ignored."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = _replaced(profile, struct.pack(">i", int(2.4 * 65536)), struct.pack(">i", 65536))  # its exponent
    data = xcf([], SIZE, precision=100, properties=prop(21, parasite(b"icc-profile", profile)))
    changed = ImageCms.ImageCmsProfile(io.BytesIO(opened(data).info["icc_profile"]))
    ramp = Image.linear_gradient("L").convert("RGB")
    same = ImageCms.profileToProfile(ramp, changed, ImageCms.createProfile("sRGB"))

    assert same is not None
    assert np.abs(np.asarray(same).astype(int) - np.asarray(ramp)).max() <= 1
    assert with_srgb_curves(profile[:128] + bytes(4)) is None
    assert opened(xcf([], SIZE, precision=100, properties=prop(21, parasite(b"icc-profile", b"?")))).info == {}


def test_runs_are_decoded_within_their_plane() -> None:
    """Every kind of run is decoded; a run that is too long or truncated is refused."""
    plane = patterned(1).tobytes()

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


_GOOD = xcf([Layer(patterned())], SIZE, compression=NONE)
_HEADER = struct.pack(">4I", *SIZE, RGB, 150)
_LAYER = _GOOD.index(struct.pack(">3I", *SIZE, 0) + string(b"a layer"))
_TABLE = _GOOD.index(struct.pack(">Q", _LAYER))


_FIRST_TILE = struct.pack(">Q", _GOOD.index(patterned()[:64, :64].tobytes()))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_GOOD[:30], "ends too early"),
        (_GOOD[:-1], "ends too early"),
        (_replaced(_GOOD, b"v011", b"v100"), "version"),
        (_replaced(_GOOD, b"v011", b"vABC"), "version"),
        (_replaced(_GOOD, _HEADER, struct.pack(">4I", *SIZE, RGB, 151)), "precision"),
        (_replaced(_GOOD, _HEADER, struct.pack(">4I", *SIZE, 3, 150)), "BaseType"),
        (_replaced(_GOOD, _HEADER, struct.pack(">4I", 1 << 31, 1, RGB, 150)), "an image cannot"),
        (_replaced(_GOOD, prop(17, b"\0"), prop(17, b"\3")), "Compression"),
        (_GOOD[:_LAYER] + struct.pack(">2I", 1 << 30, 1 << 30) + _GOOD[_LAYER + 8 :], "a layer cannot"),
        (_replaced(_GOOD, struct.pack(">3I", *SIZE, 3), struct.pack(">3I", *SIZE, 4)), "layer's size and type"),
        (_replaced(_GOOD, struct.pack(">3I", *SIZE, 3), struct.pack(">3I", 71, 66, 3)), "layer's size and type"),
        (_replaced(_GOOD, struct.pack(">2I", *SIZE) + _FIRST_TILE, bytes(16)), "layer's size"),
        (_replaced(_GOOD, _FIRST_TILE, _FIRST_TILE + bytes(8)), "missing"),
        (xcf([Layer(patterned(), path=[0] * 99)], SIZE), "too deep"),
        (xcf([], SIZE, properties=prop(21, struct.pack(">I", 1 << 31))), "ends too early"),
        (xcf([], SIZE, properties=prop(1, struct.pack(">I", 1 << 31))), "too many colors"),
        (xcf([], SIZE, properties=prop(99, length=1 << 31)), "beyond the end"),
        (xcf([], SIZE, properties=prop(99) * 400_001), "too many properties"),
        (_with_layers_at(_LAYER, _LAYER, 0), "twice"),
        (_with_layers_at(1 << 63, 0), "beyond the end"),
        (_with_layers_at(*range(1, 10_002)), "too many layers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_files_are_refused(data: bytes, reason: str) -> None:
    """With a reason, and before memory of the announced size is allocated."""
    with pytest.raises(ValueError, match=reason):
        XcfImageFile(io.BytesIO(data)).load()
