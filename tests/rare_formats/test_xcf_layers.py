"""XCF: how layers, masks and groups are composited."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np

from tests.testing.xcf_files import (
    NORMAL,
    PASS_THROUGH,
    ZLIB,
    Layer,
    xcf,
)  # fmt: skip
from tests.testing.xcf_images import HEIGHT, SIZE, WIDTH, color_of, flat, opened, patterned, pixels_of

_MADE_BY_GIMP = sorted((Path(__file__).parent / "xcf").glob("*.xcf"))
_TOTAL = {"u1": 255, "u2": 65535, "u4": 2**32 - 1}
_SCREEN, _ADDITION, _DIVIDE, _OLD_MULTIPLY = 31, 33, 41, 3


def test_layers_are_clipped_by_the_canvas() -> None:
    """On all sides; pixels without a layer stay transparent."""
    photo = patterned(3)
    pixels = pixels_of(xcf([Layer(photo, left=-20, top=-30), Layer(photo, left=60, top=50)], SIZE), "RGBA")

    assert (pixels[:36, :50, :3] == photo[30:, 20:]).all()
    assert (pixels[50:, 60:, :3] == photo[:16, :10]).all()
    assert pixels[36:50].max() == 0


def test_opacity_visibility_and_mode_are_applied() -> None:
    """Legacy modes composite in sRGB; the opacity as a float has precedence."""
    below = Layer(flat(200, 100, 0))
    exact = [(33, struct.pack(">f", 0.25))]

    assert color_of(Layer(flat(0, 0, 0), opacity=51), below) == [160, 80, 0]
    assert color_of(Layer(flat(0, 0, 0), opacity=51, properties=exact), below) == [150, 75, 0]
    assert color_of(Layer(flat(0, 0, 0), is_visible=False), below) == [200, 100, 0]
    assert color_of(Layer(flat(128, 255, 9), mode=_OLD_MULTIPLY), below) == [100, 100, 0]
    assert color_of(Layer(flat(128, 255, 9), mode=_OLD_MULTIPLY)) == [
        128,
        255,
        9,
    ]  # the lowest layer is not multiplied
    assert color_of(Layer(flat(1, 2, 3), mode=999), below) == [1, 2, 3]


def test_new_modes_composite_in_linear_light() -> None:
    """Unless the layer has another composite space."""
    below = Layer(flat(0, 0, 0), mode=NORMAL)
    half = Layer(flat(255, 255, 255), mode=NORMAL, opacity=128)
    half_of_levels = Layer(half.pixels, mode=NORMAL, opacity=128, properties=[(36, struct.pack(">i", -2))])

    assert color_of(half, below) == [188, 188, 188]
    assert color_of(half_of_levels, below) == [128, 128, 128]


def test_new_modes_have_a_default_blend_space() -> None:
    """Addition is linear, screen is perceptual; a layer can override it."""
    gray = Layer(flat(100, 100, 100), mode=NORMAL)
    screened = Layer(gray.pixels, mode=_SCREEN)
    in_light = Layer(gray.pixels, mode=_SCREEN, properties=[(37, struct.pack(">i", 1))])

    assert color_of(Layer(gray.pixels, mode=_ADDITION), gray) == [138, 138, 138]
    assert color_of(screened, gray) == [161, 161, 161]
    assert color_of(in_light, gray) == [134, 134, 134]


def test_composite_modes_clip() -> None:
    """Clipping to the layer removes the backdrop beside it, even in bands that the layer does not touch."""
    over = Layer(flat(255, 0, 0, width=10, height=1), mode=NORMAL, properties=[(35, struct.pack(">i", 3))])
    pixels = pixels_of(xcf([over, Layer(flat(0, 0, 255))], SIZE), "RGBA")

    assert pixels[0, 0].tolist() == [255, 0, 0, 255]
    assert pixels[0, 10:, 3].max() == pixels[1:, :, 3].max() == 0


def test_a_mask_hides_dark_areas() -> None:
    """And everything outside of the mask, unless the mask is disabled."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, 10:20] = 102
    layers = [Layer(flat(250, 250, 250), mask=mask), Layer(flat(0, 0, 0))]
    row = pixels_of(xcf(layers, SIZE))[40, :, 0]
    layers[0].mask = mask[:30]
    short = pixels_of(xcf(layers, SIZE))[40, :, 0]
    layers[0].applies_mask = False

    assert row.tolist() == [0] * 10 + [100] * 10 + [0] * 50
    assert short.max() == 0
    assert pixels_of(xcf(layers, SIZE)).min() == 250


def test_groups_have_opacity_masks_and_visibility() -> None:
    """They apply to the composite of the members, at any depth."""
    black, red, white = Layer(flat(0, 0, 0)), flat(200, 0, 0), flat(200, 200, 200)
    members = [Layer(red, path=(0, 0, 0)), Layer(white, path=(0, 0, 1))]
    mask = np.full((HEIGHT, WIDTH), 51, np.uint8)
    inner = Layer(None, path=(0, 0), opacity=204)

    assert color_of(Layer(None), inner, *members, black) == [160, 0, 0]
    assert color_of(Layer(None, mask=mask), inner, *members, black) == [32, 0, 0]
    assert color_of(Layer(None, is_visible=False), inner, *members, black) == [0, 0, 0]
    assert color_of(Layer(None), Layer(None, path=(0, 0), is_visible=False), *members, black) == [0, 0, 0]


def test_members_of_a_pass_through_group_blend_with_the_layers_below() -> None:
    """Members of other groups do not."""
    member = Layer(flat(128, 128, 128, 255), mode=_OLD_MULTIPLY, path=(0, 0))
    below = Layer(flat(200, 100, 50))

    assert color_of(Layer(None, mode=PASS_THROUGH), member, below) == [100, 50, 25]
    assert color_of(Layer(None), member, below) == [128, 128, 128]
    assert color_of(Layer(None, mode=PASS_THROUGH, opacity=0), member, below) == [200, 100, 50]


def test_a_floating_selection_is_left_out() -> None:
    """It is not part of the layer stack."""
    floating = Layer(flat(255, 0, 0), properties=[(5, struct.pack(">I", 4))])

    assert color_of(floating, Layer(flat(0, 9, 0))) == [0, 9, 0]


def test_an_image_without_visible_layers_is_transparent() -> None:
    """As in GIMP's export."""
    assert color_of(Layer(flat(1, 2, 3), is_visible=False), mode="RGBA") == [0, 0, 0, 0]
    assert color_of(mode="RGBA") == [0, 0, 0, 0]


def test_bands_meet() -> None:
    """A canvas so wide that it is composited a few rows at a time, with layers across the bands."""
    random = np.random.default_rng(3)
    below, above = (random.integers(0, 256, (150, 9000, 3), np.uint8) for _ in range(2))
    layers = [Layer(above, left=31, top=-17, mode=_OLD_MULTIPLY), Layer(below)]
    pixels = pixels_of(xcf(layers, (9000, 150), compression=ZLIB))
    product = below[:133, 31:] / 255 * above[17:, :-31]

    assert np.abs(pixels[:133, 31:] - product).max() < 0.51
    assert (pixels[133:] == below[133:]).all()


def test_memory_is_bounded_by_the_canvas() -> None:
    """Four layers of 6 megapixels would take 400 MB as floats."""
    layers = [Layer(flat(9, 9, 9, 128, width=2500, height=2500))] * 4
    data = xcf(layers, (2500, 2500), compression=ZLIB)
    tracemalloc.start()
    try:
        assert opened(data).size == (2500, 2500)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
