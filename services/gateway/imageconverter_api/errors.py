"""Error responses of the ImageConverter API: `{code, message}`, and the table of codes."""

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from aiohttp import web

from imageconverter.errors import (
    ConversionFailed,
    ImageConverterError,
    ImageError,
    InvalidFileFormat,
    MalformedBody,
    MalformedRequest,
    MissingField,
    NotFound,
    QueueFull,
    TooLarge,
    TooManyAttempts,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from services.gateway.http.responses import json_response, retry_after
from services.gateway.imageconverter_api.responses import Answer


class Code(IntEnum):
    """An error code; its meaning never changes. Without its last digit it is an HTTP status.

    A code that ends in 0 says no more than the status: errors that are not in this table have such a code.
    """

    OK = 0
    BAD_KEY_OR_CONTEXT = 4001
    BAD_BODY = 4002
    BAD_SOURCE_IMAGE = 4003
    NO_CREDENTIALS = 4010
    NO_SUCH_OPERATION = 4040
    NO_SUCH_IMAGE = 4041
    NO_SUCH_METHOD = 4050
    TOO_LARGE = 4130
    NOT_CONVERTIBLE = 4150
    TOO_MANY_ATTEMPTS = 4290
    INTERNAL_ERROR = 5000
    UNAVAILABLE = 5030
    QUEUE_FULL = 5031
    TOO_MANY_REQUESTS = 5032
    TIMED_OUT = 5040

    @property
    def status(self) -> int:
        """The corresponding HTTP status."""
        return self // 10 or HTTPStatus.OK


CODES: Final[Mapping[type[ImageConverterError], Code]] = MappingProxyType(
    {
        ImageConverterError: Code.INTERNAL_ERROR,
        MalformedRequest: Code.BAD_KEY_OR_CONTEXT,
        MalformedBody: Code.BAD_BODY,
        MissingField: Code.BAD_SOURCE_IMAGE,
        Unauthorized: Code.NO_CREDENTIALS,
        NotFound: Code.NO_SUCH_IMAGE,
        TooLarge: Code.TOO_LARGE,
        TooManyAttempts: Code.TOO_MANY_ATTEMPTS,
        InvalidFileFormat: Code.NOT_CONVERTIBLE,
        ImageError: Code.NOT_CONVERTIBLE,
        Unavailable: Code.UNAVAILABLE,
        QueueFull: Code.QUEUE_FULL,
        TooManyRequests: Code.TOO_MANY_REQUESTS,
        ConversionFailed: Code.TIMED_OUT,
    }
)


def code_of(error: ImageConverterError) -> Code:
    """Return the code of *error*, or of its nearest base class that has one."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def done() -> web.Response:
    """Return the response of an operation that was successful and has no result."""
    return _response(Code.OK, "ok", HTTPStatus.OK)


def error_response(error: ImageConverterError, *, strict: bool) -> web.Response:
    """Return the response for *error*; *strict* is that of `error_json`."""
    code = code_of(error)
    headers = {} if code is Code.TIMED_OUT else retry_after(error)
    if code.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="imageconverter", charset="UTF-8"'
    return error_json(code, error.reason, strict=strict, headers=headers)


def error_json(code: int, message: str, *, strict: bool, headers: dict[str, str] | None = None) -> web.Response:
    """Return an error response; if *strict*, with the status 500, the only one that the original documents."""
    return _response(code, message, HTTPStatus.INTERNAL_SERVER_ERROR if strict else code // 10, headers)


def _response(code: int, message: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return json_response(Answer(code=code, message=message), status=status, headers=headers)
