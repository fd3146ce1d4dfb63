"""Makes sources of local images and the reverse; sends only what has changed, several at a time."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from imageconverter.errors import InvalidValue
from imageconverter.images.names import directory_path
from services.client.async_client import AsyncClient
from services.client.digests import FileDigests
from services.client.errors import RequestRejectedError
from services.client.local_images import Failure, LocalImage
from services.client.responses import Source

_CONCURRENCY = 16
_MD5 = re.compile("[0-9a-f]{32}")
_IMAGE_FIELDS = ("imageData", "fileName", "path")

_Item = TypeVar("_Item")


class Pair(NamedTuple):
    """A local image and the source that it is to become, or the reverse."""

    path: str
    """Of the source."""
    image: LocalImage | None
    source: Source | None


@dataclass
class Comparison:
    """How local images differ from sources."""

    missing: list[Pair] = field(default_factory=list)
    """Those that the destination lacks."""
    changed: list[Pair] = field(default_factory=list)
    unchanged: list[Pair] = field(default_factory=list)
    extra: list[Pair] = field(default_factory=list)
    """Those that only the destination has."""
    failures: list[Failure] = field(default_factory=list)

    @property
    def to_send(self) -> list[Pair]:
        """What the destination needs."""
        return self.missing + self.changed


@dataclass
class Transfer:
    """The outcome of sending or receiving."""

    done: list[Pair] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def source_paths(images: Iterable[LocalImage], directory: str, failures: list[Failure]) -> dict[str, LocalImage]:
    """Return *images* by the paths of their sources below *directory*; invalid paths are added to *failures*."""
    found: dict[str, LocalImage] = {}
    for image in images:
        relative = Path(image.relative_path).as_posix()
        try:
            path = directory_path(f"{directory}/{relative}" if directory else relative)
        except InvalidValue as error:
            failures.append(Failure(image.relative_path, error.reason))
            continue
        if path in found:
            reason = "Its name differs from that of another one by its Unicode form only."
            failures.append(Failure(image.relative_path, reason))
        else:
            found[path] = image
    return found


async def compare(
    client: AsyncClient,
    local: dict[str, LocalImage],
    sources: dict[str, Source],
    digests: FileDigests,
    *,
    destination: Literal["sources", "local"],
) -> Comparison:
    """Compare *local* images with *sources*, both by path: by size, and then by MD5 or SHA-256. Raises ApiError."""
    result = Comparison()
    ours, theirs = (local, sources) if destination == "sources" else (sources, local)
    common: list[Pair] = []
    for path in [*ours, *(each for each in theirs if each not in ours)]:
        pair = Pair(path, local.get(path), sources.get(path))
        group = result.missing if path not in theirs else result.extra if path not in ours else common
        group.append(pair)

    async def judge(pair: Pair) -> None:
        try:
            equal = await _are_equal(client, pair, digests)
        except OSError as error:
            result.failures.append(Failure(_name(pair), error.strerror or "It cannot be read."))
        else:
            (result.unchanged if equal else result.changed).append(pair)

    await for_each(common, judge)
    return result


async def _are_equal(client: AsyncClient, pair: Pair, digests: FileDigests) -> bool:
    if pair.image is None or pair.source is None or pair.image.signature.size != pair.source["size"]:
        return False
    own = await digests.of(pair.image)
    if _MD5.fullmatch(pair.source["etag"]):
        return own.md5 == pair.source["etag"]
    return own.sha256 == await client.sources.sha256(pair.path)  # stored in parts


async def push(
    client: AsyncClient,
    pairs: Sequence[Pair],
    digests: FileDigests,
    on_progress: Callable[[int, int], None],
) -> Transfer:
    """Store the images of *pairs*; what one is rejected for does not stop the others.

    *on_progress* is called with the numbers of images done and of failures. Raises ApiError.
    """
    transfer = Transfer()

    async def send(pair: Pair) -> None:
        if pair.image is None:
            return
        try:
            own = await digests.of(pair.image)
            await client.sources.put(pair.path, pair.image.path, sha256=own.sha256)
        except (OSError, RequestRejectedError) as error:
            transfer.failures.append(Failure(pair.image.relative_path, _reason(error)))
        else:
            transfer.done.append(pair)
        on_progress(len(transfer.done) + len(transfer.failures), len(transfer.failures))

    on_progress(0, 0)
    await for_each(pairs, send)
    return transfer


async def pull(
    client: AsyncClient,
    pairs: Sequence[Pair],
    file_of: Callable[[str], Path],
    on_progress: Callable[[int, int], None],
) -> Transfer:
    """Write the sources of *pairs* to the files that *file_of* gives for their paths. Raises ApiError."""
    transfer = Transfer()

    async def receive(pair: Pair) -> None:
        try:
            await client.sources.download(pair.path, file_of(pair.path))
        except (OSError, RequestRejectedError) as error:
            transfer.failures.append(Failure(pair.path, _reason(error)))
        else:
            transfer.done.append(pair)
        on_progress(len(transfer.done) + len(transfer.failures), len(transfer.failures))

    on_progress(0, 0)
    await for_each(pairs, receive)
    return transfer


async def delete(client: AsyncClient, paths: Iterable[str]) -> None:
    """Delete the sources at *paths*, several at a time. Raises ApiError."""
    await for_each(paths, client.sources.delete)


async def for_each(items: Iterable[_Item], work: Callable[[_Item], Awaitable[object]]) -> None:
    """Call *work* for each of *items*, several at a time; the first error ends all and is raised."""
    pending = iter(items)

    async def work_off() -> None:
        for item in pending:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_CONCURRENCY):
                group.create_task(work_off())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def sources_by_path(listing: AsyncIterator[Source]) -> dict[str, Source]:
    """Return the sources of a *listing* by path."""
    return {source["path"]: source async for source in listing}


def _name(pair: Pair) -> str:
    return pair.image.relative_path if pair.image else pair.path


def _reason(error: OSError | RequestRejectedError) -> str:
    """Return why one image failed; raises an *error* that concerns all of them."""
    if isinstance(error, OSError):
        return error.strerror or "It cannot be read or written."
    if error.status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.NOT_FOUND) or error.field in _IMAGE_FIELDS:
        return error.reason
    raise error
