"""JPEG XL: every kind is read as ISO/IEC 18181 has it; the files are made by libjxl's encoder from known pixels."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.decode import open_image
from imageconverter.engine.header import check_header
from imageconverter.engine.jxl import read_size
from imageconverter.engine.limits import Limits
from imageconverter.errors import Undecodable, Unsupported
from tests.testing import drawings, icc_profiles
from tests.testing.image_assertions import converted, difference, is_near, is_upright, opened, result, results, target
from tests.testing.jxl_files import jxl

_BLACK, _DEPTH, _SPOT = 4, 1, 2
_SIZE = (96, 64)


def _pixels(mode: str = "RGB", *, seed: int = 1) -> np.ndarray[Any, np.dtype[np.uint8]]:
    pixels = np.asarray(drawings.photo(_SIZE, seed=seed).convert(mode))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _ramp(kind: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Return all levels from 0 to 1 in a row, gray as RGB."""
    row = np.linspace(0, 1, 256, dtype=np.float64)
    scaled = row.astype(np.float32) if kind == "float32" else np.round(row * np.iinfo(kind).max).astype(kind)
    return np.tile(scaled[None, :, None], (8, 1, 3))


def _levels(data: bytes) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the first row of the converted ramp."""
    return np.asarray(converted(data, 256).convert("L").crop((0, 0, 256, 1)), dtype=np.int64).reshape(256)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_pixels_are_exact(mode: str) -> None:
    """In all modes, of a lossless file."""
    pixels = _pixels(mode)

    assert difference(converted(jxl(pixels), 96), Image.fromarray(pixels.squeeze(), mode)) == 0


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_deep_samples_are_rounded(kind: str) -> None:
    """To the nearest of 256 levels."""
    assert np.abs(_levels(jxl(_ramp(kind))) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("distance", [None, 0.1])
@pytest.mark.parametrize("kind", ["uint16", "float32"])
@pytest.mark.parametrize(
    ("encoding", "linear"),
    [
        ({"transfer": 8}, lambda sample: sample),
        ({"transfer": 65535, "gamma": 1 / 2.2}, lambda sample: sample**2.2),
        ({"transfer": 17}, lambda sample: sample**2.6),
    ],
)
def test_other_curves_become_that_of_srgb(encoding: dict[str, Any], linear: Any, kind: str, distance: float) -> None:
    """Before the samples lose their depth: a dark linear level is not lost."""
    light = linear(np.linspace(0, 1, 256))
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)

    assert np.abs(_levels(jxl(_ramp(kind), encoding=encoding, distance=distance)) - expected).max() <= 2.5


@pytest.mark.parametrize(
    ("encoding", "distance", "cicp"),
    [
        ({"primaries": 11}, None, (12, 13, 0, 1)),
        ({"primaries": 11}, 0.5, None),
        ({"primaries": 9, "transfer": 16}, None, (9, 16, 0, 1)),
        ({"primaries": 11, "transfer": 18}, 0.5, (9, 18, 0, 1)),
    ],
)
def test_a_color_space_by_numbers_is_handed_over(
    encoding: dict[str, Any], distance: float | None, cicp: tuple[int, ...] | None
) -> None:
    """By the numbers of H.273, unless the decoder has converted the pixels to sRGB."""
    image, _ = open_image(io.BytesIO(jxl(_pixels(), encoding=encoding, distance=distance)), Limits())

    assert image.info.get("cicp") == cicp
    assert "icc_profile" not in image.info


def test_deep_high_dynamic_range_has_no_steps() -> None:
    """It is tone-mapped before its samples are rounded: shades that are one in 8 bits remain different."""
    pq = {"primaries": 9, "transfer": 16}
    dark = np.tile(np.linspace(0.3, 0.4, 256)[None, :, None], (8, 1, 3))
    levels = _levels(jxl(np.round(dark * 65535).astype(np.uint16), encoding=pq))
    rough = _levels(jxl(np.round(dark * 255).astype(np.uint8), encoding=pq))

    assert np.diff(levels).min() >= 0
    assert np.abs(levels - rough).max() <= 3
    assert len(set(levels)) > len(set(rough))


def test_the_brightest_light_is_that_of_the_header() -> None:
    """Of an image that is no brighter than its white, nothing is darkened for what is brighter."""
    pq = {"primaries": 9, "transfer": 16}
    bright = np.tile(np.linspace(0.4, 0.58, 256)[None, :, None], (8, 1, 3))  # 0.58 of PQ is 203 nits
    samples = np.round(bright * 65535).astype(np.uint16)

    assert _levels(jxl(samples, encoding=pq, intensity_target=203.0))[-1] >= 250
    assert _levels(jxl(samples, encoding=pq, intensity_target=4000.0))[-1] < 245


def test_the_profile_is_applied() -> None:
    """A red of Display P3 is a stronger one of sRGB."""
    pixels = np.full((8, 8, 3), (200, 100, 100), np.uint8)

    assert is_near(converted(jxl(pixels, profile=icc_profiles.p3_profile())).getpixel((4, 4)), (215, 93, 97), 1)


def test_premultiplied_colors_are_divided_by_the_alpha() -> None:
    """100 of an alpha of 128 are 199."""
    pixels = np.full((8, 8, 4), (100, 0, 64, 128), np.uint8)

    assert is_near(converted(jxl(pixels, alpha_premultiplied=1)).getpixel((4, 4)), (199, 0, 128, 128), 1)


@pytest.mark.parametrize("alpha", [False, True])
def test_cmyk_is_converted_by_its_profile(alpha: bool) -> None:  # noqa: FBT001
    """The fourth ink is an extra channel, and 0 is full ink."""
    light = np.full((8, 8, 4 if alpha else 3), 255, np.uint8)
    light[:, 4:, 0] = 0  # full cyan
    if alpha:
        light[:4, :, 3] = 0
    made = converted(
        jxl(light, profile=icc_profiles.cmyk_profile(), extra=[(_BLACK, np.full((8, 8), 255, np.uint8))]), 8
    ).convert("RGBA")
    white, cyan = made.getpixel((1, 6)), made.getpixel((6, 6))

    assert white == (255, 255, 255, 255)
    assert is_near(cyan, (0, 158, 224, 255), 20)
    assert np.asarray(made)[1, 6, 3] == (0 if alpha else 255)


def test_further_channels_are_ignored() -> None:
    """A depth map is no color, and a spot color is printed over the others."""
    pixels, plane = _pixels(), np.zeros((64, 96), np.uint8)

    assert difference(converted(jxl(pixels, extra=[(_DEPTH, plane)]), 96), Image.fromarray(pixels)) == 0
    assert converted(jxl(pixels, extra=[(_SPOT, plane + 255)])).getpixel((4, 4)) == (255, 0, 0)


def test_many_channels_are_supported_of_small_images() -> None:
    """Each of them takes memory."""
    pixels, plane = _pixels(), np.zeros((64, 96), np.uint8)

    assert difference(converted(jxl(pixels, extra=[(_DEPTH, plane)] * 40), 96), Image.fromarray(pixels)) == 0


def test_many_channels_of_a_large_image_are_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is on all samples together."""
    monkeypatch.setattr("imageconverter.engine.plugins.jpeg_xl._MAX_SAMPLES", 20_000)

    with pytest.raises(Unsupported, match="4 channels"):
        open_image(io.BytesIO(jxl(_pixels("RGBA"))), Limits())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_the_code_stream_is_applied(orientation: int) -> None:
    """And that of the EXIF is not, as ISO/IEC 18181-2 has it; the header's extents are those of the upright image."""
    stored = drawings.as_stored(drawings.corners(_SIZE), orientation)
    exif = Image.Exif()
    exif[0x0112] = 3
    box = bytes(4) + exif.tobytes()[6:]
    data = jxl(np.asarray(stored), orientation=orientation, boxes=[(b"Exif", box, True)])

    assert read_size(io.BytesIO(data)) == _SIZE
    assert is_upright(converted(data, 96))


