"""Watermarks from the source tree: read by the worker, kept for a while, and part of what an output was made of."""

import io
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from PIL import Image

from imageconverter.engine import Target
from imageconverter.images.conversions import ConversionJob, OutputOutcome, OutputSpec
from imageconverter.resources import Resources
from imageconverter.settings import WorkerSettings
from services.worker import watermarks
from services.worker.conversion_executor import ConversionExecutor
from services.worker.sandbox.pool import SandboxPool
from services.worker.watermarks import Watermarks
from tests.testing import image_files

_RED, _BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[SandboxPool]:
    """One sandbox process."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        yield pool


def _mark(color: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), color).save(buffer, "PNG")
    return buffer.getvalue()


class Shop:
    """A source, and a watermark that may be there."""

    def __init__(self, resources: Resources, sandbox: SandboxPool) -> None:
        self.store, self.path = resources.store, uuid4().hex
        self.mark = f"{self.path}/mark.png"
        self.conversion = ConversionExecutor(self.store, sandbox, 10**8)

    async def put_mark(self, data: bytes) -> None:
        """Store the watermark."""
        await self.store.put(f"source/{self.mark}", data, content_type="image/png")

    async def outcomes(self, run_id: str = "") -> tuple[OutputOutcome, ...]:
        """Convert the source with and without the watermark, for a run."""
        key = f"source/{self.path}/a.jpg"
        etag = await self.store.put(key, image_files.jpeg(), content_type="image/jpeg")
        targets = [Target(max_width=40, max_height=40, output="png", watermark=mark) for mark in (self.mark, "")]
        specs = tuple(
            OutputSpec(target=each, directory=f"{self.path}/{number}", name="a.jpg")
            for number, each in enumerate(targets)
        )
        job = ConversionJob(id=uuid4().hex, source_key=key, outputs=specs, run_id=run_id, source_etag=etag)
        return (await self.conversion.run(job)).outputs

    async def color(self) -> object:
        """Return the color in the middle of the output with the watermark."""
        loaded = await self.store.get(f"target/{self.path}/0/a.png")
        assert loaded is not None
        return Image.open(io.BytesIO(bytes(loaded.data))).convert("RGB").getpixel((20, 13))


@pytest.fixture
def shop(resources: Resources, sandbox: SandboxPool, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose worker looks a watermark up each time."""
    monkeypatch.setattr(watermarks, "_FRESH_SECONDS", 0)
    return Shop(resources, sandbox)


async def test_an_output_is_made_anew_when_its_watermark_changes(shop: Shop) -> None:
    """And only then; outputs without one are not concerned."""
    await shop.put_mark(_mark(_RED))
    first = await shop.outcomes("1")
    assert await shop.color() == _RED
    unchanged = await shop.outcomes("2")
    await shop.put_mark(_mark(_BLUE))
    changed = await shop.outcomes("3")

    assert [each.status for each in first] == ["success", "success"]
    assert [each.status for each in unchanged] == ["skipped", "skipped"]
    assert [each.status for each in changed] == ["success", "skipped"]
    assert await shop.color() == _BLUE


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "does not exist."),
        (b"no image", "cannot be used: The file is not of a supported image format."),
        (bytes(4 * 1024 * 1024 + 1), "has more than 4 MiB."),
    ],
    ids=["missing", "broken", "too large"],
)
async def test_a_watermark_that_cannot_be_used_is_named(shop: Shop, data: bytes | None, problem: str) -> None:
    """The output is an error, and the others are made."""
    if data is not None:
        await shop.put_mark(data)
    marked, other = await shop.outcomes()

    assert (marked.status, marked.message) == ("error", f'The watermark "{shop.mark}" {problem}')
    assert other.status == "success"


async def test_an_output_whose_watermark_was_deleted_is_an_error_and_stays(shop: Shop) -> None:
    """It is not replaced by one without a mark."""
    await shop.put_mark(_mark(_RED))
    await shop.outcomes("1")
    await shop.store.delete([f"source/{shop.mark}"])
    marked, _ = await shop.outcomes("2")

    assert marked.status == "error"
    assert await shop.color() == _RED


async def test_watermarks_are_kept_in_bounded_memory(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """For runs, a second without a look at the store; those that were not used for longest go."""
    monkeypatch.setattr(watermarks, "_FRESH_SECONDS", 1000)
    monkeypatch.setattr(watermarks, "_MAX_KEPT_BYTES", 100)
    folder, read = uuid4().hex, Watermarks(resources.store)
    for name in ("a", "b"):
        await resources.store.put(f"source/{folder}/{name}", name.encode() * 60, content_type="image/png")

    async def found(name: str, *, may_be_old: bool = True) -> bytes:
        marks, _ = await read.read(
            [Target(max_width=1, max_height=1, watermark=f"{folder}/{name}")], may_be_old=may_be_old
        )
        return bytes(marks[f"{folder}/{name}"].data)

    assert [await found("a"), await found("b")] == [b"a" * 60, b"b" * 60]
    for name in ("a", "b"):
        await resources.store.put(f"source/{folder}/{name}", b"new", content_type="image/png")
    assert [await found("b"), await found("a")] == [b"b" * 60, b"new"]
    await resources.store.put(f"source/{folder}/a", b"newest", content_type="image/png")
    assert await found("a", may_be_old=False) == b"newest"
