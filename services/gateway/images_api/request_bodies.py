"""Request bodies of the images API, and the order in which their errors are reported."""

import asyncio
from codecs import BOM_UTF8
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imageconverter.errors import InvalidFieldFormat, MalformedBody, MissingField, UnknownField, UserError
from imageconverter.runs import RunRequest
from services.gateway import state
from services.gateway.auth.route_permissions import has_key
from services.gateway.http.bodies import announced_size, read_body
from services.gateway.http.json_structure import check_structure

_SMALL_BYTES = 1024 * 1024
_INSTANT_BYTES = 64 * 1024  # parsed within two milliseconds, so not in a thread

Body = TypeVar("Body", bound=BaseModel)

# Stops at the first error: pydantic allocates almost a kilobyte for each.
Strings = Annotated[list[str], Field(fail_fast=True)]


class UploadBody(BaseModel):
    """Body of `upload` and `upload/convert`: one image, or several in arrays of equal length."""

    model_config = ConfigDict(extra="forbid", strict=True)

    fileName: str | Strings  # noqa: N815 - the API's own spelling, here and below
    imageData: str | Strings  # noqa: N815
    formats: Strings

    @property
    def names(self) -> list[str]:
        """The file names, as a list even for one image."""
        return [self.fileName] if isinstance(self.fileName, str) else self.fileName

    @property
    def texts(self) -> list[str]:
        """The images in base64, as a list even for one image."""
        return [self.imageData] if isinstance(self.imageData, str) else self.imageData


class DirectoryBody(BaseModel):
    """Body of `directories`: a path, and the name of a directory in it."""

    model_config = ConfigDict(strict=True)

    path: str = ""
    name: str = ""


class SingleDeletionBody(BaseModel):
    """Body of the deletion of one image."""

    model_config = ConfigDict(extra="forbid", strict=True)

    formats: Strings = []

    @property
    def requested_formats(self) -> list[str] | None:
        """The formats in the body; None if the field was not passed."""
        return self.formats if "formats" in self.model_fields_set else None


class DeletionBody(SingleDeletionBody):
    """Body of the deletion of several images."""

    fileName: str | Strings  # noqa: N815

    @property
    def names(self) -> list[str]:
        """The file names, as a list even for one image."""
        return [self.fileName] if isinstance(self.fileName, str) else self.fileName


class StartBody(BaseModel):
    """Body of `convert/start`. Unknown fields are ignored, as the specification has no error for them."""

    model_config = ConfigDict(strict=True)

    action: str = ""
    source: str = ""
    formatList: Strings = []  # noqa: N815
    directory: str = ""

    def request(self) -> RunRequest:
        """Return the request of a run."""
        return RunRequest(
            action=self.action, source=self.source, formats=tuple(self.formatList), directory=self.directory
        )


class LoginBody(BaseModel):
    """Body of `login`: a key, or user and password, or a refresh token."""

    model_config = ConfigDict(extra="forbid", strict=True)

    apiKey: str | None = None  # noqa: N815
    email: str | None = None
    password: str | None = None
    refreshToken: str | None = None  # noqa: N815


class LogoutBody(BaseModel):
    """Body of the end of a login; without the token it is taken from the cookie."""

    model_config = ConfigDict(extra="forbid", strict=True)

    refreshToken: str = ""  # noqa: N815


class ReportBody(BaseModel):
    """Body of `report`. Unknown fields are ignored, as the specification has no error for them."""

    model_config = ConfigDict(strict=True)

    shrunken: list[Literal["products", "categories", "appImages"]] = []


class RestoreBody(BaseModel):
    """Body of `report/restore`: the id of the cleanup."""

    model_config = ConfigDict(extra="forbid", strict=True)

    trash: str


class EmptyBody(BaseModel):
    """A body without fields."""


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
        errors = [_user_error(each) for each in error.errors(include_url=False, include_input=False)]
    raise min(errors, key=lambda error: _ORDER.index(type(error)))


_ORDER: list[type[UserError]] = [MalformedBody, UnknownField, MissingField, InvalidFieldFormat]


def _user_error(error: Any) -> UserError:
    field = str(error["loc"][0]) if error["loc"] else ""
    match error["type"]:
        case "json_invalid" | "json_type" | "model_type" | "model_attributes_type":
            return MalformedBody("The body is not a JSON object.")
        case "extra_forbidden":
            return UnknownField("The body has an unknown field.")
        case "missing":
            return MissingField(f"{field} was not passed.", field=field)
        case _:
            return InvalidFieldFormat(f"{field} has a wrong type.", field=field)
