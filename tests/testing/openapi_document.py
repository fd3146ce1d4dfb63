"""The OpenAPI documents of the two APIs, and validation of responses by them."""

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache, cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import yaml
from aiohttp import ClientResponse

from services.gateway.http.status_names import status_name
from services.gateway.routes import IMAGECONVERTER_BASE, IMAGES_BASES

FOLDER = Path(__file__).parents[2] / "openapi"
_GZIP = b"\x1f\x8b"
METHODS = {"get", "post", "put", "patch", "delete"}

# The patterns of path parameters; all others match anything without a slash.
_PARAMETERS = {"path": ".+", "item": ".+", "imageKey": "[^/]*", "requestFormat": ".*"}


class Operation(NamedTuple):
    """An operation of a document."""

    id: str
    tag: str
    method: str
    path: str
    responses: Mapping[str, Any]


class Contract:
    """A document and the paths to which it applies."""

    def __init__(self, name: str, *, bases: Sequence[str], error: str, unknown: Sequence[int] = (404, 405)) -> None:
        """Read `openapi/<name>`, whose paths begin with the last of *bases*; the other base paths are aliases.

        Undocumented paths get a status of *unknown* and the schema named *error*.
        """
        self.file = FOLDER / name
        self.document: dict[str, Any] = yaml.load(self.file.read_bytes(), yaml.CSafeLoader)
        self._bases = bases
        self._error = error
        self._unknown = unknown

    @cached_property
    def strict(self) -> dict[str, Any]:
        """The document with an own schema for each error response: with its status and its list of types or codes.

        The published schema is the same for all errors, because clients are generated from it.
        """
        strict = deepcopy(self.document)
        for item in strict["paths"].values():
            for method in METHODS & item.keys():
                responses = item[method]["responses"]
                for status, response in responses.items():
                    responses[status] = self._strict_response(int(status), self._resolve(response))
        return strict

    @cached_property
    def operations(self) -> list[Operation]:
        """All operations of the strict document; fixed paths first, then those with the longest fixed beginning."""
        found = [
            Operation(operation["operationId"], operation["tags"][0], method.upper(), path, operation["responses"])
            for path, item in self.strict["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        ]
        return sorted(found, key=lambda each: ("{" in each.path, -len(each.path.partition("{")[0])))

    def is_about(self, path: str) -> bool:
        """Whether this document applies to *path*."""
        is_below = f"{path}/".startswith(tuple(f"{base}/" for base in self._bases))
        return is_below or any(self._find(method.upper(), path) is not None for method in METHODS)

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Raise AssertionError if the document does not allow this response to *method* and *path*."""
        what = f"{method} {path}: {status}"
        content_type = headers.get("Content-Type", "").partition(";")[0]
        operation = self._find("GET" if method == "HEAD" and status != 405 else method, path)
        if method == "OPTIONS" and status == HTTPStatus.NO_CONTENT:  # of every path, though not documented for each
            assert "Allow" in headers, f"{what} has no header Allow"
            assert not body, f"{what} has a body"
            return
        if operation is None:
            assert status in self._unknown, f"{what} for what the document does not have"
            schema = {"$ref": f"#/components/schemas/{self._error}"}
            content: dict[str, Any] = {"application/json": {"schema": schema}}
        else:
            assert str(status) in operation.responses, f"{what} is not in the document"
            response = operation.responses[str(status)]
            for name, header in response.get("headers", {}).items():
                required = self._resolve(header).get("required")
                assert name in headers or not required, f"{what} has no header {name}"
            content = response.get("content", {})
        if method == "HEAD" or (not content and not body):
            return
        any_of_type = f"{content_type.partition('/')[0]}/*"
        assert content_type in content or any_of_type in content, f"{what} is {content_type}"
        if content_type == "application/json":
            validator = self._validator(json.dumps(content[content_type]["schema"]))
            faults = validator.iter_errors(json.loads(body))
            errors = [f"{'/'.join(map(str, fault.instance_path))}: {fault.message}" for fault in faults]
            assert not errors, f"{what}: {errors}\n{body.decode()}"

    def check_webhook(self, body: bytes | str) -> Any:
        """Return the event in *body*; raises AssertionError if the document does not have it."""
        event = json.loads(body)
        media = self.document["webhooks"][event["type"]]["post"]["requestBody"]["content"]["application/json"]
        validator = self._validator(json.dumps(media["schema"]))
        assert [fault.message for fault in validator.iter_errors(event)] == []
        return event

    def _find(self, method: str, path: str) -> Operation | None:
        *others, base = self._bases
        for other in others:
            if path.startswith(f"{other}/"):
                path = base + path.removeprefix(other)
        fitting = (each for each in self.operations if each.method == method and _pattern(each.path).fullmatch(path))
        return next(fitting, None)

    def _strict_response(self, status: int, response: dict[str, Any]) -> dict[str, Any]:
        media = response.get("content", {}).get("application/json", {})
        match media.get("schema", {}).get("$ref", "").removeprefix("#/components/schemas/"):
            case "Error":
                types = response.get("x-error-types", [None])
                fields: dict[str, Any] = {"error": {"const": status_name(status)}, "type": {"enum": types}}
                required = [] if None in types else ["type"]
            case "Answer" if "x-codes" in response:
                fields, required = {"code": {"enum": response["x-codes"]}}, []
            case _:
                return response
        schema = {"allOf": [media["schema"], {"properties": fields, "required": required}]}
        return {**response, "content": {"application/json": {**media, "schema": schema}}}

    def _resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in value:
            return value
        found: Any = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)

    @cache  # noqa: B019 - there are two of these, and they live as long as the tests
    def _validator(self, schema: str) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": self.document["components"]})


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", lambda found: _PARAMETERS.get(found[1], "[^/]+"), path) + "/?")


IMAGES = Contract("images.yaml", bases=IMAGES_BASES, error="Error")
# With strict errors, the status of every error is 500.
IMAGECONVERTER = Contract("imageconverter.yaml", bases=[IMAGECONVERTER_BASE], error="Answer", unknown=(404, 405, 500))
CONTRACTS = (IMAGES, IMAGECONVERTER)


async def check_response(response: ClientResponse) -> None:
    """Raise AssertionError if the document of its API does not allow *response*."""
    path = response.url.raw_path
    contract = next((each for each in CONTRACTS if each.is_about(path)), None)
    if contract is None:
        return
    is_endless = response.content_type == "text/event-stream"
    body = b"" if is_endless else await response.read()
    if body.startswith(_GZIP) and response.headers.get("Content-Encoding") == "gzip":  # a client that leaves it so
        body = gzip.decompress(body)
    contract.check(response.method, path, response.status, response.headers, body)
