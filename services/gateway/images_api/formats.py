"""Handler of `images/formats`."""

from typing import Self

from aiohttp import web

from imageconverter.engine import Fit
from imageconverter.engine.target import Output, VariantType
from imageconverter.images.image_formats import ImageFormat, ImageFormats
from services.gateway.http.compression import compressed
from services.gateway.http.responses import NonEmpty, Positive, ResponseModel, json_response, optional
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.image_types import TypeId, type_id
from services.gateway.images_api.subshops import subshop_in_query


class FormatBox(ResponseModel):
    """The box of an image format in pixels, and how images fit it."""

    max_width: Positive | None
    """Null if the width is free."""
    max_height: Positive | None
    """Null if the height is free."""
    fit: Fit


class FormatDirectories(ResponseModel):
    """The directories of an image format."""

    target: NonEmpty
    """That of its images, below `/content/`."""
    source: str
    """That of its sources for runs with source `format`; empty if it has none."""


class FormatResponse(ResponseModel):
    """A configured image format."""

    id: NonEmpty
    """As requests name it."""
    name: NonEmpty
    type: TypeId
    box: FormatBox
    output: Output
    """`keep`: the type of the source, if it can be written; `auto`: JPEG, or PNG if something is transparent."""
    variants: tuple[VariantType, ...] | None = optional()
    """The file types in which its images are stored too, where they are smaller; omitted if there are none."""
    directories: FormatDirectories
    aliases: tuple[NonEmpty, ...]
    """Further ids."""
    set: NonEmpty | None = optional()
    """The id that stands for this format and others of the same image; omitted if there is none."""
    fingerprint: NonEmpty
    """Changes with the format."""

    @classmethod
    def of(cls, each: ImageFormat, set_id: str | None) -> Self:
        """Return a format as a response; *set_id* is the node id of its set."""
        return cls(
            id=each.node_id,
            name=each.name,
            type=type_id(each.type),
            box=FormatBox(max_width=each.max_width, max_height=each.max_height, fit=each.fit),
            output=each.output,
            variants=each.variants or None,
            directories=FormatDirectories(target=each.target_directory, source=each.source_directory),
            aliases=each.alias_node_ids,
            set=set_id,
            fingerprint=each.digest(),
        )


class ConfiguredFormats(ResponseModel):
    """The image formats that are in effect, in the order of the formats file."""

    items: tuple[FormatResponse, ...]
    digest: NonEmpty
    """Changes with each of the formats; the same in all processes that have the same formats."""


@compressed
@revalidated
async def list_formats(request: web.Request) -> web.Response:
    """Return all configured formats, those of `?subshopId=`."""
    catalog = subshop_in_query(request).formats
    return json_response(ConfiguredFormats(items=format_responses(catalog), digest=catalog.digest()))


def format_responses(formats: ImageFormats) -> tuple[FormatResponse, ...]:
    """Return all of *formats* as responses."""
    set_ids = {member: set_id for set_id, members in formats.sets.items() for member in members}
    return tuple(FormatResponse.of(each, set_ids.get(node_id)) for node_id, each in formats.items())
