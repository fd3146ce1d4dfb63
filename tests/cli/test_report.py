"""`imageconverter report`: what the command sends."""

import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.testing.commands import run


@pytest.mark.parametrize(
    ("options", "shrunken"),
    [([], []), (["--accept-shrinkage"], ["products"]), (["--shrunken", "--type", "categories"], ["categories"])],
)
async def test_shrinkage_is_accepted_for_the_type_of_the_report(options: list[str], shrunken: list[str]) -> None:
    """Only if the option is given; its former name works as well."""
    bodies: list[Any] = []

    async def start(request: web.Request) -> web.Response:
        bodies.append(json.loads(await request.read()))
        return web.json_response({}, status=202)

    async def status(_request: web.Request) -> web.Response:
        return web.json_response({"running": False, "files": 0, "type": None, "failure": "It failed."})

    app = web.Application()
    app.router.add_post("/images/report", start)
    app.router.add_get("/images/report/status", status)
    async with TestServer(app) as server:
        done = await run("report", "run", *options, "--server", f"http://127.0.0.1:{server.port}")

    assert (done.status, done.err) == (1, "imageconverter: It failed.\n")
    assert bodies == [{"shrunken": shrunken}]