def test_frames_are_shown_as_long_as_they_were() -> None:
    """With what lies below them, and as often."""
    frames = [_pixels("RGBA", seed=seed) for seed in range(4)]
    made = opened(result(jxl(*frames, durations=[50, 200, 700, 90], loops=3), 96, output="webp", lossless=True).data)
    shown = []
    for number, frame in enumerate(frames):
        made.seek(number)
        made.load()
        shown.append(made.info["duration"])
        assert difference(made.convert("RGBA"), Image.fromarray(frame)) < 5

    assert getattr(made, "n_frames", 1) == 4
    assert shown == [50, 200, 700, 90]
    assert made.info["loop"] == 3


def test_the_first_frame_is_the_still_image() -> None:
    """Of an output that does not move."""
    frames = [_pixels(seed=seed) for seed in range(3)]

    assert (
        difference(converted(jxl(*frames, durations=[100] * 3), 96, animation=False), Image.fromarray(frames[0])) < 1
    )


def test_frames_can_be_read_in_any_order() -> None:
    """Also the first one once more."""
    frames = [_pixels(seed=seed) for seed in range(3)]
    image, info = open_image(io.BytesIO(jxl(*frames, durations=[100] * 3)), Limits())
    for number in (2, 0, 1):
        image.seek(number)
        image.load()
        assert image.tell() == number
        assert difference(image, Image.fromarray(frames[number])) == 0

    assert info.animated
    with pytest.raises(EOFError):
        image.seek(3)


