"""Judges all files of a folder, a few at a time."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from pathlib import Path

from services.worker.sandbox.pool import SandboxPool
from tests.conformance.conversion import convert
from tests.conformance.corpus import CorpusFile, colors_of, extension_of
from tests.conformance.readers import Colors, Reader, fair_readers
from tests.conformance.reading import Reading, Surroundings, read, read_beside
from tests.conformance.results import Result, Results
from tests.conformance.verdicts import judge


class Session:
    """What judges the files of a corpus."""

    def __init__(
        self, pool: SandboxPool, readers: Sequence[Reader], surroundings: Surroundings, results: Results
    ) -> None:
        """Judge with *readers*, all of which are installed; *results* holds what sessions before have found."""
        self._pool = pool
        self._readers = readers
        self._surroundings = surroundings
        self._results = results

    async def run(
        self, folder: Path, files: Sequence[CorpusFile], *, at_once: int, on_result: Callable[[Result], object]
    ) -> list[Result]:
        """Judge *files* below *folder*, *at_once* of them at the same time; returns the results by their order."""
        # Mixed, so that the expensive types do not come all at once and the bar does not mislead.
        remaining = list(enumerate(files))
        random.Random(len(files)).shuffle(remaining)  # noqa: S311 - only an order
        found: dict[int, Result] = {}

        async def work() -> None:
            while remaining:
                number, file = remaining.pop()
                found[number] = await self._judge(file, str(file.path.relative_to(folder)))
                on_result(found[number])

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
        return [found[number] for number in sorted(found)]

    async def _judge(self, file: CorpusFile, name: str) -> Result:
        data = await asyncio.to_thread(file.path.read_bytes)
        outcome = await convert(self._pool, data)
        digest = sha256(data).hexdigest()
        if (known := self._results.find(digest, outcome.digest)) is not None:
            return known.model_copy(update={"path": name, "seconds": round(outcome.seconds, 3)})
        colors = colors_of(data, file.type.name)
        readings = self._readings(file, data, colors, is_refused=outcome.image is None)
        judgment = await judge(outcome, readings, file.type.name, is_managed=colors is not Colors.PLAIN)
        result = await asyncio.to_thread(Result.of, name, file.type.name, digest, outcome, judgment)
        self._results.add(result)
        return result

    async def _readings(
        self, file: CorpusFile, data: bytes, colors: Colors, *, is_refused: bool
    ) -> AsyncIterator[Reading]:
        name = file.type.name
        for reader in fair_readers(self._readers, name, colors, of_refused=is_refused):
            extension = extension_of(data, file.type)
            yield await read(reader, data, extension, self._surroundings, is_proof=name in reader.types)
        if not is_refused and (beside := await read_beside(file.path)) is not None:
            yield beside
