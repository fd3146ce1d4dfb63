"""`imageconverter report`: what the command sends and prints, against a simulated server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.testing.commands import run

ENDED = {"running": False, "files": 0, "type": "", "failure": ""}


@asynccontextmanager
async def serving(responses: dict[str, list[Any]], bodies: list[Any]) -> AsyncIterator[str]:
    """Serve *responses* ("GET /path?query": in order, the last one repeatedly); record JSON in *bodies*."""

    async def respond(request: web.Request) -> web.Response:
        if body := await request.read():
            bodies.append(json.loads(body))
        remaining = responses[f"{request.method} {request.path_qs}"]
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
    responses: dict[str, list[Any]] = {
        "POST /images/report": [{}],
        "GET /images/report/status": [{**ENDED, "failure": "It failed."}],
    }
    bodies: list[Any] = []
    async with serving(responses, bodies) as server:
        done = await run("report", "run", *options, "--server", server)

    assert (done.status, done.err) == (1, "imageconverter: It failed.\n")
    assert bodies == [{"shrunken": shrunken}]


async def test_a_type_without_a_catalog_is_an_error() -> None:
    """The scan makes reports of the other types, so it does not fail."""
    responses: dict[str, list[Any]] = {
        "POST /images/report": [{}],
        "GET /images/report/status": [ENDED],
        "GET /images/catalog/categories?import=": [{"version": "", "lastImport": {"id": "", "failure": ""}}],
    }
    async with serving(responses, []) as server:
        done = await run("report", "run", "--type", "categories", "--server", server)

    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "imageconverter: there is no catalog of categories; "
        "import one with: imageconverter catalog import FILE --type categories\n"
    )


async def test_progress_is_printed_as_not_final() -> None:
    """The last number that is polled may be lower than that of the report."""
    running = {"running": True, "files": 4, "type": "products", "failure": ""}
    responses: dict[str, list[Any]] = {
        "POST /images/report": [{}],
        "GET /images/report/status": [running, {**ENDED, "failure": "x"}],
    }
    async with serving(responses, []) as server:
        done = await run("report", "run", "--server", server)

    assert done.out == "products: 4 files scanned so far\n"


@pytest.mark.parametrize(
    ("converting", "without_source", "line"),
    [
        (1, 1, "2 missing images: converting 1 source, no source for 1 image"),
        (2, 0, "2 missing images: converting 2 sources"),
        (0, 2, "2 missing images: converting 0 sources, no source for 2 images"),
    ],
)
async def test_a_repair_is_summarized_in_a_line(converting: int, without_source: int, line: str) -> None:
    """The missing images, those converted and those without a source."""
    result = {"report": 1, "missing": 2, "converting": converting, "withoutSource": without_source, "more": False}
    async with serving({"POST /images/report/products/repair": [result]}, []) as server:
        done = await run("report", "repair", "--server", server)

    assert done == (0, f"{line}\n", "")


async def test_an_empty_trash_is_a_line() -> None:
    """The exit status is 0."""
    async with serving({"GET /images/report/trash": [{"items": []}]}, []) as server:
        assert await run("report", "trash", "--server", server) == (0, "the trash is empty\n", "")


async def test_all_invalid_lines_of_a_catalog_are_printed(tmp_path: Path) -> None:
    """Each on a line of its own, with control characters escaped."""
    catalog = tmp_path / "shop.ndjson"
    catalog.write_text("{}")
    lines = [
        {"line": 3, "field": "id", "reason": "is missing."},
        {"line": 7, "field": "", "reason": 'is "\u001b[31m".'},
    ]
    failed = {"version": "", "lastImport": {"id": "1", "failure": "Line 3, id: is missing.", "lines": lines}}
    responses: dict[str, list[Any]] = {
        "PUT /images/catalog/products?as=ndjson": [{"id": "1"}],
        "GET /images/catalog/products?import=1": [failed],
    }
    async with serving(responses, []) as server:
        done = await run("catalog", "import", str(catalog), "--server", server)

    assert (done.status, done.err) == (2, 'imageconverter: Line 3, id: is missing.\nLine 7: is "\\x1b[31m".\n')
