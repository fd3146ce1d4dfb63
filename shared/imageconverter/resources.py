"""What every process holds open for its life: the object store and the job queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from imageconverter.errors import StoreUnavailable
from imageconverter.images.formats import ImageFormats, load_formats
from imageconverter.jobs import JobQueue, open_redis
from imageconverter.previews.index import PreviewIndex
from imageconverter.runs import RunStore
from imageconverter.settings import Settings, SettingsError
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)

_RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Resources:
    """The open resources; each is handed to whom it concerns."""

    store: ObjectStore
    redis: Redis
    queue: JobQueue
    runs: RunStore
    previews: PreviewIndex
    formats: ImageFormats


@asynccontextmanager
async def open_resources(settings: Settings, *, retry_timeout: float) -> AsyncIterator[Resources]:
    """Open everything; connections are made when they are first used, and *retry_timeout* seconds are had with Redis.

    Raises SettingsError where an address or credential is missing: a role started alone has no defaults
    for them. Raises FormatsFileError where the formats file cannot be used.
    """
    require(settings)
    formats = load_formats(settings.conversion.formats_file)
    async with open_redis(settings.redis, retry_timeout=retry_timeout) as redis:
        queue = JobQueue(redis, timeout_seconds=settings.redis.timeout_seconds, retry_timeout=retry_timeout)
        runs = RunStore(redis, retry_timeout=retry_timeout)
        previews = PreviewIndex(redis, retry_timeout=retry_timeout)
        yield Resources(ObjectStore(settings.storage), redis, queue, runs, previews, formats)


def require(settings: Settings) -> None:
    """Raise SettingsError that names every address and credential that a role needs and was not given."""
    needed = {
        "IMAGECONVERTER_REDIS_URL": settings.redis.url,
        "IMAGECONVERTER_S3_ENDPOINT": settings.storage.endpoint,
        "IMAGECONVERTER_S3_ACCESS_KEY": settings.storage.access_key,
        "IMAGECONVERTER_S3_SECRET_KEY": settings.storage.secret_key,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError("\n".join(f"{name}: must be set" for name in missing))


async def wait_for_bucket(store: ObjectStore) -> None:
    """Make the bucket, waiting for the store to come up for as long as it takes."""
    told = False
    while True:
        try:
            await store.ensure_bucket()
        except StoreUnavailable as error:
            if not told:
                _log.warning("waiting for the object store", reason=error.reason)
                told = True
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
