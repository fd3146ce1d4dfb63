"""Every file type through a real sandbox process: the filter refuses no system call that a conversion needs."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from structlog.typing import EventDict

from imageconverter.engine import Converted, OutputType, Target, identify
from imageconverter.engine.source_types import HEAD_BYTES, SOURCE_TYPES
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool
from tests.testing import image_files, more_files
from tests.testing.drawings import Size
from tests.testing.fig_files import box, fig, style
from tests.testing.runs import PRODUCT, Client, post

TINY: Size = (24, 16)
SOURCES: dict[str, Callable[[], bytes]] = {
    **image_files.SOURCES,
    **more_files.SOURCES,
    **more_files.OWN,
    "JPEG without APPn segments": lambda: without_app_segments(image_files.jpeg()),
    "PNG 16-bit gray, tiny": lambda: image_files.grey16_png(height=1),
    "PNG 16-bit RGB, tiny": lambda: image_files.rgb16_png(TINY),
    "FITS, tiny": lambda: more_files.stretched_fits(TINY),
    "PM, tiny": lambda: more_files.pm(TINY),
    "PNM, tiny": lambda: more_files.pnm(TINY),
    "PSD, tiny": lambda: more_files.psd(TINY),
    "XCF, tiny": lambda: more_files.layered_xcf(TINY),
    "XFIG, tiny": lambda: fig(box(0, 0, 100, 100, style())),
    "XPM, tiny": lambda: more_files.xpm(TINY),
    # More than a block of Pillow's memory, for which libraries have other code.
    "PNM, large": lambda: more_files.pnm((2600, 2000)),
}
# Shrunk, at its own size, and enlarged.
SIZES: dict[str, dict[str, Any]] = {
    "shrunk": {"max_width": 24, "max_height": 24},
    "own size": {"max_width": 10_000, "max_height": 10_000},
    "enlarged": {"max_width": 300, "max_height": 300, "upscale": True},
}
OUTPUTS: tuple[OutputType, ...] = ("jpeg", "png", "webp", "avif", "gif")


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[SandboxPool]:
    """A pool of one process, which is not replaced after a number of images."""
    async with SandboxPool(WorkerSettings(children=1, pictures_per_child=10_000), max_pixels=10**8) as running:
        yield running


def without_app_segments(jpeg: bytes) -> bytes:
    """Return *jpeg* without JFIF, Exif and other APPn segments."""
    kept, at = [jpeg[:2]], 2
    while jpeg[at + 1] != 0xDA:  # the start of the scan
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at + 1] & 0xF0 != 0xE0:
            kept.append(jpeg[at:end])
        at = end
    return b"".join([*kept, jpeg[at:]])


def type_of(data: bytes) -> str:
    """Return the name of the file type of *data*."""
    found = identify(data[:HEAD_BYTES])
    assert found is not None
    return found.name


def test_the_sources_are_of_every_file_type() -> None:
    """What this file tests is all that there is."""
    assert {type_of(make()) for make in SOURCES.values()} == {each.name for each in SOURCE_TYPES}


def test_the_jpeg_without_segments_has_none() -> None:
    """Neither JFIF nor Exif."""
    data = without_app_segments(image_files.jpeg(metadata=True))

    assert not any(bytes([0xFF, 0xE0 | number]) in data[: data.index(b"\xff\xda")] for number in range(16))


@pytest.mark.parametrize("frames", ["animated", "still"])
@pytest.mark.parametrize("size", SIZES)
async def test_every_file_type_is_converted_to_every_output_type(
    pool: SandboxPool, log: list[EventDict], size: str, frames: str
) -> None:
    """The sandbox refuses no system call that a conversion needs, whatever is done to the image on the way."""
    targets = [Target(output=output, animation=frames == "animated", **SIZES[size]) for output in OUTPUTS]
    for name, make in SOURCES.items():
        results = await pool.convert(make(), targets, interactive=True)
        assert all(isinstance(each, Converted) for each in results), (name, results)
        assert [each["system_calls"] for each in log if each["event"] == "system call refused"] == [], name

    assert [each for each in log if each["event"] == "sandbox process lost with an image"] == []


async def test_a_wide_avif_is_encoded_by_threads_of_the_process(pool: SandboxPool, log: list[EventDict]) -> None:
    """The sandbox refuses none of what they need."""
    source, target = image_files.jpeg((1400, 1000)), Target(max_width=1300, max_height=1300, output="avif")
    (made,) = await pool.convert(source, [target], interactive=True)

    assert isinstance(made, Converted)
    assert type_of(made.data) == "AVIF"
    assert [each["event"] for each in log if each["log_level"] in ("warning", "error")] == []


async def test_conversions_import_nothing(tmp_path: Path) -> None:
    """After the preload: the filter would refuse to open the module."""
    for number, make in enumerate(SOURCES.values()):
        (tmp_path / str(number)).write_bytes(make())
    program = (
        "import io, pathlib, sys\n"
        "from services.worker.sandbox import program\n"
        "from imageconverter.engine import Limits, Target\n"
        "program.preload()\n"
        "before = set(sys.modules)\n"
        "kinds = 'jpeg', 'png', 'webp', 'avif', 'gif'\n"
        "targets = [Target(max_width=50, max_height=50, output=kind) for kind in kinds]\n"
        "for place in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    program.convert(io.BytesIO(place.read_bytes()), targets, Limits())\n"
        "print(sorted(set(sys.modules) - before))\n"
    )
    converting = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await converting.communicate()

    assert printed.decode().strip() == "[]"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("file_type", [each.name for each in SOURCE_TYPES])
async def test_every_file_type_is_converted_over_http(gateway: Client, file_type: str) -> None:
    """At its own size, by a real worker."""
    data = next(data for make in SOURCES.values() if type_of(data := make()) == file_type)
    image = {"fileName": f"{uuid4().hex}.img", "formats": [PRODUCT], "imageData": base64.b64encode(data).decode()}
    status, answer = await post(gateway, "/images/upload/convert", image)

    assert status == 200, answer
    assert [row["status"] for row in answer["items"]] == ["success"], answer
