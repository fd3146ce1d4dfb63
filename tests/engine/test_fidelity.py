"""Real photographs come out as a slow and exact program makes them."""

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from imageconverter.engine import Target
from imageconverter.images.formats_file import load_formats
from tests.testing import icc_profiles, image_files
from tests.testing.image_assertions import opened, results

Pixels = np.ndarray[Any, np.dtype[np.float64]]

# Shipped with scikit-image; its documentation describes each.
_PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "rocket.jpg")
_MIN_SIMILARITY = 0.99
_MAX_COLOR_DIFFERENCE = 1.0


@lru_cache(maxsize=8)
def _photograph(name: str) -> Image.Image:
    photograph = Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB")
    photograph.info.clear()  # the tests give them profiles of their own
    return photograph


def _jpeg(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


def _exact(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """Resize in one Lanczos step with floating point numbers, from all pixels."""
    channels = [channel.convert("F").resize(size, Image.Resampling.LANCZOS) for channel in image.split()]
    return np.stack([np.asarray(each, dtype=np.float64) for each in channels], axis=2).clip(0, 255)


def _similarity(image: Image.Image, exact: Pixels) -> float:
    return float(
        structural_similarity(
            exact, np.asarray(image, dtype=np.float64), channel_axis=2, data_range=255,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", _PHOTOGRAPHS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_every_format_is_as_sharp_as_an_exact_resize(name: str, kind: str) -> None:
    """All shipped formats at once and two smaller ones, although JPEGs are decoded at a lower scale, and in steps."""
    photograph = _photograph(name)
    data = _jpeg(photograph) if kind == "JPEG" else image_files.png(image=photograph)
    formats = [each.as_target().model_copy(update={"output": "png"}) for each in load_formats(None).values()]
    small = [Target(max_width=side, max_height=side, output="png") for side in (400, 100)]
    source = opened(data)

    for made in results(data, *formats, *small):
        assert _similarity(opened(made.data), _exact(source, made.size)) >= _MIN_SIMILARITY


@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png", "chelsea.png"])
@pytest.mark.parametrize("profile", ["P3", "CMYK"])
def test_colors_are_those_of_a_managed_program(name: str, profile: str) -> None:
    """CIEDE2000 below one in the mean: invisible side by side."""
    icc = icc_profiles.p3_profile() if profile == "P3" else icc_profiles.cmyk_profile()
    opened_profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    photograph = _photograph(name)
    if profile == "CMYK":
        photograph = photograph.convert("CMYK")
    data = _jpeg(photograph, icc_profile=icc, subsampling="4:4:4")
    managed = ImageCms.profileToProfile(
        opened(data), opened_profile, ImageCms.createProfile("sRGB"), outputMode="RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip
    assert managed is not None

    for made in results(data, *(Target(max_width=side, max_height=side, output="png") for side in (1024, 300, 100))):
        exact = _exact(managed, made.size)
        difference = deltaE_ciede2000(rgb2lab(exact / 255), rgb2lab(np.asarray(opened(made.data))))
        assert float(difference.mean()) < _MAX_COLOR_DIFFERENCE
