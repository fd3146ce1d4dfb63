"""Frames as Chromium shows them: the same images, for the same time, as often."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import Limits
from imageconverter.engine.animation import Frames, Timing
from imageconverter.engine.decode import load, open_image
from tests.testing import apng_files, chunks, gif_files
from tests.testing.apng_files import Part
from tests.testing.browser import Browser, needs_browser, running_browser
from tests.testing.gif_files import Frame

pytestmark = needs_browser

_SIZE = (16, 16)
_FIRST = Frame.filled(_SIZE, 0, hundredths=10)
_PARTS = (
    Part(_SIZE, (255, 0, 0, 255)),
    *[
        Part((9, 7), (40 * n, 250, 20 * n, 255 - 40 * n), (n, 2 * n % 9), dispose, blend, (n + 2, 50))
        for n, (dispose, blend) in enumerate((d, b) for d in (0, 1, 2) for b in (0, 1))
    ],
    Part((2, 2), (0, 0, 255, 128), blend=1),
)


def _gif(*frames: Frame | bytes, size: tuple[int, int] = _SIZE, **fields: int) -> Callable[[], bytes]:
    return lambda: gif_files.gif(size, *frames, **fields)  # type: ignore[arg-type]


def _webp(*, loop: int = 1, opaque: bool = False) -> bytes:
    """Make a WebP whose frames are placed, blended and disposed of in all ways."""
    frames = []
    for n, (dispose, blend) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]):
        file = io.BytesIO()
        color = (40 * n, 250, 20 * n, 255 if opaque else 255 - 40 * n)
        Image.new("RGBA", (10, 8), color).save(file, "WEBP", lossless=True, exact=True)
        place = bytes((n % 4, 0, 0, n % 5, 0, 0, 9, 0, 0, 7, 0, 0, 50 + n, 0, 0, blend << 1 | dispose))
        frames.append(chunks.riff(b"ANMF", place + file.getvalue()[12:]))
    head = chunks.webp_canvas((24, 20), animated=True)
    return chunks.webp(head, chunks.riff(b"ANIM", b"\0\0\xff\xff" + bytes((loop, 0))), *frames)


_FILES: dict[str, tuple[str, Callable[[], bytes]]] = (
    {
        f"GIF {name}": ("image/gif", made)
        for name, made in {
            "smaller than its screen": _gif(Frame.filled((8, 9), 1, at=(3, 4)), background=2),
            "larger than its screen": _gif(Frame.filled((40, 9), 1, at=(3, 4))),
            "without a screen": _gif(Frame.filled((8, 9), 1), size=(0, 0)),
            "without extensions": _gif(*[Frame.filled((4, 4), index, at=(index, 9)) for index in range(3)]),
            "with colors that are not there": _gif(Frame(_SIZE, bytes(range(256)))),
            "of many disposals": _gif(
                _FIRST,
                *[
                    Frame.filled((9, 9), n % 4, at=(n, n), disposal=n, hundredths=n + 2, transparent=2)
                    for n in range(8)
                ],
                Frame.filled((20, 2), 3, at=(4, 7)),
            ),
            "interlaced": _gif(Frame((16, 16), bytes(n // 16 % 4 for n in range(256)), interlaced=True)),
            "repeated twice": _gif(_FIRST, Frame.filled((3, 3), 1), loop=2),
            "repeated for ever": _gif(_FIRST, Frame.filled((3, 3), 1), loop=0),
            "with text": _gif(_FIRST, gif_files.plain_text(), Frame.filled((3, 3), 1)),
            "without a trailer": lambda: gif_files.gif(_SIZE, _FIRST, Frame.filled((3, 3), 1), trailer=b""),
            "with unknown data": _gif(_FIRST, b"\x77", Frame.filled((3, 3), 1)),
        }.items()
    }
    | {
        f"APNG {name}": ("image/png", made)
        for name, made in {
            "with a default image": lambda: apng_files.apng(*_PARTS, default=Part(_SIZE, (9, 9, 9, 255))),
            "of all kinds of frames": lambda: apng_files.apng(*_PARTS),
            "shown once": lambda: apng_files.apng(*_PARTS, plays=1),
            "shown three times": lambda: apng_files.apng(*_PARTS, plays=3),
            "with too few frames": lambda: apng_files.apng(*_PARTS, frames=99),
            "with too many frames": lambda: apng_files.apng(*_PARTS, frames=3),
            "without an end": lambda: apng_files.apng(*_PARTS, end=b""),
        }.items()
    }
    | {
        f"WebP {name}": ("image/webp", made)
        for name, made in {
            "of all kinds of frames": lambda: _webp(loop=0),
            "shown three times": lambda: _webp(loop=3),
            "of opaque frames": lambda: _webp(opaque=True),
        }.items()
    }
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run one browser for all tests."""
    with running_browser() as running:
        yield running


@pytest.mark.parametrize("name", _FILES)
def test_frames_are_those_of_a_browser(browser: Browser, name: str) -> None:
    """Up to rounding, of which the browser does more: it multiplies colors by their alpha."""
    media_type, made = _FILES[name]
    data = made()
    expected = browser.decode(data, media_type)
    frames, shown = _frames(data)

    assert [frame.size for frame in frames] == [frame.size for frame in expected.frames]
    for number, (ours, theirs) in enumerate(zip(frames, expected.frames, strict=True)):
        assert _difference(ours, theirs) <= 2, f"frame {number}"
    if len(frames) > 1:
        assert shown.milliseconds == [each if each > 10 else 100 for each in expected.milliseconds]
        assert shown.plays == (0 if expected.repetitions is None else expected.repetitions + 1)


def _frames(data: bytes) -> tuple[list[Image.Image], Timing]:
    image, info = open_image(io.BytesIO(data), Limits())
    load(image, info, at_least=(1, 1))
    frames = Frames(image, Limits())
    return [frame.convert("RGBA") for frame in frames], frames.timing


def _difference(first: Image.Image, second: Image.Image) -> int:
    """Return the largest difference in levels of what can be seen: colors weigh as much as they are opaque."""
    ours, theirs = (np.asarray(image).astype(float) for image in (first, second))
    alpha = np.maximum(ours[..., 3:], theirs[..., 3:])
    weights = np.concatenate((alpha.repeat(3, axis=2) / 255, np.ones_like(alpha)), axis=2)
    return round(float((np.abs(ours - theirs) * weights).max()))
