"""Converts files as workers do: checked by the header, then decoded in a sandbox process."""

import io
import time
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image

from imageconverter.engine import Failed, Limits, Target, probe
from imageconverter.errors import ImageError, ImageTooLarge, LimitExceeded, Unsupported
from services.worker.sandbox.pool import SandboxPool

SIDE = 1024  # pixels: larger images are made to fit
_TARGET = Target(max_width=SIDE, max_height=SIDE, output="png", animation=False)
LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What has become of a file: an image or a reason why there is none."""

    image: Image.Image | None = None
    """In RGBA."""
    warning: str = ""
    refusal: str = ""
    is_promised: bool = True
    """False if the documents exclude what was refused: a variant of the type, or a size above the limits."""
    seconds: float = 0.0
    digest: str = ""
    """Two outcomes with the same digest are equal."""


async def convert(pool: SandboxPool, data: bytes) -> Outcome:
    """Convert *data* to a PNG of at most `SIDE` pixels."""
    began = time.monotonic()
    try:
        probe(data, LIMITS)
        (result,) = await pool.convert(data, [_TARGET], interactive=False)
    except ImageError as error:
        promised = not isinstance(error, Unsupported | ImageTooLarge | LimitExceeded)
        return refused(error.reason, is_promised=promised, seconds=time.monotonic() - began)
    except Exception as error:  # noqa: BLE001 - whatever it is, the file is answered with an error
        return refused(f"{type(error).__name__}: {error}", seconds=time.monotonic() - began)
    seconds = time.monotonic() - began
    if isinstance(result, Failed):
        return refused(result.reason, seconds=seconds)
    image = Image.open(io.BytesIO(result.data)).convert("RGBA")
    digest = sha256(result.data + result.warning.encode()).hexdigest()
    return Outcome(image=image, warning=result.warning, seconds=seconds, digest=digest)


def refused(reason: str, *, is_promised: bool = True, seconds: float = 0.0) -> Outcome:
    """Return the outcome of a file that was refused for *reason*."""
    digest = sha256(reason.encode()).hexdigest()
    return Outcome(refusal=reason, is_promised=is_promised, seconds=seconds, digest=digest)
