"""Colors are those that a browser shows, for each statement on colors in each type that Chromium reads."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from PIL import Image

from tests.testing import color_signals as files
from tests.testing import colorimetry, icc_profiles
from tests.testing.browser import needs_browser
from tests.testing.browser_canvas import drawn_by_browser
from tests.testing.image_assertions import converted

_MAX_DIFFERENCE = 1.0  # CIEDE2000, in the mean
_PRIMARIES = (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22)
_TRANSFERS = (1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 16, 17, 18)


def _files() -> Iterator[tuple[str, bytes]]:
    """Yield files by their names, which begin with the mode of the image."""
    chart, gray = files.chart(), files.chart().convert("L")
    for primaries, transfer in product(_PRIMARIES, _TRANSFERS):
        if primaries in (1, 9, 12) or transfer in (13, 16):
            yield f"RGB-cicp-{primaries}-{transfer}.png", files.png(chart, files.cicp(primaries, transfer))
            yield f"RGB-nclx-{primaries}-{transfer}.avif", files.avif(chart, primaries, transfer)
    for transfer in _TRANSFERS:
        yield f"L-cicp-{transfer}.png", files.png(gray, files.cicp(1, transfer))
    for percent in (100, 60, 50, 45.455, 40):
        gamma = files.gamma(percent / 100)
        yield f"RGB-gamma-{percent}.png", files.png(chart, gamma)
        yield f"L-gamma-{percent}.png", files.png(gray, gamma)
        for name, values in (("srgb", files.SRGB_CHROMATICITIES), ("p3", files.P3_CHROMATICITIES)):
            yield f"RGB-gamma-{percent}-{name}.png", files.png(chart, gamma, files.chromaticities(values))
    profiles = {
        "p3": icc_profiles.p3_profile(),
        "pq": icc_profiles.with_cicp(9, 16),
        "gray": icc_profiles.grey_profile(gamma=1.8),
        "cmyk": icc_profiles.cmyk_profile(),
        "broken": icc_profiles.p3_profile()[:200],
    }
    for (name, profile), kind in product(profiles.items(), ("JPEG", "PNG", "WEBP", "AVIF")):
        yield f"RGB-icc-{name}.{kind}", files.with_profile(chart, kind, profile)
        if kind in ("JPEG", "PNG"):
            yield f"L-icc-{name}.{kind}", files.with_profile(gray, kind, profile)
    yield "RGB-icc-p3.bmp", files.bmp(chart, profile=profiles["p3"])
    for peak in (100, 400, 4000):
        yield f"RGB-peak-{peak}.png", files.png(chart, files.cicp(9, 16), files.peak(peak))


@needs_browser
def test_colors_are_those_of_a_browser() -> None:
    """All files in one session of it."""
    made = dict(_files())
    drawn = drawn_by_browser(made)
    differences = {name: _difference(made[name], image) for name, image in drawn.items()}

    assert len(drawn) > 0.95 * len(made)
    assert {name: each for name, each in differences.items() if each >= _MAX_DIFFERENCE} == {}


def _difference(data: bytes, drawn: Image.Image) -> float:
    return colorimetry.color_difference(converted(data, 72), np.asarray(drawn.convert("RGB"), dtype=np.float64))
