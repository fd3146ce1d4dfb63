"""Requests with an `Idempotency-Key`, by draft-ietf-httpapi-idempotency-key-header, on the real stack."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.images import uploads
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from services.gateway.idempotency import once, store
from services.gateway.idempotency.store import ResponseStore
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL, finished, put_sources

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("worker", "no_run")

UPLOAD, CONVERT, START = "/images/upload", "/images/upload/convert", "/images/convert/start"
IMAGE = base64.b64encode(image_files.png()).decode()
BODY = {"fileName": "a.png", "formats": [THUMBNAIL], "imageData": IMAGE}


@pytest.fixture
def key() -> str:
    """A key that no other test has."""
    return uuid4().hex


@pytest.fixture
def dead_gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A gateway that dies after it has carried out a request and before it stores the response, until undone."""

    async def die(*_: Any) -> None:
        pass

    monkeypatch.setattr(store, "LEASE_SECONDS", 0.6)
    with monkeypatch.context() as patch:
        patch.setattr(ResponseStore, "finish", die)
        yield patch


async def send(client: Client, path: str, key: str, body: Any, **headers: str) -> tuple[int, Any, bool]:
    """Send a request; returns status, body, and whether the response was a stored one."""
    data = body if isinstance(body, (bytes, FormData)) else json.dumps(body).encode()
    async with client.post(path, data=data, headers={**ADMIN, "Idempotency-Key": key, **headers}) as response:
        return response.status, await response.json(), "Idempotency-Replayed" in response.headers


async def directories(resources: Resources) -> set[str]:
    """Return the directories of all uploads."""
    prefix = keys.source(f"{keys.UPLOADS}/")
    found = [stored.key async for page in resources.store.list(prefix) for stored in page]
    return {key.rpartition("/")[0] for key in found}


@pytest.mark.parametrize("path", [UPLOAD, CONVERT])
async def test_a_repeated_upload_is_made_once(gateway: Client, resources: Resources, key: str, path: str) -> None:
    """The same response comes again."""
    before = await directories(resources)
    first = await send(gateway, path, key, BODY)
    again = await send(gateway, path, f'"{key}"', BODY)  # as the draft writes it

    assert (first[0], first[2]) == (200, False)
    assert again == (*first[:2], True)
    assert len(await directories(resources) - before) == 1


async def test_a_repeated_form_is_made_once(gateway: Client, resources: Resources, key: str) -> None:
    """It is compared while it arrives, but for its boundary, which aiohttp makes anew."""

    def form(name: str) -> FormData:
        data = FormData()
        data.add_field("file", image_files.png(), filename=name)
        return data

    before = await directories(resources)
    first = await send(gateway, UPLOAD, key, form("a.png"))

    assert await send(gateway, UPLOAD, key, form("a.png")) == (*first[:2], True)
    assert (await send(gateway, UPLOAD, key, form("b.png")))[0] == 422
    assert len(await directories(resources) - before) == 1


async def test_a_repeated_start_starts_one_run(gateway: Client, resources: Resources, key: str) -> None:
    """Also when the first one has ended."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    body = {"source": "directory", "directory": directory, "formatList": [THUMBNAIL]}
    first = await send(gateway, START, key, body)
    await finished(gateway)

    assert await send(gateway, START, key, body) == (*first[:2], True)
    assert len(await resources.runs.history()) == 1


@pytest.mark.parametrize(
    ("path", "body"), [(UPLOAD, {**BODY, "fileName": "b.png"}), (f"{UPLOAD}?directory=upload/0", BODY), (START, BODY)]
)
async def test_another_request_with_the_key_is_refused(gateway: Client, key: str, path: str, body: Any) -> None:
    """With another body, query or path."""
    await send(gateway, UPLOAD, key, BODY)
    status, response, _ = await send(gateway, path, key, body)

    assert (status, response["error"], response["field"]) == (422, "Unprocessable Entity", "Idempotency-Key")


@pytest.mark.parametrize("invalid", ["", "ä", "x" * 256, "a b", '"a', '"a"b"'])
async def test_an_invalid_key_is_refused(gateway: Client, invalid: str) -> None:
    """Instead of being ignored: the client relies on it."""
    status, response, _ = await send(gateway, UPLOAD, invalid, BODY)

    assert (status, response["field"]) == (400, "Idempotency-Key")


async def test_a_key_belongs_to_its_sender(
    make_settings: MakeSettings, resources: Resources, key: str, tmp_path: Any
) -> None:
    """Another API key with the same idempotency key sends another request."""
    file = tmp_path / "keys.toml"
    file.write_text(key_entry("shop", "key-of-the-shop", ["images.publish"]))
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=file, wait_seconds=20))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        first = await send(client, UPLOAD, key, BODY)
        other = await send(client, UPLOAD, key, BODY, Authorization="Bearer key-of-the-shop")

    assert (other[0], other[2]) == (200, False)
    assert other[1] != first[1]


async def test_a_request_in_progress_is_not_carried_out_twice(
    gateway: Client, resources: Resources, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one is asked to come back."""
    arrived, go_on, stage = asyncio.Event(), asyncio.Event(), uploads.stage

    async def slow(*args: Any, **options: Any) -> str:
        arrived.set()
        await go_on.wait()
        return await stage(*args, **options)

    monkeypatch.setattr(uploads, "stage", slow)
    before = await directories(resources)
    first = asyncio.create_task(send(gateway, UPLOAD, key, BODY))
    await arrived.wait()
    async with gateway.post(UPLOAD, data=json.dumps(BODY), headers={**ADMIN, "Idempotency-Key": key}) as response:
        assert response.status == 409
        assert int(response.headers["Retry-After"]) >= 1
    go_on.set()

    assert (await first)[0] == 200
    assert (await send(gateway, UPLOAD, key, BODY))[2]
    assert len(await directories(resources) - before) == 1


