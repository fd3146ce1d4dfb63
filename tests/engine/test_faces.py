"""Crops that keep faces: found by dlib in a public photograph, whose face is where scikit-image's users know it."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from imageconverter.engine import Target, faces
from imageconverter.engine.attention import Attention
from imageconverter.engine.faces import find_faces
from imageconverter.engine.output_types import Converted
from imageconverter.engine.pipeline import convert
from tests.testing import image_files

ASTRONAUT = Image.fromarray(data.astronaut())  # 512 x 512 pixels
# Of Eileen Collins' face, from brow to chin, as a person sees it.
FACE = (185, 75, 265, 175)


def _middle(region: tuple[float, float, float, float]) -> tuple[float, float]:
    return (region[0] + region[2]) / 2, (region[1] + region[3]) / 2


def test_the_face_of_an_astronaut_is_found() -> None:
    """At its place, and no other."""
    (found,) = find_faces(ASTRONAUT)

    assert np.multiply(_middle(found), 512) == pytest.approx(_middle(FACE), abs=15)
    assert 512 * (found[2] - found[0]) == pytest.approx(FACE[2] - FACE[0], abs=25)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
def test_where_no_face_is_none_is_found(mode: str, name: str) -> None:
    """A cat is none."""
    assert find_faces(Image.fromarray(getattr(data, name)()).convert(mode)) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (79, 81)])
def test_tiny_and_thin_images_have_none(size: tuple[int, int]) -> None:
    """And raise no error."""
    assert find_faces(Image.effect_noise(size, 80)) == ()


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize(("width", "height"), [(60, 30), (30, 60), (24, 24)])
def test_a_crop_keeps_the_face(orientation: int, width: int, height: int) -> None:
    """Also in an output that is too small to find it in; sides are turned, people are not."""
    upright = Image.new("RGB", (700, 700), "#406080")
    upright.paste(ASTRONAUT.crop((140, 20, 340, 220)).resize((300, 300)), (390, 390))
    source = io.BytesIO(image_files.jpeg(image=upright, orientation=orientation))
    x, y = ((390 + 1.5 * (middle - start)) / 700 for middle, start in zip(_middle(FACE), (140, 20), strict=True))
    target = Target(max_width=width, max_height=height, fit="crop", focus="face", output="png")
    found, aimed, centered = (
        np.asarray(Image.open(io.BytesIO(made.data)).convert("RGB"), float)
        for made in convert(source, [target, target.aimed_at((x, y)), target.model_copy(update={"focus": "centre"})])
        if isinstance(made, Converted)
    )

    assert found.shape == (height, width, 3)
    if width != height:
        assert np.abs(found - aimed).mean() < 0.5 * np.abs(found - centered).mean()


def test_the_most_faces_are_kept_and_without_one_what_stands_out() -> None:
    """Two of three that are near each other; if there is none, the crop is that of "saliency"."""
    face = ASTRONAUT.crop((130, 20, 330, 240))
    row = Image.new("RGB", (790, 220), "#808080")
    for left in (0, 390, 590):
        row.paste(face, (left, 0))
    box = Attention(row).crop("face", row, (400, 220))
    coffee = Image.fromarray(data.coffee())

    assert len(find_faces(row)) == 3
    assert 370 <= box[0] <= 400
    kept = Attention(coffee).crop("saliency", coffee, (200, 400))
    assert Attention(coffee).crop("face", coffee, (200, 400)) == kept


def test_all_outputs_share_one_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """In at most 800 pixels, whatever the source and the outputs have."""
    searched = []

    class Detector:
        def run(self, grays: Any, upsampled: int, _threshold: float) -> tuple[list[Any], list[float], list[int]]:
            searched.append((grays.shape, upsampled))
            return [], [], []

    monkeypatch.setattr(faces, "_detector", Detector)
    source = io.BytesIO(image_files.png(image=Image.effect_noise((3000, 1500), 60)))
    targets = [
        Target(max_width=side, max_height=side, fit="crop", focus="face", output="jpeg", variants=("webp",))
        for side in (50, 1400, 100)
    ]
    made = convert(source, targets)

    assert all(isinstance(each, Converted) for each in made)
    assert searched == [((400, 800), 0)]


def test_without_the_extra_no_face_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker without it gets jobs of one that has it only if they differ, and then does what it can."""
    monkeypatch.setattr(faces, "_detector", lambda: None)

    assert find_faces(ASTRONAUT) == ()
