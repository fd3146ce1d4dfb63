"""When the client library sends a request again."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.client import AsyncClient, RequestRejectedError, ServerUnavailableError, transport

OK: dict[str, object] = {"path": "upload/0123456789ab", "size": 1, "sha256": "", "type": "PNG"}


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_RETRY_DELAYS", (0.0, 0.0))


@asynccontextmanager
async def server(*responses: Callable[[], web.Response]) -> AsyncIterator[tuple[AsyncClient, list[bytes]]]:
    """Run a server that gives *responses* in turn; the value is its client, and the bodies that it receives."""
    bodies: list[bytes] = []
    left = iter(responses)

    async def handle(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.read())
        return next(left)()

    app = web.Application(client_max_size=100_000)
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as running, AsyncClient(str(running.make_url(""))) as client:
        yield client, bodies


def unavailable(**headers: str) -> Callable[[], web.Response]:
    """Return what makes a response with status 503."""
    return lambda: web.json_response({"reason": "busy"}, status=503, headers=headers)


def fine() -> web.Response:
    """Return a successful response."""
    return web.json_response(OK)


async def test_a_repeatable_request_is_sent_again() -> None:
    """With its whole body."""
    async with server(unavailable(), unavailable(), fine) as (client, bodies):
        await client.sources.put("a.png", b"image")
    assert bodies == [b"image"] * 3


async def test_a_request_ends_with_the_reason_of_the_last_attempt() -> None:
    """After all attempts."""
    async with server(*[unavailable()] * 3) as (client, bodies):
        with pytest.raises(ServerUnavailableError, match="busy"):
            await client.sources.put("a.png", b"image")
    assert len(bodies) == 3


async def test_a_stream_is_sent_once() -> None:
    """What was read of it cannot be read again."""
    async with server(unavailable(), fine) as (client, bodies):
        with pytest.raises(ServerUnavailableError):
            await client.sources.put("a.png", io.BytesIO(b"image"))
    assert bodies == [b"image"]


async def test_a_rejected_request_is_sent_once() -> None:
    """The server would reject it again."""
    async with server(lambda: web.json_response({"reason": "no"}, status=400), fine) as (client, bodies):
        with pytest.raises(RequestRejectedError, match="no"):
            await client.sources.put("a.png", b"image")
    assert len(bodies) == 1


async def _delete(client: AsyncClient) -> object:
    await client.sources.delete("a.png")
    return None


async def _move(client: AsyncClient) -> object:
    await client.sources.move("a.png", "b.png")
    return None


@pytest.mark.parametrize("operation", [_delete, _move])
async def test_what_has_an_effect_is_repeated_only_if_it_was_refused(
    operation: Callable[[AsyncClient], Awaitable[object]],
) -> None:
    """Retry-After says that; other errors leave open what has happened."""
    async with server(unavailable(), fine) as (client, bodies):
        with pytest.raises(ServerUnavailableError):
            await operation(client)
    assert len(bodies) == 1
    async with server(unavailable(**{"Retry-After": "0"}), fine) as (client, bodies):
        await operation(client)
    assert len(bodies) == 2


async def test_an_upload_is_repeated_under_its_key() -> None:
    """The server carries it out once, and says so if the first one is still being carried out."""
    keys: list[str] = []
    in_progress = web.json_response({"reason": "in progress"}, status=409, headers={"Retry-After": "0"})
    answers = iter([web.json_response({}, status=500), in_progress, web.json_response(OK)])

    async def handle(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        return next(answers)

    app = web.Application()
    app.router.add_post("/images/upload", handle)
    async with TestServer(app) as running, AsyncClient(str(running.make_url(""))) as client:
        assert await client.upload("a.png", b"image") == OK["path"]
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_a_run_is_not_started_while_another_one_is_active() -> None:
    """That is the answer, not a failure."""
    async with server(unavailable(**{"Retry-After": "0"}), fine) as (client, bodies):
        with pytest.raises(ServerUnavailableError, match="busy"):
            await client.runs.start("products", [])
    assert len(bodies) == 1
