"""The JSON bodies of the images API, and the order in which their faults are told."""

import asyncio
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imageconverter.errors import InvalidFieldFormat, MalformedBody, MissingField, UnknownField, UserError
from imageconverter.runs import RunRequest
from services.gateway import state
from services.gateway.http.bodies import announced_size, read_body
from services.gateway.http.json_structure import check_structure

_SMALL_BYTES = 1024 * 1024
_INSTANT_BYTES = 64 * 1024  # are parsed in a millisecond or two

Body = TypeVar("Body", bound=BaseModel)

# The first wrong one is enough: pydantic keeps most of a kilobyte for each fault that it finds.
Texts = Annotated[list[str], Field(fail_fast=True)]


class UploadBody(BaseModel):
    """Body of `upload` and `upload/convert`: one image, or several in arrays of equal length."""

    model_config = ConfigDict(extra="forbid", strict=True)

    fileName: str | Texts  # noqa: N815 - the API's own spelling, here and below
    imageData: str | Texts  # noqa: N815
    formats: Texts

    @property
    def names(self) -> list[str]:
        """The file names, of one image too."""
        return [self.fileName] if isinstance(self.fileName, str) else self.fileName

    @property
    def texts(self) -> list[str]:
        """The base64 texts, of one image too."""
        return [self.imageData] if isinstance(self.imageData, str) else self.imageData


class DirectoryBody(BaseModel):
    """Body of `directories`: a path, and the name of a directory in it."""

    model_config = ConfigDict(strict=True)

    path: str = ""
    name: str = ""


class SingleDeletionBody(BaseModel):
    """Body of the deletion of one image."""

    model_config = ConfigDict(extra="forbid", strict=True)

    formats: Texts = []

    @property
    def wanted(self) -> list[str] | None:
        """The formats that are named; None where the field was not passed."""
        return self.formats if "formats" in self.model_fields_set else None


class DeletionBody(SingleDeletionBody):
    """Body of the deletion of several images."""

    fileName: str | Texts  # noqa: N815

    @property
    def names(self) -> list[str]:
        """The file names, of one image too."""
        return [self.fileName] if isinstance(self.fileName, str) else self.fileName


class StartBody(BaseModel):
    """Body of `convert/start`. Unknown fields are passed over: its table has no row for them."""

    model_config = ConfigDict(strict=True)

    action: str = ""
    source: str = ""
    formatList: Texts = []  # noqa: N815
    directory: str = ""

    def request(self) -> RunRequest:
        """Return what is asked for."""
        return RunRequest(
            action=self.action, source=self.source, formats=tuple(self.formatList), directory=self.directory
        )


class LoginBody(BaseModel):
    """Body of `login`: a key, or a user and a password, or a refresh token."""

    model_config = ConfigDict(extra="forbid", strict=True)

    apiKey: str | None = None  # noqa: N815
    email: str | None = None
    password: str | None = None
    refreshToken: str | None = None  # noqa: N815


class ReportBody(BaseModel):
    """Body of `report`. Unknown fields are passed over, as its table has no row for them."""

    model_config = ConfigDict(strict=True)

    shrunken: list[Literal["products", "categories", "appImages"]] = []


class RestoreBody(BaseModel):
    """Body of `report/restore`: what is to be put back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    trash: str


class EmptyBody(BaseModel):
    """A body that says nothing."""


async def read_json(request: web.Request, schema: type[Body]) -> Body:
    """Read and parse a small JSON body; an empty one counts as an empty object."""
    announced_size(request, _SMALL_BYTES)
    seconds = request.app[state.GATEWAY].body_seconds
    text = await read_body(request, limit=_SMALL_BYTES, seconds=seconds) or b"{}"
    if len(text) <= _INSTANT_BYTES:
        return parse(schema, text)
    return await asyncio.get_running_loop().run_in_executor(request.app[state.DECODING], partial(parse, schema, text))


def parse(schema: type[Body], text: bytes | bytearray) -> Body:
    """Parse a JSON body; of several faults the one is raised that the API tells first."""
    check_structure(text)
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        faults = [_fault(each) for each in error.errors(include_url=False, include_input=False)]
    raise min(faults, key=lambda fault: _ORDER.index(type(fault)))


_ORDER: list[type[UserError]] = [MalformedBody, UnknownField, MissingField, InvalidFieldFormat]


def _fault(error: Any) -> UserError:
    field = str(error["loc"][0]) if error["loc"] else ""
    match error["type"]:
        case "json_invalid" | "json_type" | "model_type" | "model_attributes_type":
            return MalformedBody("The body is not a JSON object.")
        case "extra_forbidden":
            return UnknownField("The body holds a field that is not known here.")
        case "missing":
            return MissingField(f"{field} was not passed.", field=field)
        case _:
            return InvalidFieldFormat(f"{field} is of a wrong type.", field=field)
