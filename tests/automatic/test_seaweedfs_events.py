"""Events of a real SeaweedFS, set up by its notification.toml as docs/automatic-conversion.md says."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from imageconverter.storage.store import ObjectStore
from services.stack.program import Program
from services.stack.servers import object_store
from tests.automatic.conftest import Shop
from tests.conftest import API_KEY, storage_settings


@pytest.fixture
async def other_store(shop: Shop, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    """A SeaweedFS that sends its events to the gateway of the shop."""
    configuration = tmp_path / ".seaweedfs" / "notification.toml"
    configuration.parent.mkdir()
    configuration.write_text(
        "[notification.webhook]\n"
        "enabled = true\n"
        f'endpoint = "{shop.client.make_url("/images/sources/events")}"\n'
        f'bearer_token = "{API_KEY}"\n'
        'path_prefixes = ["/buckets/images/source/"]\n'
    )
    server = object_store(tmp_path / "s3", tmp_path, os.environ | {"HOME": str(tmp_path)}, ("access", "secret-of-s3"))
    program = Program(replace(server.command, arguments=[*server.command.arguments, "-volume.max=20"]))
    program.start()
    store = ObjectStore(storage_settings(dict(server.settings), bucket="images"))
    try:
        async with asyncio.timeout(60):
            while not await is_there(store):
                await asyncio.sleep(0.2)
        yield store
    finally:
        await program.stop(grace_seconds=0.1)


async def is_there(store: ObjectStore) -> bool:
    """Create the bucket; returns False if the server has not started yet."""
    try:
        await store.ensure_bucket()
    except Exception:  # noqa: BLE001 - it is starting
        return False
    return True


async def test_what_is_put_into_seaweedfs_is_pending_soon(shop: Shop, other_store: ObjectStore) -> None:
    """Without a scan, and what is put elsewhere is not."""
    for key in ("target/a.png", f"source/{shop.directory}/grün 1.png"):
        await other_store.put(key, b"an image", content_type="image/png")
    async with asyncio.timeout(60):
        while not (found := await shop.resources.pending_sources.first(10)):
            await asyncio.sleep(0.1)
    assert [each.path for each in found] == [f"{shop.directory}/grün 1.png"]