async def test_an_invalid_request_can_be_corrected(gateway: Client, key: str) -> None:
    """Nothing was done with the key."""
    assert (await send(gateway, UPLOAD, key, {**BODY, "formats": []}))[0] == 400

    assert (await send(gateway, UPLOAD, key, BODY))[0] == 200


async def test_a_request_that_failed_continues_where_it_was(
    gateway: Client, resources: Resources, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same directory."""
    stage, before = uploads.stage, await directories(resources)

    async def fail(*args: Any, **options: Any) -> str:
        await stage(*args, **options)
        raise StoreUnavailable("The object store is unavailable.")

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "stage", fail)
        assert (await send(gateway, UPLOAD, key, BODY))[0] == 503
    status, response, is_stored = await send(gateway, UPLOAD, key, BODY)

    assert (status, is_stored) == (200, False)
    assert await directories(resources) - before == {keys.source(response["path"])}


async def test_a_start_survives_the_death_of_its_gateway(
    gateway: Client, resources: Resources, key: str, dead_gateway: pytest.MonkeyPatch
) -> None:
    """The run is found by its id, and no other is started."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    body = {"source": "directory", "directory": directory, "formatList": [THUMBNAIL]}
    await send(gateway, START, key, body)
    await finished(gateway)
    assert (await send(gateway, START, key, body))[0] == 409
    dead_gateway.undo()
    async with asyncio.timeout(20):
        while (response := await send(gateway, START, key, body))[0] == 409:
            await asyncio.sleep(0.1)

    assert (response[0], response[1]["status"]) == (200, "finished")
    assert len(await resources.runs.history()) == 1


async def test_an_upload_survives_the_death_of_its_gateway(
    gateway: Client, resources: Resources, key: str, dead_gateway: pytest.MonkeyPatch
) -> None:
    """The repeated one replaces its images."""
    before = await directories(resources)
    first = await send(gateway, UPLOAD, key, BODY)
    dead_gateway.undo()
    async with asyncio.timeout(20):
        while (again := await send(gateway, UPLOAD, key, BODY))[0] == 409:
            await asyncio.sleep(0.1)

    assert again[:2] == first[:2]
    assert len(await directories(resources) - before) == 1


async def test_a_large_response_is_not_stored(
    gateway: Client, resources: Resources, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is carried out again, with the same ids."""
    monkeypatch.setattr(once, "MAX_BODY_BYTES", 10)
    before = await directories(resources)
    first = await send(gateway, UPLOAD, key, BODY)

    assert await send(gateway, UPLOAD, key, BODY) == first
    assert len(await directories(resources) - before) == 1


async def test_responses_are_kept_for_a_day(gateway: Client, resources: Resources, key: str) -> None:
    """Redis deletes them then; without a key there is nothing to delete."""
    pattern = keys.idempotent_request("*")
    before = {each async for each in resources.redis.scan_iter(pattern)}
    await send(gateway, UPLOAD, key, BODY)
    await gateway.post(UPLOAD, data=json.dumps(BODY), headers=ADMIN)
    (record,) = {each async for each in resources.redis.scan_iter(pattern)} - before

    assert 86_000 < await resources.redis.ttl(record) <= 86_400
