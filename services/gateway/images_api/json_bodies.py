"""JSON bodies: how they are read and parsed, and the order in which their errors are reported."""

import asyncio
from codecs import BOM_UTF8
from functools import partial
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from imageconverter.errors import InvalidFieldFormat, MalformedBody, MissingField, UnknownField, UserError
from imageconverter.quoting import is_plain, listed, quoted
from services.gateway import state
from services.gateway.auth.route_permissions import has_key
from services.gateway.http.bodies import announced_size, read_body
from services.gateway.http.json_structure import check_structure

_SMALL_BYTES = 1024 * 1024
_MAX_NAME = 100  # characters of a field's name that are repeated
_INSTANT_BYTES = 64 * 1024  # parsed within two milliseconds, so not in a thread

_ORDER: list[type[UserError]] = [MalformedBody, UnknownField, MissingField, InvalidFieldFormat]

Body = TypeVar("Body", bound=BaseModel)


async def read_json(request: web.Request, schema: type[Body]) -> Body:
    """Read and parse a small JSON body; an empty one counts as an empty object."""
    app = request.app
    group = state.KEY_MEMORY if has_key(request) else state.STRANGER_MEMORY
    with app[group].body(announced_size(request, _SMALL_BYTES)) as memory:
        seconds = app[state.GATEWAY].body_seconds
        text = await read_body(request, memory, limit=_SMALL_BYTES, seconds=seconds) or b"{}"
        if len(text) <= _INSTANT_BYTES:
            return parse(schema, text)
        return await asyncio.get_running_loop().run_in_executor(app[state.DECODING], partial(parse, schema, text))


def parse(schema: type[Body], text: bytes | bytearray) -> Body:
    """Parse a JSON body; raises the error that comes first in the order of the API.

    A byte order mark before it is ignored, as RFC 8259 allows.
    """
    if isinstance(text, bytearray) and text.startswith(BOM_UTF8):
        del text[: len(BOM_UTF8)]  # in place: uploads are large
    check_structure(text)
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        errors = [_user_error(each, schema) for each in error.errors(include_url=False, include_input=False)]
    raise min(errors, key=lambda error: _ORDER.index(type(error)))


def _user_error(error: Any, schema: type[BaseModel]) -> UserError:
    field = str(error["loc"][0]) if error["loc"] else ""
    match error["type"]:
        case "json_invalid" | "json_type" | "model_type" | "model_attributes_type":
            return MalformedBody("The body is not a JSON object.")
        case "extra_forbidden":
            known = listed([each.alias or name for name, each in schema.model_fields.items()])
            return UnknownField(
                f"The body has an unknown field {quoted(field)}; the fields are: {known}.",
                field=field[:_MAX_NAME] if is_plain(field) else "",
            )
        case "missing":
            return MissingField(f"{field} was not passed.", field=field)
        case _:
            return InvalidFieldFormat(f"{field} has a wrong type.", field=field)
