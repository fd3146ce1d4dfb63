"""The store by credentials that may use one bucket and make none: what docs/servers.md says that a role needs."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.settings import StorageSettings
from imageconverter.storage.store import ObjectStore
from services.stack.program import Program
from services.stack.servers import object_store

pytestmark = pytest.mark.servers

BUCKET = "scoped-bucket"
ACTIONS = ("Read", "Write", "List", "Tagging")  # SeaweedFS's words


def identity(name: str, actions: list[str]) -> dict[str, object]:
    """Return an identity that may do *actions*."""
    keys = {"accessKey": name, "secretKey": f"secret of {name}"}
    return {"name": name, "credentials": [keys], "actions": actions}


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[StorageSettings]:
    """Of a store with a bucket, by credentials for that bucket alone."""
    scoped = identity("scoped", [f"{action}:{BUCKET}" for action in ACTIONS])
    config = tmp_path / "s3.json"
    config.write_text(json.dumps({"identities": [identity("admin", ["Admin"]), scoped]}))
    server = object_store(tmp_path / "s3", tmp_path, dict(os.environ), ("unused", "unused"))
    environment = {k: v for k, v in server.command.environment.items() if not k.startswith("AWS_")}
    arguments = [*server.command.arguments, f"-s3.config={config}"]
    program = Program(replace(server.command, arguments=arguments, environment=environment))
    program.start()
    try:
        endpoint = server.settings["IMAGECONVERTER_S3_ENDPOINT"]
        admin = StorageSettings(endpoint=endpoint, bucket=BUCKET, access_key="admin", secret_key="secret of admin")
        async with asyncio.timeout(30):
            while True:
                try:
                    await ObjectStore(admin).ensure_bucket()
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.2)
        yield StorageSettings(endpoint=endpoint, bucket=BUCKET, access_key="scoped", secret_key="secret of scoped")
    finally:
        await program.stop(grace_seconds=0.1)  # its data are not needed any more


async def test_every_verb_works_in_the_own_bucket(settings: StorageSettings) -> None:
    """Parts of large objects and their clean-up as well."""
    store = ObjectStore(settings)
    large = bytes(33 * 1024 * 1024)

    await store.ensure_bucket()
    assert await store.availability() == "up"
    await store.put("source/a.jpg", b"image", content_type="image/jpeg", metadata={"made-of": "0f"})
    await store.put("source/large.tif", large, content_type="image/tiff")
    assert await store.create("source/b.jpg", b"b", content_type="image/jpeg")
    assert await store.copy("source/a.jpg", "target/a.jpg")
    loaded, head = await store.get("source/large.tif"), await store.head("target/a.jpg")
    assert loaded is not None
    assert len(loaded.data) == len(large)
    assert head is not None
    listed = [stored.key async for page in store.list("source/") for stored in page]
    assert listed == ["source/a.jpg", "source/b.jpg", "source/large.tif"]
    await store.delete(listed)
    assert await store.head("source/a.jpg") is None
    assert await store.abort_unfinished(datetime.now(UTC)) == 0


async def test_nothing_works_in_another_bucket(settings: StorageSettings) -> None:
    """It is not made either."""
    other = ObjectStore(settings.model_copy(update={"bucket": "another-bucket"}))

    with pytest.raises(StoreUnavailable):
        await other.ensure_bucket()
    with pytest.raises(StoreUnavailable):
        await other.put("a", b"a", content_type="text/plain")
