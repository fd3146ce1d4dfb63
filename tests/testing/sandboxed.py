"""Conversions by one sandbox process, as in a worker, for synchronous tests."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

from imageconverter.engine import Converted, Failed, Target
from imageconverter.engine.facts import Facts
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool

_Result = TypeVar("_Result")
_SETTINGS = WorkerSettings(children=1, pictures_per_child=100_000)
_MAX_PIXELS = 100_000_000  # as in `Limits`


class SandboxedEngine:
    """A pool of one process, whose event loop runs in a thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._refused: Counter[str] = Counter()
        self._pool = SandboxPool(_SETTINGS, max_pixels=_MAX_PIXELS, on_refused=self._note)

    def convert(
        self, data: bytes, targets: Sequence[Target], watermarks: Mapping[str, bytes] | None = None
    ) -> list[Converted | Failed]:
        """Convert *data* to all *targets*, with their *watermarks*, as the pool does.

        Raises AssertionError if the sandbox refuses a system call, even if the image is converted all the same.
        """
        self._refused.clear()
        try:
            return self._run(self._pool.convert(data, targets, interactive=True, watermarks=watermarks))
        finally:
            assert not self._refused, f"the sandbox refused {dict(self._refused)}"

    def facts(self, data: bytes) -> Facts:
        """Return the facts of *data*, as the pool does."""
        self._refused.clear()
        reply = self._run(self._pool.convert_with_metadata(data, [], interactive=True, metadata=False, facts=True))
        assert not self._refused, f"the sandbox refused {dict(self._refused)}"
        assert reply.facts is not None
        return reply.facts

    def start(self) -> None:
        """Start the process."""
        self._run(self._pool.__aenter__())

    def stop(self) -> None:
        """End the process."""
        self._run(self._pool.__aexit__(None, None, None))

    async def _note(self, calls: Mapping[str, int]) -> None:
        self._refused.update(calls)

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def sandboxed_engine() -> Iterator[SandboxedEngine]:
    """Run the thread and the process."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="sandbox")
    thread.start()
    try:
        engine = SandboxedEngine(loop)
        engine.start()
        try:
            yield engine
        finally:
            engine.stop()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
