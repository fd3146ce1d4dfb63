"""PSD and PSB: modes, depths, compressions, and which channel is alpha."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import Failed, Limits, probe
from imageconverter.engine.decode import open_image
from imageconverter.errors import Unsupported
from tests.testing import icc_profiles, psd_files
from tests.testing.drawings import photo
from tests.testing.image_assertions import alpha, converted, difference, is_near, outcomes, result, target
from tests.testing.psd_files import PACKED, PREDICTED, RAW, ZIP, Samples, psd

_COMPRESSIONS = pytest.mark.parametrize(
    "compression", [RAW, PACKED, ZIP, PREDICTED], ids=["raw", "RLE", "ZIP", "predicted"]
)
_LARGE = pytest.mark.parametrize("large", [False, True], ids=["PSD", "PSB"])
_SIZE = (37, 23)


def _photo() -> Samples:
    return np.ascontiguousarray(np.asarray(photo(_SIZE)).transpose(2, 0, 1))


def _with(*planes: Samples) -> Samples:
    return np.concatenate([plane.reshape(-1, *plane.shape[-2:]) for plane in planes])


def _flat(*levels: int, kind: str = "u1") -> Samples:
    return np.array(levels, kind).reshape(-1, 1, 1) * np.ones((1, 4, 4), kind)


def _light(levels: Samples) -> Samples:
    share = levels / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype("f4")


@_COMPRESSIONS
@_LARGE
@pytest.mark.parametrize("depth", [8, 16, 32])
def test_every_depth_and_compression(depth: int, compression: int, *, large: bool) -> None:
    """32 bits are linear light."""
    levels = _photo()
    channels = {8: levels, 16: levels.astype("u2") * 257, 32: _light(levels)}[depth]

    image = converted(psd(channels, compression=compression, large=large))

    assert image.mode == "RGB"
    assert difference(image, photo(_SIZE)) < 0.02


@_COMPRESSIONS
def test_in_a_bitmap_1_is_black(compression: int) -> None:
    """As in a print, and a row ends with a whole byte."""
    bits = np.zeros((1, 4, 10), "u1")
    bits[..., :3] = 1
    data = psd(np.packbits(bits, axis=-1), psd_files.BITMAP, compression=compression, width=10)

    image = converted(data).convert("L")

    assert [image.getpixel((x, 2)) for x in (0, 2, 3, 9)] == [0, 0, 255, 255]


@pytest.mark.parametrize("mode", [psd_files.GRAY, psd_files.DUOTONE, psd_files.MULTICHANNEL])
def test_one_channel_is_gray(mode: int) -> None:
    """A duotone's inks are not documented."""
    image = converted(psd(_photo()[:1], mode))

    assert image.mode == "L"
    assert difference(image, photo(_SIZE).getchannel("R")) == 0


def test_a_palette_and_its_transparent_color() -> None:
    """The palette has all reds first."""
    palette = bytes([10, 200]) + bytes(254) + bytes([20, 100]) + bytes(254) + bytes([30, 50]) + bytes(254)
    indices = np.array([[[0, 1]]], "u1").repeat(2, axis=1)
    data = psd(indices, psd_files.INDEXED, palette=palette, resources={1047: b"\0\1"})

    image = converted(data).convert("RGBA")

    assert image.getpixel((0, 0)) == (10, 20, 30, 255)
    assert alpha(image)[0].tolist() == [255, 0]


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_cmyk_and_lab(kind: str) -> None:
    """255 is no ink; a and b have 128 for gray."""
    full = np.iinfo(kind).max // 255
    inks = converted(psd(_flat(255, 0, 255, 255, kind=kind) * full, psd_files.CMYK))
    lab = converted(psd(_flat(138, 209, 198, kind=kind) * full, psd_files.LAB))  # sRGB's red

    assert is_near(inks.getpixel((0, 0)), (255, 0, 255), 2)
    assert is_near(lab.getpixel((0, 0)), (255, 0, 0), 6)


def test_inks_of_a_multichannel_image_are_mixed() -> None:
    """By the colors that are stored for them; a selection is no ink."""
    yellow = struct.pack(">h4HHB", 2, 0xFFFF, 0xFFFF, 0, 0xFFFF, 0, 2)  # CMYK
    red = struct.pack(">h4HHB", 0, 0xFFFF, 0, 0, 0, 0, 2)
    selection = struct.pack(">h4HHB", 0, 0, 0, 0xFFFF, 0, 0, 0)
    display = struct.pack(">I", 1) + yellow + selection + red

    mixed = converted(psd(_flat(0, 0, 255), psd_files.MULTICHANNEL, resources={1077: display}))
    over = converted(psd(_flat(0, 0, 0), psd_files.MULTICHANNEL, resources={1077: display}))

    assert mixed.getpixel((0, 0)) == (255, 255, 0)
    assert over.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("lab", "shown"),
    [
        ((9714, -2155, 9448), (255, 255, 0)),
        ((6032, 9823, -6083), (255, 0, 255)),
        ((5324, 8009, 6720), (255, 0, 0)),
        ((5359, 0, 0), (128, 128, 128)),
        ((0, 0, 0), (0, 0, 0)),
        ((10_000, 32_767, -32_768), (255, 0, 255)),
    ],
)
def test_an_ink_is_stored_in_lab(lab: tuple[int, int, int], shown: tuple[int, ...]) -> None:
    """In hundredths, relative to D65: yellow, magenta and red of sRGB, a gray, black, and something impossible."""
    ink = struct.pack(">h4hHB", 7, *lab, 0, 0, 2)
    display = struct.pack(">I", 1) + ink * 2

    image = converted(psd(_flat(0, 255), psd_files.MULTICHANNEL, resources={1077: display}))

    assert is_near(image.convert("RGB").getpixel((0, 0)), shown, 1)


