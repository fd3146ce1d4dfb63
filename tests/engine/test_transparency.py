"""Transparency is kept, or laid on the background."""

from collections.abc import Callable
from typing import get_args

import pytest
from PIL import Image

from imageconverter.engine import OutputType
from tests.testing import drawings, image_files
from tests.testing.image_assertions import alpha, converted, is_near, opened, psnr, results, target

_LANCZOS = Image.Resampling.LANCZOS
_WHITE = (255, 255, 255)
_OUTPUTS: tuple[OutputType, ...] = get_args(OutputType)


@pytest.mark.parametrize(
    "make",
    [
        *(
            lambda kind=kind: image_files.transparent_png(kind=kind)
            for kind in ("RGBA", "LA", "palette", "color key")
        ),
        lambda: image_files.gif(image=drawings.cutout()),
        lambda: image_files.webp(image=drawings.cutout()),
        lambda: image_files.avif(image=drawings.cutout()),
        lambda: image_files.tiff(image=drawings.cutout()),
    ],
    ids=["PNG RGBA", "PNG LA", "PNG palette", "PNG color key", "GIF", "WebP", "AVIF", "TIFF"],
)
def test_transparency_is_kept_or_laid_on_the_background(make: Callable[[], bytes]) -> None:
    """Kept if the output type has it, at every size."""
    made = results(make(), *(target(side, output=o, background="#00ff00") for side in (96, 48) for o in _OUTPUTS))

    for each in made:
        image = opened(each.data)
        width, height = image.size
        opaque = alpha(image)
        if each.output == "jpeg":
            assert is_near(image.getpixel((1, 1)), (0, 255, 0), 12)
        else:
            assert opaque[1, 1] == 0
            assert opaque[height // 2, width // 2] == 255


@pytest.mark.parametrize("output", ["jpeg", "gif"])
def test_soft_edges_have_no_halo(output: OutputType) -> None:
    """What lies below the transparency, here black, shows nowhere."""
    disc = drawings.cutout((300, 200), softness=6)
    reference = Image.new("RGB", disc.size, _WHITE)
    reference.paste(disc, mask=disc.getchannel("A"))
    expected = reference.resize((150, 100), _LANCZOS).convert("L")
    image = converted(image_files.png(image=disc), 150, output=output, quality=95).convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("L")

    assert psnr(on_white, expected) > (40 if output == "jpeg" else 30)
    assert min(on_white.tobytes()) >= min(expected.tobytes()) - 6
