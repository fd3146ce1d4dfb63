"""Sending pictures to the server: in batches, a few at a time, all into one staging directory."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import pybase64

from imageconverter.settings import MEGABYTE
from services.client.api import ImagesApi, Refused
from services.client.folder import Failure, LocalPicture
from services.client.progress import Progress

# Well below the gateway's limit for an upload (64 MiB unless set), and small enough to be sent again.
_BATCH_BYTES = 8 * MEGABYTE
_BATCH_PICTURES = 100
_IN_FLIGHT = 3
# No gateway can be set to take more; such a file is not even read.
_MOST_BYTES = 1024 * MEGABYTE
_FIELDS_OF_A_PICTURE = ("imageData", "fileName")


@dataclass
class Upload:
    """Pictures on their way to the server."""

    api: ImagesApi
    formats: Sequence[str]
    progress: Progress
    total: int
    directory: str = ""
    """Where they are staged, "" before the first is."""
    sent: list[LocalPicture] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    async def send(self, pictures: Sequence[LocalPicture]) -> None:
        """Send *pictures*; one that is refused is a failure, and the others go on. Raises Away, Refused."""
        self.progress.show(0, self.total, 0)
        waiting = batches(pictures)
        while not self.directory and (batch := next(waiting, None)):
            await self._send(batch)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_IN_FLIGHT):
                    group.create_task(self._send_all(waiting))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _send_all(self, waiting: Iterator[list[LocalPicture]]) -> None:
        for batch in waiting:
            await self._send(batch)

    async def _send(self, batch: Sequence[LocalPicture]) -> None:
        loaded = await asyncio.to_thread(_load, batch)
        self._failed(loaded.failures)
        if not loaded.pictures:
            return
        body = _body(loaded, self.formats)
        try:
            self.directory = await self.api.stage(body, self.directory)
        except Refused as refused:
            if not _is_about_a_picture(refused):
                raise
            del loaded.texts, body
            await self._narrow_down(loaded.pictures, refused)
        else:
            self.sent += loaded.pictures
            self._show()

    async def _narrow_down(self, pictures: Sequence[LocalPicture], refused: Refused) -> None:
        """Send the halves of a batch that was refused, until the picture at fault is alone."""
        if len(pictures) == 1:
            self._failed([Failure(pictures[0].inside, refused.reason)])
            return
        middle = len(pictures) // 2
        await self._send(pictures[:middle])
        await self._send(pictures[middle:])

    def _failed(self, failures: Sequence[Failure]) -> None:
        self.failures += failures
        self._show()

    def _show(self) -> None:
        self.progress.show(len(self.sent) + len(self.failures), self.total, len(self.failures))


@dataclass
class _Loaded:
    """Pictures with their base64 texts."""

    pictures: list[LocalPicture] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def batches(pictures: Sequence[LocalPicture]) -> Iterator[list[LocalPicture]]:
    """Group *pictures* by their bytes; one that is larger than a batch goes alone."""
    batch: list[LocalPicture] = []
    size = 0
    for picture in pictures:
        if batch and (size + picture.size > _BATCH_BYTES or len(batch) == _BATCH_PICTURES):
            yield batch
            batch, size = [], 0
        batch.append(picture)
        size += picture.size
    if batch:
        yield batch


def _load(batch: Sequence[LocalPicture]) -> _Loaded:
    loaded = _Loaded()
    for picture in batch:
        if picture.size > _MOST_BYTES:
            loaded.failures.append(Failure(picture.inside, "It is larger than any server takes."))
            continue
        try:
            text = pybase64.b64encode(picture.path.read_bytes())
        except OSError as error:
            loaded.failures.append(Failure(picture.inside, error.strerror or "It cannot be read."))
            continue
        loaded.pictures.append(picture)
        loaded.texts.append(text)
    return loaded


def _body(loaded: _Loaded, formats: Sequence[str]) -> bytes:
    head = json.dumps({"fileName": [picture.name for picture in loaded.pictures], "formats": list(formats)})
    texts = b'", "'.join(loaded.texts)
    return b"".join([head[:-1].encode(), b', "imageData": ["', texts, b'"]}'])


def _is_about_a_picture(refused: Refused) -> bool:
    return refused.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or refused.field in _FIELDS_OF_A_PICTURE
