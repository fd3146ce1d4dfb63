"""Uploads to the server: in concurrent batches, all to one staging directory."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import pybase64

from imageconverter.settings import MEGABYTE
from services.client.api import ImagesApi, RequestRejectedError
from services.client.folder import Failure, LocalImage

# Well below the gateway's default limit for an upload (64 MiB), and small enough to be retried.
_BATCH_BYTES = 8 * MEGABYTE
_BATCH_IMAGES = 100
_CONCURRENCY = 3
# The highest limit that a gateway can have; a larger file is not read.
_MAX_BYTES = 1024 * MEGABYTE
_IMAGE_FIELDS = ("imageData", "fileName")


@dataclass
class Upload:
    """An upload of images to one staging directory."""

    api: ImagesApi
    formats: Sequence[str]
    on_progress: Callable[[int, int], None]
    """Called with the number of images done, failures included, and the number of failures."""
    directory: str = ""
    """The staging directory, "" before the first batch."""
    sent: list[LocalImage] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    async def send(self, images: Sequence[LocalImage]) -> None:
        """Upload *images*; an image that the server rejects becomes a failure and does not stop the others.

        Raises ServerUnavailableError, and RequestRejectedError if the server rejects a batch for another reason.
        """
        self.on_progress(0, 0)
        pending = batches(images)
        while not self.directory and (batch := next(pending, None)):
            await self._send(batch)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_CONCURRENCY):
                    group.create_task(self._send_all(pending))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _send_all(self, pending: Iterator[list[LocalImage]]) -> None:
        for batch in pending:
            await self._send(batch)

    async def _send(self, batch: Sequence[LocalImage]) -> None:
        loaded = await asyncio.to_thread(_load, batch)
        self._add_failures(loaded.failures)
        if not loaded.images:
            return
        body = _body(loaded, self.formats)
        try:
            self.directory = await self.api.stage(body, self.directory)
        except RequestRejectedError as rejected:
            if not _concerns_image(rejected):
                raise
            del loaded.texts, body
            await self._send_halves(loaded.images, rejected)
        else:
            self.sent += loaded.images
            self._report_progress()

    async def _send_halves(self, images: Sequence[LocalImage], rejected: RequestRejectedError) -> None:
        """Send the halves of a rejected batch separately; a single image becomes a failure."""
        if len(images) == 1:
            self._add_failures([Failure(images[0].relative_path, rejected.reason)])
            return
        middle = len(images) // 2
        await self._send(images[:middle])
        await self._send(images[middle:])

    def _add_failures(self, failures: Sequence[Failure]) -> None:
        self.failures += failures
        self._report_progress()

    def _report_progress(self) -> None:
        self.on_progress(len(self.sent) + len(self.failures), len(self.failures))


@dataclass
class _Loaded:
    """Images and their contents in base64."""

    images: list[LocalImage] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def batches(images: Sequence[LocalImage]) -> Iterator[list[LocalImage]]:
    """Group *images* into batches of limited size; an image that exceeds the limit is a batch of its own."""
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
            loaded.failures.append(Failure(image.relative_path, "It is larger than any server accepts."))
            continue
        try:
            text = pybase64.b64encode(image.path.read_bytes())
        except OSError as error:
            loaded.failures.append(Failure(image.relative_path, error.strerror or "It cannot be read."))
            continue
        loaded.images.append(image)
        loaded.texts.append(text)
    return loaded


def _body(loaded: _Loaded, formats: Sequence[str]) -> bytes:
    head = json.dumps({"fileName": [image.name for image in loaded.images], "formats": list(formats)})
    texts = b'", "'.join(loaded.texts)
    return b"".join([head[:-1].encode(), b', "imageData": ["', texts, b'"]}'])


def _concerns_image(rejected: RequestRejectedError) -> bool:
    return rejected.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or rejected.field in _IMAGE_FIELDS
