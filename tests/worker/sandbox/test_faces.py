"""Faces are looked for in a real sandbox process, within its limits."""

import io

import numpy as np
from PIL import Image
from skimage import data
from structlog.typing import EventDict

from imageconverter.engine import Converted, Target
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool

FACE = Target(max_width=100, max_height=50, fit="crop", focus="face", output="png")


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


async def test_the_filter_refuses_nothing_that_the_detector_needs(log: list[EventDict]) -> None:
    """It was loaded before; with the least memory that can be set, a large image has its faces looked for."""
    astronaut = Image.fromarray(data.astronaut())
    noise = Image.effect_noise((3000, 3000), 120)
    async with SandboxPool(WorkerSettings(children=1, memory_mb=256), max_pixels=10**8) as pool:
        center = FACE.model_copy(update={"focus": "centre"})
        found, centered = await pool.convert(_png(astronaut), [FACE, center], interactive=True)
        (made,) = await pool.convert(_png(noise), [FACE], interactive=True)

    assert isinstance(found, Converted)
    assert isinstance(centered, Converted)
    assert isinstance(made, Converted)
    assert found.data != centered.data
    top = np.asarray(Image.open(io.BytesIO(found.data)).convert("RGB"), float)
    expected = np.asarray(astronaut.resize((100, 100), Image.Resampling.LANCZOS).crop((0, 0, 100, 50)), float)
    assert np.abs(top - expected).mean() < 8
    assert [each["event"] for each in log if each["log_level"] in ("warning", "error")] == []
