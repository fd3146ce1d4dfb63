"""The archive of `imageconverter backup`, and what `restore` makes of it."""

import gzip
import io
import tarfile
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import RedisSettings
from services.cli import bucket_backup, bucket_restore
from services.cli.bucket_archive import InvalidArchive
from services.cli.bucket_backup import make_backup
from services.cli.bucket_restore import has_data, restore_backup
from tests.conftest import MakeSettings, storage_settings

LARGE = bytes(range(256)) * 16
OBJECTS = {
    "source/products/Stühle/a.jpg": b"image",
    "source/empty": b"",
    "facts/products/Stühle/a.jpg": b"facts",
    "focal-points/products/Stühle/a.jpg": b"point",
    "target/products/large.jpg": LARGE,
    "variants/webp/products/large.jpg": b"variant",
    "catalog/product/current.json": b"{}",
    "catalog/product/1/entries-0.parquet": b"entries",
    "runs/orders/r.json": b"backup",
    "runs/r/results/0.ndjson": b"results",
    "state/dead/1-a.json": b"dead letter",
    keys.EPOCH_COPY: b"7",
}


def test_everything_in_the_bucket_can_be_restored() -> None:
    """An archive with a key of any other beginning is refused."""
    beginnings = {value for name, value in vars(keys).items() if name.isupper() and str(value).endswith("/")}

    assert beginnings == {*bucket_restore.DATA, keys.STATE}


@pytest.fixture
async def own(servers: dict[str, str], make_settings: MakeSettings) -> AsyncIterator[Resources]:
    """An empty database of Redis and an empty bucket."""
    url = servers["IMAGECONVERTER_REDIS_URL"].rpartition("/")[0]
    settings = make_settings(
        redis=RedisSettings(url=f"{url}/14"), storage=storage_settings(servers, bucket=f"backup-{uuid4().hex[:12]}")
    )
    async with open_resources(settings, retry_timeout=20) as resources:
        await wait_for_bucket(resources.store)
        yield resources
        await resources.redis.flushdb()
        await empty(resources)


async def empty(resources: Resources) -> None:
    """Delete everything in the bucket."""
    async for page in resources.store.list(""):
        await resources.store.delete(each.key for each in page)


async def archive_of(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Store OBJECTS, some of them large, and return a backup."""
    monkeypatch.setattr(bucket_backup, "_SMALL_BYTES", 100)
    for key, data in OBJECTS.items():
        await resources.store.put(key, data, content_type=f"type/{len(data)}", metadata={"digest": "d1"})
    await resources.store.put(keys.OWNER, b"another stack", content_type="text/plain")
    file = io.BytesIO()
    totals = await make_backup(resources.store, file)
    assert totals == (len(OBJECTS), sum(map(len, OBJECTS.values())))
    return file.getvalue()


async def test_objects_are_restored_with_type_and_metadata(own: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one call, or in parts if they are large; compressed or not. The mark of the owner is not in the backup."""
    archive = await archive_of(own, monkeypatch)
    for limit, data in ((1000, archive), (0, gzip.compress(archive))):
        monkeypatch.setattr(bucket_restore, "_WHOLE_BYTES", limit)
        monkeypatch.setattr(bucket_restore, "_SMALL_BYTES", 100)
        await empty(own)
        assert not await has_data(own.store)
        await restore_backup(own, io.BytesIO(data))

        assert await has_data(own.store)
        found = {stored.key async for page in own.store.list("") for stored in page}
        assert found == set(OBJECTS)
        for key in OBJECTS.keys() - {keys.EPOCH_COPY}:
            opened = await own.store.open(key)
            assert opened is not None
            assert b"".join([chunk async for chunk in opened.chunks]) == OBJECTS[key]
            assert opened.content_type == f"type/{len(OBJECTS[key])}"
            assert opened.stored.metadata == {"digest": "d1"}


@pytest.mark.parametrize("in_redis", [0, 500])
async def test_redis_is_recognized_as_older(own: Resources, monkeypatch: pytest.MonkeyPatch, in_redis: int) -> None:
    """So that a reporter rebuilds it, also if it is newer than the backup."""
    archive = await archive_of(own, monkeypatch)
    await own.redis.set(keys.EPOCH, in_redis)
    await restore_backup(own, io.BytesIO(archive))

    stored = await own.store.get(keys.EPOCH_COPY)
    assert stored is not None
    assert int(bytes(stored.data)) > max(in_redis, 7)


async def test_any_tar_program_reads_it(own: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """What refers to other objects is the last, the number by which Redis is judged the very last but one mark."""
    archive = await archive_of(own, monkeypatch)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
        member = tar.extractfile("source/products/Stühle/a.jpg")
        assert member is not None
        assert member.read() == b"image"

    assert set(names) == {*OBJECTS, "imageconverter-backup"}
    references = ["catalog/product/current.json", "runs/orders/r.json", "state/dead/1-a.json", keys.EPOCH_COPY]
    assert names[-5:-1] == references


@pytest.mark.parametrize("cut", [1, 600, 1024, -2000])
async def test_an_archive_that_is_cut_off_is_refused(
    own: Resources, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """Wherever that is; nothing in it makes Redis be rebuilt."""
    archive = await archive_of(own, monkeypatch)
    await empty(own)
    with pytest.raises(InvalidArchive):
        await restore_backup(own, io.BytesIO(archive[:cut]))
    assert await own.store.get(keys.EPOCH_COPY) is None


async def test_another_archive_is_refused(own: Resources) -> None:
    """Neither files without the headers of a backup, nor keys of other programs, are written."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("source/a.jpg"))
        foreign = tarfile.TarInfo("other/a.jpg")
        foreign.pax_headers = {"IMAGECONVERTER.key": "other/a.jpg"}
        tar.addfile(foreign)
    with pytest.raises(InvalidArchive, match="no archive"):
        await restore_backup(own, io.BytesIO(file.getvalue()))
    assert not await has_data(own.store)
