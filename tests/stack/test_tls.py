"""TLS to Redis, Sentinel and S3, with certificates of an authority of one's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.jobs import JobQueue, open_redis
from imageconverter.settings import RedisSettings, StorageSettings
from imageconverter.storage.store import ObjectStore
from services.stack.program import Program
from tests.testing.certificates import Authority
from tests.testing.running_stack import running_stack
from tests.testing.tls_servers import MASTER, redis_with_tls, tls_redis, tls_sentinel, tls_store

pytestmark = pytest.mark.timeout(240)

_PASSWORD = "of-the-roles"
_SECONDS = 30


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that has signed all certificates."""
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
async def redis(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """The settings of a Redis and of a Sentinel, whose address is `sentinel`."""
    folder = tmp_path_factory.mktemp("redis")
    program = redis_with_tls(folder)
    server = tls_redis(program, folder, authority, _PASSWORD)
    sentinel = tls_sentinel(program, folder, authority, server.port)
    programs = [Program(each.command) for each in (server, sentinel)]
    for each in programs:
        each.start()
    files = authority.issue("client", names="DNS:client")
    try:
        yield {
            "url": f"rediss://imageconverter:{_PASSWORD}@127.0.0.1:{server.port}/0",
            "sentinel": f"rediss+sentinel://imageconverter:{_PASSWORD}@127.0.0.1:{sentinel.port}/{MASTER}/0",
            "ca_file": str(authority.files.certificate),
            "certificate_file": str(files.certificate),
            "key_file": str(files.key),
        }
    finally:
        await asyncio.gather(*(each.stop(grace_seconds=0.1) for each in programs))


@pytest.fixture(scope="module")
async def store(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StorageSettings]:
    """The settings of a store, whose bucket exists."""
    server = tls_store(tmp_path_factory.mktemp("store"), authority)
    settings = StorageSettings(
        endpoint=server.settings["IMAGECONVERTER_S3_ENDPOINT"],
        access_key=server.settings["IMAGECONVERTER_S3_ACCESS_KEY"],
        secret_key=server.settings["IMAGECONVERTER_S3_SECRET_KEY"],
        ca_file=authority.files.certificate,
    )
    program = Program(server.command)
    program.start()
    try:
        async with asyncio.timeout(_SECONDS):
            while not await _has_bucket(settings):
                await asyncio.sleep(0.2)
        yield settings
    finally:
        await program.stop(grace_seconds=0.1)


async def _has_bucket(settings: StorageSettings) -> bool:
    try:
        await ObjectStore(settings).ensure_bucket()
    except StoreUnavailable:
        return False
    return True


async def _availability(given: dict[str, str], seconds: float, **changes: str | None) -> str:
    settings: dict[str, Any] = {**given, **changes}
    del settings["sentinel"]
    async with open_redis(RedisSettings(**settings), retry_timeout=seconds) as redis:
        return await JobQueue(redis, timeout_seconds=2, retry_timeout=seconds).availability()


@pytest.mark.parametrize("address", ["url", "sentinel"])
async def test_redis_is_reached_with_the_right_certificates(redis: dict[str, str], address: str) -> None:
    """Those of the client too; directly, or from Sentinels over TLS."""
    assert await _availability(redis, _SECONDS, url=redis[address]) == "up"


async def test_redis_is_not_reached_without_them(redis: dict[str, str], tmp_path: Path) -> None:
    """An unknown authority, no client certificate, and another host than the certificate names."""
    other = str(Authority(tmp_path, "other").files.certificate)
    elsewhere = redis["url"].replace("127.0.0.1", "localhost")

    assert await _availability(redis, 1, ca_file=None) == "down"
    assert await _availability(redis, 1, ca_file=other) == "down"
    assert await _availability(redis, 1, certificate_file=None, key_file=None) == "down"
    assert await _availability(redis, 1, url=elsewhere) == "down"
    assert await _availability(redis, 1, url=redis["sentinel"], ca_file=other) == "down"


async def test_the_name_in_the_certificate_may_be_ignored(redis: dict[str, str]) -> None:
    """By an option of redis-py in the address, for servers whose certificates have no usable name."""
    elsewhere = redis["url"].replace("127.0.0.1", "localhost")

    assert await _availability(redis, _SECONDS, url=f"{elsewhere}?ssl_check_hostname=no") == "up"
    assert await _availability(redis, _SECONDS, url=f"{elsewhere}?ssl_cert_reqs=none", ca_file=None) == "up"


async def test_both_clients_of_the_store_know_the_authority(store: StorageSettings) -> None:
    """obstore, and boto3, which made the bucket and stores parts."""
    opened = ObjectStore(store)

    await opened.put("key", b"value", content_type="text/plain")
    async with opened.put_in_parts("parts", content_type="text/plain") as parts:
        await parts.add(b"value")

    assert [loaded.data.to_bytes() for key in ("key", "parts") if (loaded := await opened.get(key))] == [b"value"] * 2


async def test_the_store_is_not_used_without_its_authority(store: StorageSettings, tmp_path: Path) -> None:
    """Nor with another one."""
    other = Authority(tmp_path, "other").files.certificate
    for ca_file in (None, other):
        settings = store.model_copy(update={"ca_file": ca_file})
        with pytest.raises(StoreUnavailable):
            await ObjectStore(settings).put("key", b"value", content_type="text/plain")
        assert not await _has_bucket(settings)


def test_a_stack_converts_over_tls(redis: dict[str, str], store: StorageSettings, tmp_path: Path) -> None:
    """All roles, with Redis by Sentinel and the permissions of docker/redis.acl."""
    access_key, secret_key = store.credentials
    files = {f"IMAGECONVERTER_REDIS_{name.upper()}": path for name, path in redis.items() if name.endswith("_file")}
    settings = {
        **files,
        "IMAGECONVERTER_REDIS_URL": redis["sentinel"],
        "IMAGECONVERTER_S3_ENDPOINT": store.endpoint,
        "IMAGECONVERTER_S3_CA_FILE": str(store.ca_file),
        "IMAGECONVERTER_S3_ACCESS_KEY": access_key,
        "IMAGECONVERTER_S3_SECRET_KEY": secret_key,
    }
    with running_stack(tmp_path, **{name: value or "" for name, value in settings.items()}) as stack:
        assert stack.convert("a.jpg")[0] == 200
        assert stack.get("/content/products/thumbnail/a.jpg")[0] == 200
