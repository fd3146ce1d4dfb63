"""`openapi/images.yaml` is valid, complete, and what the gateway serves."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from aiohttp.test_utils import TestClient
from openapi_spec_validator import validate

from services.gateway.routes import IMAGES, routes
from tests.conftest import ADMIN
from tests.contract.document import FILE, check, document, operations

JSON = {"Content-Type": "application/json"}


def test_the_document_is_valid() -> None:
    """By the rules of OpenAPI 3.1."""
    validate(document())


def test_the_document_has_every_route_and_no_other() -> None:
    """The images API below its short base, and the pictures whose addresses it hands out."""
    routed = {(method, f"/images{path}") for method, path, _ in IMAGES} | {("GET", "/content/{path}")}

    assert {(each.method, each.path) for each in operations()} == routed


def test_both_bases_are_servers() -> None:
    """Each of them with a path of the document is a route."""
    served = {(route.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)) for route in routes()}
    for server in document()["servers"]:
        for method, path, _ in IMAGES:
            assert (method, f"{server['url'].rstrip('/')}/images{path}") in served


def test_every_example_fits_its_schema() -> None:
    """Of bodies and of answers, wherever one is given."""
    seen, components = 0, document()["components"]
    for media in _media(document()):
        schema = jsonschema_rs.Draft202012Validator({**media.get("schema", {}), "components": components})
        examples = [media["example"]] if "example" in media else []
        named = [each["$ref"].rpartition("/")[2] for each in media.get("examples", {}).values()]
        for example in examples + [components["examples"][name]["value"] for name in named]:
            schema.validate(example)
            seen += 1

    assert seen > 20


async def test_the_document_is_served_as_it_is(gateway: TestClient[Any, Any]) -> None:
    """Byte by byte, to everybody."""
    async with gateway.get("/openapi/images.yaml") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/yaml"
        assert await answer.read() == FILE.read_bytes()


ERROR: dict[str, Any] = {"error": "Bad Request", "type": "missing", "reason": "It is.", "field": "formats"}
UNAVAILABLE = {"error": "Service Unavailable", "type": "internalError", "reason": "It is."}


@pytest.mark.parametrize(
    ("method", "path", "status", "headers", "body"),
    [
        ("POST", "/images/upload", 200, JSON, {"path": "upload/c14cb01ea580"}),
        ("POST", "/images/upload", 200, JSON, {"path": "upload/c14cb01ea580", "size": 1, "more": 1}),
        ("POST", "/images/upload/", 500, JSON, ERROR),
        ("POST", "/images/upload", 400, {"Content-Type": "text/plain"}, ERROR),
        ("POST", "/images/upload", 400, JSON, {**ERROR, "type": "unheardOf"}),
        ("POST", "/admin/api/v1/images/convert/start", 400, JSON, ERROR),
        ("POST", "/images/convert/start", 503, JSON, UNAVAILABLE),
        ("GET", "/images/convert/results", 200, JSON, {"items": [{"duration": 0}]}),
        ("GET", "/images/nothing", 200, JSON, {}),
        ("GET", "/images/nothing", 404, JSON, {"message": "Not found."}),
        ("GET", "/content/a/b.png", 200, {"Content-Type": "image/png"}, ""),
    ],
)
def test_an_answer_that_is_not_in_the_document_is_noticed(
    method: str, path: str, status: int, headers: dict[str, str], body: Any
) -> None:
    """A wrong status, type, key, value or header."""
    with pytest.raises(AssertionError):
        check(method, path, status, headers, json.dumps(body).encode())


async def test_every_answer_in_the_tests_is_judged(
    gateway: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that answers one key too many fails the test that asks it."""
    monkeypatch.setattr("services.gateway.conversions.NO_RUN", {"surprise": 1})
    monkeypatch.setattr("services.gateway.conversions.run_status", lambda _status: {"surprise": 1})

    with pytest.raises(AssertionError, match="surprise"):
        await gateway.get("/images/convert/status", headers=ADMIN)


def _media(part: Any) -> list[dict[str, Any]]:
    """Return every object of the document that says what a body of one content type is like."""
    if isinstance(part, list):
        return [found for each in part for found in _media(each)]
    if not isinstance(part, dict):
        return []
    own = list(part["content"].values()) if isinstance(part.get("content"), dict) else []
    return own + [found for each in part.values() for found in _media(each)]
