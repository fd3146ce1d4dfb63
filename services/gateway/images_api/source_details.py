"""Handler of `images/details`: what is known of one source, and of its outputs."""

from typing import Annotated, Final, Self

from aiohttp import web
from pydantic import Field

from imageconverter.errors import ConversionFailed, QueueFull
from imageconverter.images.conversions import stored_size
from imageconverter.images.incoming import SHA256, is_sha256
from imageconverter.images.source_details import Output, OutputState, SourceDetails, source_details
from imageconverter.images.source_facts import StoredFacts
from imageconverter.images.sources import source_path
from imageconverter.images.subshops import Subshop
from services.gateway import state
from services.gateway.http.responses import (
    Count,
    NonEmpty,
    Positive,
    ResponseModel,
    Timestamp,
    json_response,
    optional,
)
from services.gateway.images_api.focal_points import FocalPoint
from services.gateway.images_api.image_types import TypeId, type_id
from services.gateway.images_api.source_facts import SourceFacts, facts_client, facts_maker
from services.gateway.images_api.sources import Source
from services.gateway.images_api.subshops import content_url, subshop_in_query

_FACTS_SECONDS: Final = 5


class SourceOutput(ResponseModel):
    """The output of a source in one image format."""

    format_node_id: NonEmpty
    type: TypeId
    state: OutputState
    """`upToDate` if a run would skip it, `otherSource` if it was made of another source of the same name."""
    path: NonEmpty
    """In the target tree; where it would probably be, if it is missing."""
    url: NonEmpty
    """Without scheme."""
    size: Count | None = optional()
    """Bytes, if it exists."""
    modified: Timestamp | None = optional()
    width: Positive | None = optional()
    """Pixels, if it exists and was not stored by release 0.2.0 or before."""
    height: Positive | None = optional()

    @classmethod
    def of(cls, output: Output, *, url: str) -> Self:
        """Return the response for *output*, which has the public *url*."""
        stored = output.stored
        width, height = (stored_size(stored.metadata) if stored else None) or (None, None)
        return cls(
            format_node_id=output.format.node_id,
            type=TypeId(type_id(output.format.type)),
            state=output.state,
            path=output.path,
            url=url,
            size=stored.size if stored else None,
            modified=stored.modified if stored else None,
            width=width,
            height=height,
        )


class SourceInformation(Source):
    """What is known of a source, and of its outputs."""

    type: NonEmpty | None = optional()
    """The file type, by the leading bytes; none if it is not a supported one."""
    width: Positive | None = optional()
    """Pixels as stored, which an orientation may turn, if the header says so."""
    height: Positive | None = optional()
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = optional()
    """Of the image, in hexadecimal digits, if it was known when the source was stored."""
    facts: SourceFacts | None = optional()
    """None if the file is no image, or if they could not be made within 5 seconds: then another request may have
    them."""
    focal_point: FocalPoint | None = optional()
    """If one was set."""
    formats: tuple[SourceOutput, ...]
    """One for each image format."""


async def details(request: web.Request) -> web.Response:
    """Return what is known of a source, and of its output in each image format."""
    path = source_path(request.match_info["path"])
    subshop = subshop_in_query(request)
    found = await source_details(request.app[state.STORE], path, list(subshop.formats.values()))
    return json_response(_response(request, found, await _facts(request, found), subshop))


async def _facts(request: web.Request, found: SourceDetails) -> StoredFacts | None:
    """Return what is known of the image, which may be made for this request; None if that fails."""
    if found.type is None:
        return None
    try:
        return await facts_maker(request).get(found.stored, facts_client(request), seconds=_FACTS_SECONDS)
    except (QueueFull, ConversionFailed):
        return None


def _response(
    request: web.Request, found: SourceDetails, known: StoredFacts | None, subshop: Subshop
) -> SourceInformation:
    width, height = found.size or (None, None)
    sha256 = found.stored.metadata.get(SHA256, "")
    return SourceInformation(
        **Source.of(found.stored).model_dump(by_alias=False),
        type=found.type.name if found.type else None,
        width=width,
        height=height,
        sha256=sha256 if is_sha256(sha256) else None,  # other programs may have stored anything
        facts=SourceFacts.of(known.facts) if known is not None and known.facts is not None else None,
        formats=tuple(SourceOutput.of(each, url=content_url(request, each.path, subshop)) for each in found.outputs),
        focal_point=FocalPoint.of(found.focal_point) if found.focal_point else None,
    )
