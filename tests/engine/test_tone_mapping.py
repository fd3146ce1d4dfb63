"""High dynamic range becomes sRGB: by the anchors of ITU-R BT.2408 and the curve of SMPTE ST 2094-50."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.color.tone_mapping import HighDynamicRange, reference_white_curve, to_sdr
from imageconverter.engine.decode import open_image
from imageconverter.engine.limits import Limits
from tests.testing import color_signals as files
from tests.testing import colorimetry, icc_profiles
from tests.testing.colorimetry import Values
from tests.testing.image_assertions import converted

_PQ, _HLG = 16, 18
_PEAK = 1000 / 203  # in reference whites


def _pq_nits(values: Values) -> Values:
    """Decode PQ, by SMPTE ST 2084 with its published fractions."""
    root = values ** (32 / 2523)
    made: Values = 10_000 * (np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)
    return made


def _hlg_nits(values: Values) -> Values:
    """Decode HLG for a display of 1,000 nits, by ITU-R BT.2100."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    made: Values = 1000 * scene * luminance[..., None] ** 0.2
    return made


def _mapped(nits: Values) -> Values:
    """Map rows of BT.2020 to levels of sRGB; the curve is found by trying a hundred thousand points of it."""
    t = np.linspace(0, 1, 100_000)
    x_bend, y_bend = 0.35 + 0.65 / 0.5, 0.35 * 0.5 + 0.65
    xs = (1 - t) ** 2 + 2 * t * (1 - t) * x_bend + t**2 * _PEAK
    ys = (1 - t) ** 2 * 0.5 + 2 * t * (1 - t) * y_bend + t**2
    light = nits / 203
    brightest = light.max(axis=-1, keepdims=True)
    curve = np.interp(brightest, np.concatenate([[0], xs]), np.concatenate([[0], ys]))
    scaled = light * np.divide(curve, brightest, out=np.zeros_like(curve), where=brightest > 0)
    return colorimetry.light_to_srgb(scaled @ colorimetry.matrix(9, 1).T)


@pytest.mark.parametrize(("transfer", "decode"), [(_PQ, _pq_nits), (_HLG, _hlg_nits)], ids=["PQ", "HLG"])
@pytest.mark.parametrize("kind", ["PNG", "AVIF"])
def test_colors_are_those_of_the_method(kind: str, transfer: int, decode: Any) -> None:
    """All grays and 216 colors; what AVIF loses is part of the difference."""
    chart = files.chart()
    make = {"PNG": lambda: files.png(chart, files.cicp(9, transfer)), "AVIF": lambda: files.avif(chart, 9, transfer)}
    expected = _mapped(decode(np.asarray(chart, dtype=np.float64) / 255))

    assert colorimetry.color_difference(converted(make[kind](), 72), expected) < (0.1 if kind == "PNG" else 0.5)


@pytest.mark.parametrize(("transfer", "level"), [(_PQ, 148), (_HLG, 191)], ids=["PQ", "HLG"])
def test_reference_white_is_bright_but_not_white(transfer: int, level: int) -> None:
    """58 % of PQ, 75 % of HLG are 203 nits (BT.2408), and half of the light of sRGB."""
    gray = to_sdr(Image.new("L", (4, 4), level), HighDynamicRange(transfer)).getpixel((2, 2))

    assert gray == pytest.approx(188, abs=1)


def test_the_peak_is_white_and_black_is_black() -> None:
    """1,000 nits are 75 % of PQ; what is brighter is white as well."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    made = list(to_sdr(ramp, HighDynamicRange(_PQ)).tobytes())

    assert made[0] == 0
    assert made[192:] == [255] * 64
    assert made == sorted(made)


@pytest.mark.parametrize("peak", [1.01, 1.1, 2.0, _PEAK, 20.0, 49.3])
def test_the_curve_rises_to_the_peak(peak: float) -> None:
    """Whatever the peak is, also that of an image that is not brighter than reference white."""
    light = np.linspace(0, peak, 10_000)
    mapped = reference_white_curve(light, peak)

    assert mapped[0] == 0
    assert mapped[-1] == pytest.approx(1)
    assert bool(np.all(np.diff(mapped) > 0))


def test_the_peak_of_a_png_counts() -> None:
    """An image that is said to be dark is shown brighter."""
    gray = Image.new("RGB", (8, 8), (140, 140, 140))
    dark = converted(files.png(gray, files.cicp(9, _PQ), files.peak(203))).convert("L").getpixel((4, 4))
    usual = converted(files.png(gray, files.cicp(9, _PQ))).convert("L").getpixel((4, 4))

    assert isinstance(dark, int)
    assert isinstance(usual, int)
    assert dark > usual + 30


def test_a_tag_in_a_profile_counts() -> None:
    """LittleCMS does not know the tag cicp (ICC.1:2022), with which encoders mark PQ and HLG."""
    chart = files.chart()
    data = files.with_profile(chart, "WEBP", icc_profiles.with_cicp(9, _PQ))
    expected = _mapped(_pq_nits(np.asarray(chart, dtype=np.float64) / 255))

    assert colorimetry.color_difference(converted(data, 72), expected) < 0.1


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_mode_and_alpha_are_kept(mode: str) -> None:
    """Gray stays gray; several strips are the same as one."""
    image = files.chart().convert(mode)
    if "A" in mode:
        image.putalpha(77)
    large = image.resize((720, 520), Image.Resampling.NEAREST)
    made, large = (to_sdr(each, HighDynamicRange(_HLG)) for each in (image, large))

    assert made.mode == mode
    assert "A" not in mode or made.getchannel("A").getextrema() == (77, 77)
    assert large.resize(made.size, Image.Resampling.NEAREST).tobytes() == made.tobytes()


def test_the_base_of_a_gain_map_stays() -> None:
    """A JPEG with a second image, as telephones write it, is in SDR itself."""
    second = files.with_profile(files.chart().convert("L"), "JPEG", b"")
    data = files.with_profile(files.chart(), "JPEG", icc_profiles.p3_profile()) + second
    _, info = open_image(io.BytesIO(data), Limits())

    assert info.color.high_dynamic_range is None
    assert colorimetry.color_difference(converted(data, 72), colorimetry.to_srgb(files.chart(), 12)) < 1