def test_too_many_frames_are_counted_before_they_are_decoded() -> None:
    """Only the first one is converted."""
    data = jxl(*[_pixels(seed=seed % 2) for seed in range(6)], durations=[100] * 6)
    made = results(data, target(96, output="webp"), limits=Limits(frames=5))[0]

    assert "too many frames" in made.warning


def test_a_file_that_is_cut_off_is_a_warning() -> None:
    """Below half of it, an error; frames that are missing are left out."""
    pixels = np.asarray(drawings.photo((800, 600)))
    data = jxl(pixels)
    made = result(data[: len(data) * 9 // 10], 800)

    assert "The file is cut off" in made.warning
    assert difference(opened(made.data).crop((0, 0, 800, 200)), Image.fromarray(pixels[:200])) == 0
    with pytest.raises(Undecodable, match="cut off"):
        result(data[: len(data) // 8])
    moving = jxl(*[_pixels(seed=seed) for seed in range(4)], durations=[100] * 4)
    made = result(moving[: len(moving) * 6 // 10], 96, output="webp")
    assert made.warning == "The animation is broken: 2 of 4 frames are missing."


def test_the_extents_are_found_in_parts() -> None:
    """A code stream may be divided anywhere; boxes that are broken end the search."""
    data = jxl(_pixels(), orientation=6)
    parts = [data[:1], data[1:3], data[3:]]
    container = b"\0\0\0\x0cJXL \r\n\x87\n" + struct.pack(">I4s", 20, b"ftyp") + b"jxl \0\0\0\0jxl "
    for index, part in enumerate(parts):
        number = index | (0x8000_0000 if part is parts[-1] else 0)
        container += struct.pack(">I4sI", 12 + len(part), b"jxlp", number) + part

    assert read_size(io.BytesIO(container)) == (64, 96)
    assert converted(container, 96).size == (64, 96)
    for end in range(32, 70):
        with pytest.raises(Undecodable):
            check_header(io.BytesIO(container[:end]), Limits())


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**31, 17])
def test_a_box_of_any_length_ends_the_search(length: int) -> None:
    """Also one that is longer than any file can be."""
    data = b"\0\0\0\x0cJXL \r\n\x87\n" + struct.pack(">I4sQ", 1, b"free", length)

    with pytest.raises(Undecodable):
        check_header(io.BytesIO(data), Limits())


@pytest.mark.parametrize("box", [b"", b"\xff\xff\xff\xff", b"\0\0\0\0MM\0*\xff"])
def test_a_fault_in_metadata_costs_nothing(box: bytes) -> None:
    """Nor does a box that is cut off, after the image."""
    pixels = _pixels()
    data = jxl(pixels, boxes=[(b"Exif", box, False), (b"xml ", b"<", False)]) + b"\0\0\1\0Exif"
    made = result(data, 96)

    assert made.warning == ""
    assert difference(opened(made.data), Image.fromarray(pixels)) == 0
