"""Samples of more than 8 bits: shadows of linear light and highlights of high dynamic range show no steps."""

import io
from typing import Any

import numpy as np
import pytest

from imageconverter.engine.color import SourceColor
from imageconverter.engine.decode import open_image
from imageconverter.engine.limits import Limits
from tests.testing import color_signals as files
from tests.testing import colorimetry, icc_profiles
from tests.testing.color_signals import Samples
from tests.testing.image_assertions import converted

_SIDE = 64
_LINEAR, _PQ = 8, 16


def _shadows(maximum: int = 0xFFFF) -> Samples:
    """Return linear light for 64 levels of sRGB from 0 to 126, in columns, the channels of which differ."""
    levels = np.arange(_SIDE)[None, :, None] * 2 + np.array([0, 3, 6])
    light = colorimetry.srgb_to_light(levels / 255)
    return np.rint(light * maximum).astype(np.uint16).repeat(8, axis=0)


def _is_exact(data: bytes, expected: Any) -> bool:
    made = np.asarray(converted(data, _SIDE), dtype=np.float64)
    return bool(np.abs(made[..., : expected.shape[-1]] - expected).max() <= 1)


def _expected(samples: Samples, primaries: int = 1) -> Any:
    return colorimetry.light_to_srgb(samples / 0xFFFF @ colorimetry.matrix(primaries, 1).T)


@pytest.mark.parametrize(
    "chunks",
    [
        [files.gamma(1.0)],
        [files.gamma(1.0), files.chromaticities(files.SRGB_CHROMATICITIES)],
        [files.cicp(1, _LINEAR)],
    ],
)
def test_linear_light_in_a_png(chunks: list[files.Chunk]) -> None:
    """The primaries are those of sRGB."""
    samples = _shadows()

    assert _is_exact(files.deep_png(samples, *chunks), _expected(samples))


@pytest.mark.parametrize(
    "chunks",
    [[files.gamma(1.0), files.chromaticities(files.P3_CHROMATICITIES)], [files.cicp(12, _LINEAR)]],
)
def test_primaries_of_linear_light_remain_to_be_converted(chunks: list[files.Chunk]) -> None:
    """Those of Display P3; two conversions of 8 bits are a little less exact."""
    samples = _shadows()
    made = converted(files.deep_png(samples, *chunks), _SIDE)

    assert colorimetry.color_difference(made, _expected(samples, 12)) < 0.5


def test_a_gray_profile_of_linear_light() -> None:
    """Gray stays gray."""
    samples = _shadows()[..., 0]
    data = files.deep_png(samples, files.iccp(icc_profiles.grey_profile(gamma=1.0)))
    made = converted(data, _SIDE)

    assert made.mode == "L"
    assert np.abs(np.asarray(made) - colorimetry.light_to_srgb(samples / 0xFFFF)).max() <= 1


@pytest.mark.parametrize(("channels", "tolerance"), [(2, 14), (4, 1)])
def test_alpha_is_not_light(channels: int, tolerance: int) -> None:
    """Half is half; gray with alpha has the steps of 8 bits, for neither decoder keeps more of it."""
    samples = np.concatenate([_shadows()[..., : channels - 1], np.full((8, _SIDE, 1), 0x8000, np.uint16)], axis=2)
    made = converted(files.deep_png(samples, files.gamma(1.0)), _SIDE)
    expected = colorimetry.light_to_srgb(samples[..., 0] / 0xFFFF)

    assert made.getchannel("A").getextrema() == (128, 128)
    assert np.abs(np.asarray(made)[..., 0] - expected).max() <= tolerance


def test_a_gray_profile_counts_beside_alpha() -> None:
    """Pillow takes 16 bits of gray with alpha for RGB."""
    samples = np.full((8, 8, 2), 0x4000, np.uint16)
    made = converted(files.deep_png(samples, files.iccp(icc_profiles.grey_profile(gamma=1.0))))

    assert made.mode == "LA"
    assert made.getpixel((4, 4)) == (137, 64)


@pytest.mark.parametrize("kind", ["PNG", "AVIF", "HEIC"])
def test_pq_has_no_steps_in_highlights(kind: str) -> None:
    """Neighbors of 10 bits around reference white become neighbors of 8 bits."""
    ramp = np.arange(580, 644)[None, :, None].repeat(8, axis=0).repeat(3, axis=2).astype(np.uint16)
    if kind == "PNG":
        data = files.deep_png(np.rint(ramp * (0xFFFF / 1023)).astype(np.uint16), files.cicp(9, _PQ))
    else:
        data = files.deep_avif(ramp, 9, _PQ) if kind == "AVIF" else files.deep_heic(ramp, 9, _PQ)
    row = np.asarray(converted(data, _SIDE).convert("RGB"))[4, :, 1].astype(int)

    assert set(np.diff(row)) <= {0, 1}
    assert row[0] == pytest.approx(177, abs=1)  # 580 of 1,023 are 178 nits, of which half is shown


@pytest.mark.parametrize("data", [files.deep_png(_shadows(), files.cicp(9, _PQ)), files.deep_png(_shadows())])
def test_nothing_is_left_to_convert(data: bytes) -> None:
    """Neither of high dynamic range nor of sRGB."""
    _, info = open_image(io.BytesIO(data), Limits())

    assert info.color == SourceColor()
