"""The images API's contract, and the judgement of an answer by it."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import yaml
from aiohttp import ClientResponse

from services.gateway.routes import IMAGES_BASES

FILE = Path(__file__).parents[2] / "openapi" / "images.yaml"
METHODS = {"get", "post", "put", "patch", "delete"}


class Operation(NamedTuple):
    """One operation of the document."""

    method: str
    path: str
    answers: Mapping[str, Any]


@cache
def document() -> dict[str, Any]:
    """Return the document as it is written."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


@cache
def operations() -> list[Operation]:
    """Return all operations; those with fewer parameters first, as the gateway prefers them."""
    found = [
        Operation(method.upper(), path, operation["responses"])
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    return sorted(found, key=lambda each: each.path.count("{"))


async def check_response(response: ClientResponse) -> None:
    """Raise AssertionError where *response* is one of the images API that the document does not allow."""
    path = response.url.raw_path
    if not path.startswith(("/content/", *(f"{base}/" for base in IMAGES_BASES))):
        return
    is_endless = response.content_type == "text/event-stream"
    body = b"" if is_endless else await response.read()
    check(response.method, path, response.status, response.headers, body)


def check(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise AssertionError where the document does not allow this answer to *method* and *path*."""
    what = f"{method} {path}: {status}"
    content_type = headers.get("Content-Type", "").partition(";")[0]
    operation = _find("GET" if method == "HEAD" else method, path)
    if operation is None:
        assert status in (404, 405), f"{what} for what the document does not have"
        content: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    else:
        assert str(status) in operation.answers, f"{what} is not in the document"
        answer = _resolve(operation.answers[str(status)])
        for name, header in answer.get("headers", {}).items():
            assert name in headers or not _resolve(header).get("required"), f"{what} has no header {name}"
        content = answer.get("content", {})
    if method == "HEAD" or (not content and not body):
        return
    assert content_type in content or f"{content_type.partition('/')[0]}/*" in content, f"{what} is {content_type}"
    if content_type == "application/json":
        schema = content[content_type]["schema"]
        errors = [f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in _faults(json.dumps(schema), body)]
        assert not errors, f"{what}: {errors}\n{body.decode()}"


def _find(method: str, path: str) -> Operation | None:
    long, short = IMAGES_BASES
    if path.startswith(f"{long}/"):
        path = short + path.removeprefix(long)
    fitting = (each for each in operations() if each.method == method and _pattern(each.path).fullmatch(path))
    return next(fitting, None)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    if path == "/content/{path}":
        return re.compile("/content/.+")
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "/?")


def _resolve(value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = document()
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _faults(schema: str, body: bytes) -> list[jsonschema_rs.ValidationError]:
    return list(_validator(schema).iter_errors(json.loads(body)))


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": document()["components"]})
