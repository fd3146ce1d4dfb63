"""JSON responses. The shape of an error of the images API is defined here and nowhere else."""

import json
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, Self, TypeVar, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from imageconverter.errors import BrokenLine, ErrorCode, ImageConverterError, TooManyAttempts
from services.gateway.http.status_names import status_name

_MAX_JITTER_SECONDS = 3
_INSTANT_BYTES = 32 * 1024  # compressed within a millisecond, so not in a thread

Item = TypeVar("Item", bound="ResponseModel")

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
NonEmpty = Annotated[str, Field(min_length=1)]


def format_timestamp(at: datetime) -> str:
    """Return *at* as the API writes it: UTC with milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


Timestamp = Annotated[datetime, PlainSerializer(format_timestamp), Field(json_schema_extra={"format": "date-time"})]


class ResponseModel(BaseModel):
    """The body of a JSON response; its keys are the names of the fields in camel case.

    The OpenAPI documents contain its schema, with the docstrings of class and fields.
    """

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
        json_schema_extra={"additionalProperties": False},
    )

    def to_json(self) -> str:
        """Return the body on one line, with non-ASCII characters escaped."""
        return json.dumps(self.model_dump())


class Items(ResponseModel, Generic[Item]):
    """A list."""

    items: tuple[Item, ...]


def _is_none(value: object) -> bool:
    return value is None


def optional(alias: str | None = None) -> Any:
    """Return the definition of a field that is omitted from the response if it is None; *alias* is its key."""
    return Field(default=None, exclude_if=_is_none, alias=alias)


class EmptyResponse(ResponseModel):
    """An object without keys."""


class InvalidLine(ResponseModel):
    """An invalid line of a catalog."""

    line: Positive
    field: str
    """The field, column or image in the line; empty if it is the whole line."""
    reason: NonEmpty

    @classmethod
    def of(cls, error: BrokenLine) -> Self:
        """Return *error* as a part of a response."""
        return cls(line=error.line, field=error.place, reason=error.problem)


class Error(ResponseModel):
    """The body of an error response."""

    error: str
    """The name of the status."""
    type: Annotated[str, Field(json_schema_extra={"enum": [*filter(None, get_args(ErrorCode))]})] | None = optional()
    """For programs. Several errors have none."""
    reason: NonEmpty
    """An English sentence for people."""
    field: NonEmpty | None = optional()
    """The invalid field or parameter."""
    lines: Annotated[tuple[InvalidLine, ...], Field(max_length=100)] | None = optional()
    """The invalid lines of a catalog, the first ones if there are many."""


def json_response(body: ResponseModel, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a response with *body*."""
    return json_text_response(body.to_json(), status=status, headers=headers)


def json_text_response(text: str, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a response with *text*, which is JSON."""
    return web.Response(
        text=text,
        status=status,
        headers=headers,
        content_type="application/json",
        zlib_executor_size=_INSTANT_BYTES,
    )


def error_response(error: ImageConverterError) -> web.Response:
    """Return the response for *error*, with its status, and its code and field if it has any.

    It asks for a retry only if a retry may help.
    """
    headers = retry_after(error)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    lines = tuple(map(InvalidLine.of, (error, *error.others))) if isinstance(error, BrokenLine) else None
    return error_json(error.status, error.reason, code=error.code, field=error.field, lines=lines, headers=headers)


def retry_after(error: ImageConverterError) -> dict[str, str]:
    """Return the header Retry-After, in seconds, if a retry after *error* may help.

    The value varies, so that clients do not retry all at once.
    """
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(error.seconds)}
    if not error.retry_seconds:
        return {}
    return {"Retry-After": str(error.retry_seconds + secrets.randbelow(_MAX_JITTER_SECONDS + 1))}


def error_json(
    status: int,
    reason: str,
    *,
    code: str = "",
    field: str = "",
    lines: tuple[InvalidLine, ...] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Return an error response; an empty *code* or *field* is omitted."""
    body = Error(error=status_name(status), type=code or None, reason=reason, field=field or None, lines=lines)
    return json_response(body, status=status, headers=headers)
