"""`imageconverter report`: what the command sends and prints, against a simulated server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.testing.commands import run

ENDED = {"running": False, "files": 0, "type": "", "failure": ""}


@asynccontextmanager
async def serving(responses: dict[str, list[Any]], bodies: list[Any]) -> AsyncIterator[str]:
    """Serve *responses* ("GET /path": the responses in order, the last one repeatedly); record JSON in *bodies*."""

    async def respond(request: web.Request) -> web.Response:
        if body := await request.read():
            bodies.append(json.loads(body))
        remaining = responses[f"{request.method} {request.path}"]
        return web.json_response(remaining.pop(0) if len(remaining) > 1 else remaining[0])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("options", "shrunken"),
    [([], []), (["--accept-shrinkage"], ["products"]), (["--shrunken", "--type", "categories"], ["categories"])],
)
async def test_shrinkage_is_accepted_for_the_type_of_the_report(options: list[str], shrunken: list[str]) -> None:
    """Only if the option is given; its former name works as well."""
    responses = {"POST /images/report": [{}], "GET /images/report/status": [{**ENDED, "failure": "It failed."}]}
    bodies: list[Any] = []
    async with serving(responses, bodies) as server:
        done = await run("report", "run", *options, "--server", server)

    assert (done.status, done.err) == (1, "imageconverter: It failed.\n")
    assert bodies == [{"shrunken": shrunken}]


async def test_a_type_without_a_catalog_is_an_error() -> None:
    """The scan makes reports of the other types, so it does not fail."""
    responses = {
        "POST /images/report": [{}],
        "GET /images/report/status": [ENDED],
        "GET /images/catalog/categories": [{"version": "", "lastImport": {"id": "", "failure": ""}}],
    }
    async with serving(responses, []) as server:
        done = await run("report", "run", "--type", "categories", "--server", server)

    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "imageconverter: there is no catalog of categories; "
        "import one with: imageconverter catalog import FILE --type categories\n"
    )