@pytest.mark.parametrize(
    ("layers", "block", "is_alpha"),
    [(None, "", False), (2, "", False), (-2, "", True), (2, "Lr16", False), (-2, "Lr16", True), (None, "Mt16", True)],
)
@_LARGE
def test_a_further_channel_is_alpha_only_if_the_layers_say_so(
    layers: int | None, block: str, *, is_alpha: bool, large: bool
) -> None:
    """Otherwise it is a saved selection; the block of 16 bits says the same of deep images."""
    channels = _with(_flat(255, 255, 255), _flat(128), _flat(7))

    image = converted(psd(channels, layers=layers, block=block, large=large, compression=PACKED))

    assert image.mode == ("RGBA" if is_alpha else "RGB")
    assert (alpha(image) == (128 if is_alpha else 255)).all()


@pytest.mark.parametrize(
    ("mode", "stored", "color"),
    [
        (psd_files.RGB, (228, 178, 128), (201, 101, 1)),
        (psd_files.GRAY, (178,), (101, 101, 101)),
        (psd_files.CMYK, (255, 128, 255, 255), (255, 1, 255)),
        (psd_files.LAB, (197, 128, 128), (132, 132, 132)),
    ],
)
def test_the_white_is_taken_out_of_translucent_colors(
    mode: int, stored: tuple[int, ...], color: tuple[int, ...]
) -> None:
    """Photoshop mixes the merged image with white for readers without alpha."""
    image = converted(psd(_with(_flat(*stored), _flat(128)), mode, layers=-1)).convert("RGBA")

    assert is_near(image.getpixel((0, 0)), (*color, 128), 2)


def test_profile_and_orientation_are_in_resources() -> None:
    """And they count as in any other file."""
    exif = Image.Exif()
    exif[0x0112] = 6
    resources = {1039: icc_profiles.p3_profile(), 1058: exif.tobytes().removeprefix(b"Exif\0\0")}
    image = converted(psd(_photo(), resources=resources))

    assert image.size == _SIZE[::-1]
    opened, _ = open_image(io.BytesIO(psd(_photo(), resources=resources)), Limits())
    assert opened.info["icc_profile"] == icc_profiles.p3_profile()


def test_a_profile_of_linear_light_gets_the_curve_of_the_levels() -> None:
    """Shadows of 32 bits would have steps after eight linear ones."""
    ramp = np.tile(np.linspace(0, 40, 160).round().astype("u1"), (1, 4, 1))
    data = psd(_light(ramp), psd_files.GRAY, resources={1039: icc_profiles.grey_profile(gamma=1)})

    image = np.asarray(converted(data, 160)).astype(int)

    assert np.abs(image - ramp[0]).max() <= 1


def test_a_file_without_its_merged_image_is_refused_as_such() -> None:
    """Photoshop stores a white one if its setting Maximize Compatibility is off."""
    data = psd(_photo(), resources={1057: struct.pack(">IB", 1, 0)}, layers=1)

    with pytest.raises(Unsupported, match="PSD without a merged image"):
        probe(data, Limits())


@pytest.mark.parametrize(("channels", "mode"), [(_flat(1, 2, 3), 6), (_flat(1, 2, 3, kind="f8"), psd_files.RGB)])
def test_unknown_modes_and_depths_are_refused_as_such(channels: Samples, mode: int) -> None:
    """With their name."""
    with pytest.raises(Unsupported, match=r"not supported: (8-bit mode 6|64-bit RGB) PSD"):
        probe(psd(channels, mode), Limits())


@_COMPRESSIONS
def test_the_rows_of_a_file_that_is_cut_off(compression: int) -> None:
    """Only rows that all channels have are there."""
    gray = np.random.default_rng(1).integers(0, 256, (1, 100, 64), "u1")
    data = psd(gray, psd_files.GRAY, compression=compression)

    made = result(data[: -len(data) // 5], 100)

    assert made.warning.startswith("The file is cut off: 2")


@_COMPRESSIONS
def test_a_file_without_pixels_is_refused_before_memory_is_taken(compression: int) -> None:
    """However large its header says it is."""
    data = bytearray(psd(_photo(), compression=compression)[:200])
    data[14:22] = struct.pack(">II", 9000, 9000)

    with pytest.raises(Exception, match="The PSD file is broken"):
        outcomes(bytes(data), target())


def test_a_broken_resource_costs_nothing() -> None:
    """Nor does one that is longer than all of them."""
    data = bytearray(psd(_photo(), resources={1000: b"1234", 1039: b"no profile"}))
    data[data.index(b"1234") - 4 :][:4] = struct.pack(">I", 1 << 31)

    assert not isinstance(outcomes(bytes(data), target())[0], Failed)
