"""Handlers of `images/formats/validate` and `images/formats/example`: a formats file that is being written."""

import asyncio
from functools import partial
from typing import Self

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.format_problems import FormatProblem
from imageconverter.images.formats_file import FormatsFileError, parse_sent_formats
from imageconverter.images.image_formats import ImageFormats
from services.gateway import state
from services.gateway.http.compression import compressed
from services.gateway.http.responses import NonEmpty, Positive, ResponseModel, json_response, optional
from services.gateway.images_api.format_examples import converted
from services.gateway.images_api.formats import FormatResponse, format_responses
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import ExampleBody, FormatsDraftBody


class FormatProblemResponse(ResponseModel):
    """Something that is wrong with a formats file."""

    line: Positive | None = optional()
    """Omitted if it is not about a line."""
    column: Positive | None = optional()
    """Of a syntax error, where it is known."""
    field: NonEmpty | None = optional()
    """Omitted if it is not about a field."""
    reason: NonEmpty
    """What is wrong, and what is allowed."""

    @classmethod
    def of(cls, problem: FormatProblem) -> Self:
        """Return *problem* as a response."""
        return cls(
            line=problem.line or None,
            column=problem.column or None,
            field=problem.field or None,
            reason=problem.reason,
        )


class CheckedFormats(ResponseModel):
    """What is wrong with a formats file, or its image formats."""

    problems: tuple[FormatProblemResponse, ...]
    """Up to 100; none if the file can be used."""
    items: tuple[FormatResponse, ...]
    """The image formats, sets by their members; none if there are problems."""
    digest: NonEmpty | None = optional()
    """That of the formats; omitted if there are problems."""


@compressed
async def validate(request: web.Request) -> web.Response:
    """Return what is wrong with the formats in the body, or what they are; nothing is stored."""
    body = await read_json(request, FormatsDraftBody)
    try:
        found = await _parsed(request, body.toml)
    except FormatsFileError as error:
        problems = tuple(map(FormatProblemResponse.of, error.problems))
        return json_response(CheckedFormats(problems=problems, items=()))
    return json_response(CheckedFormats(problems=(), items=format_responses(found), digest=found.digest()))


async def example(request: web.Request) -> web.StreamResponse:
    """Return a source converted to an image format in the body."""
    body = await read_json(request, ExampleBody)
    try:
        found = await _parsed(request, body.toml)
    except FormatsFileError as error:
        raise InvalidValue(str(error.problems[0]), field="toml") from None
    selected = found.select([body.format], field="format")
    if len(selected) > 1:
        raise InvalidValue("format is a set; name one of its members.", field="format")
    return await converted(request, selected[0], body.path)


async def _parsed(request: web.Request, text: str) -> ImageFormats:
    """Parse *text* in a thread, because that may take half a second."""
    work = partial(parse_sent_formats, text)
    return await asyncio.get_running_loop().run_in_executor(request.app[state.DECODING], work)
