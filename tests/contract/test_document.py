"""The documents in `openapi/` are valid, complete, and what the gateway serves."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from aiohttp.test_utils import TestClient
from openapi_spec_validator import validate

from services.gateway.imageconverter_api.errors import Code
from services.gateway.images_api.run_responses import RunStateResponse
from services.gateway.routes import IMAGECONVERTER, IMAGECONVERTER_BASE, IMAGES, LOGIN, PLAIN, routes
from tests.conftest import ADMIN
from tests.testing import openapi_document
from tests.testing.openapi_document import CONTRACTS, METHODS, Contract, Operation

EACH = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.file.stem)
JSON = {"Content-Type": "application/json"}


@EACH
def test_the_document_is_valid(contract: Contract) -> None:
    """By the rules of OpenAPI 3.1."""
    validate(contract.document)


def test_the_document_lists_exactly_the_routes() -> None:
    """The images API under its short base path, login, monitoring and images, but not the documents themselves."""
    others = [each for each in (*LOGIN, *PLAIN) if not each.path.startswith("/openapi/")]
    routed = {(*each.methods, f"/images{each.path}") for each in IMAGES}
    routed |= {(*each.methods, each.path) for each in others}
    routed = {(method, path.replace(":.+", "")) for method, path in routed}

    assert {(each.method, each.path) for each in openapi_document.IMAGES.operations} == routed


def test_the_document_lists_exactly_the_operations() -> None:
    """The ImageConverter API, with each HTTP method."""
    routed = {
        (method, IMAGECONVERTER_BASE + each.path)
        for each in IMAGECONVERTER
        for method in each.methods
        if method.lower() in METHODS
    }

    assert {(each.method, each.path) for each in openapi_document.IMAGECONVERTER.operations} == routed


def test_the_document_lists_every_code() -> None:
    """Except the codes of features that this server does not implement."""
    text = openapi_document.IMAGECONVERTER.file.read_text()

    for code in set(Code) - {Code.NO_SUCH_OPERATION, Code.NO_SUCH_METHOD}:
        assert re.search(rf"\b{code:d}\b", text), code


@EACH
def test_every_error_has_the_same_schema(contract: Contract) -> None:
    """Generated clients have one class for all errors, also for requests that come too often."""
    seen = {schema for each in contract.operations for schema in _error_schemas(each)}

    assert all("429" in each.responses for each in contract.operations if not each.path.startswith("/health/"))
    assert len(seen) == 1, seen


@EACH
def test_every_body_has_a_schema(contract: Contract) -> None:
    """Generated clients drop a download without one."""
    assert all("schema" in media for media in _media(contract.document))


def test_both_base_paths_are_servers() -> None:
    """Each base path joined with a documented path is a route."""
    served = {(route.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)) for route in routes()}
    for server in openapi_document.IMAGES.document["servers"]:
        for each in IMAGES:
            path = each.path.replace(":.+", "")
            assert (*each.methods, f"{server['url'].rstrip('/')}/images{path}") in served


@EACH
def test_every_example_matches_its_schema(contract: Contract) -> None:
    """Examples of request and response bodies."""
    seen, components = 0, contract.document["components"]
    for media in _media(contract.document):
        schema = jsonschema_rs.Draft202012Validator({**media.get("schema", {}), "components": components})
        examples = [media["example"]] if "example" in media else []
        named = [each["$ref"].rpartition("/")[2] for each in media.get("examples", {}).values()]
        for example in examples + [components["examples"][name]["value"] for name in named]:
            schema.validate(example)
            seen += 1

    assert seen >= 12


@EACH
async def test_the_document_is_served_unchanged(gateway: TestClient[Any, Any], contract: Contract) -> None:
    """Byte by byte, without authentication."""
    async with gateway.get(f"/openapi/{contract.file.name}") as response:
        assert response.status == 200
        assert response.content_type == "application/yaml"
        assert await response.read() == contract.file.read_bytes()


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
def test_an_undocumented_response_of_the_images_api_fails(
    method: str, path: str, status: int, headers: dict[str, str], body: Any
) -> None:
    """A wrong status, type, key, value or header."""
    with pytest.raises(AssertionError):
        openapi_document.IMAGES.check(method, path, status, headers, json.dumps(body).encode())


ANSWER: dict[str, Any] = {"code": 4001, "message": "It is."}


@pytest.mark.parametrize(
    ("method", "path", "status", "headers", "body"),
    [
        ("GET", "/imageconverter/getImage/a/auto", 200, JSON, {}),
        ("GET", "/imageconverter/getImage/a/auto/b", 200, {"Content-Type": "image/png"}, ""),
        ("GET", "/imageconverter/getImage/a/auto", 400, JSON, {**ANSWER, "code": 4010}),
        ("GET", "/imageconverter/getKeys", 401, JSON, {**ANSWER, "code": 4010}),
        ("GET", "/imageconverter/getKeys", 200, JSON, {"keys": ["a b"]}),
        ("GET", "/imageconverter/getKeyCount", 200, JSON, {"count": None}),
        ("GET", "/imageconverter/getKeyCount", 400, JSON, {"error": "Bad Request", "reason": "It is."}),
        ("GET", "/imageconverter/getMetadata/a", 200, JSON, {"Header": {}}),
        ("GET", "/imageconverter/", 200, JSON, ""),
        ("PUT", "/imageconverter/getKeys", 405, JSON, {"error": "Method Not Allowed", "reason": "It is."}),
        ("POST", "/imageconverter/nothing", 200, JSON, ANSWER),
    ],
)
def test_an_undocumented_response_of_the_imageconverter_api_fails(
    method: str, path: str, status: int, headers: dict[str, str], body: Any
) -> None:
    """A wrong status, type, key, value or header."""
    with pytest.raises(AssertionError):
        openapi_document.IMAGECONVERTER.check(method, path, status, headers, json.dumps(body).encode())


async def test_every_response_in_the_tests_is_checked(
    gateway: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A response with an undocumented key fails the test."""
    monkeypatch.setattr(RunStateResponse, "to_json", lambda _body: json.dumps({"surprise": 1}))

    with pytest.raises(AssertionError, match="surprise"):
        await gateway.get("/images/convert/status", headers=ADMIN)


def _error_schemas(operation: Operation) -> Iterator[str]:
    for status, response in operation.responses.items():
        if status.startswith("4"):
            [published, _] = response["content"]["application/json"]["schema"]["allOf"]
            yield published["$ref"]


def _media(part: Any) -> list[dict[str, Any]]:
    """Return every media type object of the document."""
    if isinstance(part, list):
        return [found for each in part for found in _media(each)]
    if not isinstance(part, dict):
        return []
    own = list(part["content"].values()) if isinstance(part.get("content"), dict) else []
    return own + [found for each in part.values() for found in _media(each)]
