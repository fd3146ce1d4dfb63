"""Sending images to the server: in batches, a few at a time, all into one staging directory."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import pybase64

from imageconverter.settings import MEGABYTE
from services.client.api import ImagesApi, Refused
from services.client.folder import Failure, LocalImage

# Well below the gateway's limit for an upload (64 MiB unless set), and small enough to be sent again.
_BATCH_BYTES = 8 * MEGABYTE
_BATCH_IMAGES = 100
_IN_FLIGHT = 3
# No gateway can be set to take more; such a file is not even read.
_MAX_BYTES = 1024 * MEGABYTE
_IMAGE_FIELDS = ("imageData", "fileName")


@dataclass
class Upload:
    """Images on their way to the server."""

    api: ImagesApi
    formats: Sequence[str]
    on_progress: Callable[[int, int], None]
    """Called with the number of images done, failures included, and the number of failures."""
    directory: str = ""
    """Where they are staged, "" before the first is."""
    sent: list[LocalImage] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    async def send(self, images: Sequence[LocalImage]) -> None:
        """Send *images*; one that is refused is a failure, and the others go on. Raises Away, Refused."""
        self.on_progress(0, 0)
        waiting = batches(images)
        while not self.directory and (batch := next(waiting, None)):
            await self._send(batch)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_IN_FLIGHT):
                    group.create_task(self._send_all(waiting))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _send_all(self, waiting: Iterator[list[LocalImage]]) -> None:
        for batch in waiting:
            await self._send(batch)

    async def _send(self, batch: Sequence[LocalImage]) -> None:
        loaded = await asyncio.to_thread(_load, batch)
        self._failed(loaded.failures)
        if not loaded.images:
            return
        body = _body(loaded, self.formats)
        try:
            self.directory = await self.api.stage(body, self.directory)
        except Refused as refused:
            if not _is_image_field(refused):
                raise
            del loaded.texts, body
            await self._narrow_down(loaded.images, refused)
        else:
            self.sent += loaded.images
            self._report_progress()

    async def _narrow_down(self, images: Sequence[LocalImage], refused: Refused) -> None:
        """Send the halves of a batch that was refused, until the image at fault is alone."""
        if len(images) == 1:
            self._failed([Failure(images[0].inside, refused.reason)])
            return
        middle = len(images) // 2
        await self._send(images[:middle])
        await self._send(images[middle:])

    def _failed(self, failures: Sequence[Failure]) -> None:
        self.failures += failures
        self._report_progress()

    def _report_progress(self) -> None:
        self.on_progress(len(self.sent) + len(self.failures), len(self.failures))


@dataclass
class _Loaded:
    """Images with their base64 texts."""

    images: list[LocalImage] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def batches(images: Sequence[LocalImage]) -> Iterator[list[LocalImage]]:
    """Group *images* by their bytes; one that is larger than a batch goes alone."""
    batch: list[LocalImage] = []
    size = 0
    for image in images:
        if batch and (size + image.size > _BATCH_BYTES or len(batch) == _BATCH_IMAGES):
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += image.size
    if batch:
        yield batch


def _load(batch: Sequence[LocalImage]) -> _Loaded:
    loaded = _Loaded()
    for image in batch:
        if image.size > _MAX_BYTES:
            loaded.failures.append(Failure(image.inside, "It is larger than any server takes."))
            continue
        try:
            text = pybase64.b64encode(image.path.read_bytes())
        except OSError as error:
            loaded.failures.append(Failure(image.inside, error.strerror or "It cannot be read."))
            continue
        loaded.images.append(image)
        loaded.texts.append(text)
    return loaded


def _body(loaded: _Loaded, formats: Sequence[str]) -> bytes:
    head = json.dumps({"fileName": [image.name for image in loaded.images], "formats": list(formats)})
    texts = b'", "'.join(loaded.texts)
    return b"".join([head[:-1].encode(), b', "imageData": ["', texts, b'"]}'])


def _is_image_field(refused: Refused) -> bool:
    return refused.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or refused.field in _IMAGE_FIELDS
