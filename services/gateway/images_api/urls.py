"""Handlers of `images/url/{typeId}` and `images/srcset/{typeId}`."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from imageconverter.errors import InvalidValue, MissingField
from imageconverter.images.candidates import find_candidates, for_srcset
from imageconverter.images.image_formats import ImageFormats, ImageType
from imageconverter.quoting import listed, quoted
from services.gateway import state
from services.gateway.http.responses import Positive, ResponseModel, json_response
from services.gateway.images_api.image_types import image_type, type_id
from services.gateway.images_api.subshops import content_location, content_url, required_subshop


class ImageUrl(ResponseModel):
    """The URL of the images of a format."""

    url: Annotated[str, Field(pattern="^//.*[^/]$")]
    """Without scheme and trailing slash."""


class SrcsetCandidate(ResponseModel):
    """An image of a set."""

    url: Annotated[str, Field(pattern="^//.*[^/]$")]
    """Without scheme."""
    width: Positive
    """In pixels; that of the format if the image does not exist."""
    exists: bool


class Srcset(ResponseModel):
    """The images of one name in all formats of a set."""

    srcset: str
    """For the attribute of `<img>` and `<source>`: the images that exist, each width once; empty without any."""
    candidates: tuple[SrcsetCandidate, ...]
    """One for each format of the set, from the narrowest to the widest."""


async def image_url(request: web.Request) -> web.Response:
    """Return the URL of the images of a format, without scheme and file name."""
    kind = image_type(request)
    subshop = required_subshop(request)
    node_id = _parameter(request, "formatNodeId")
    catalog = subshop.formats
    if node_id in catalog.sets:
        raise InvalidValue("This is a set: each of its formats has a URL, see images/srcset.", field="formatNodeId")
    found = catalog.get(node_id)
    if found is None or found.type != kind:
        raise _no_format(catalog, kind, node_id)
    base, path = content_location(request, found.target_directory, subshop)
    return json_response(ImageUrl(url=f"//{base}/{path}"))


async def srcset(request: web.Request) -> web.Response:
    """Return the images of one name in all formats of a set, as an HTML `srcset` and one by one."""
    kind = image_type(request)
    subshop = required_subshop(request)
    node_id = _parameter(request, "formatNodeId")
    name = _parameter(request, "fileName")
    catalog = subshop.formats
    formats = [found for each in catalog.sets.get(node_id, (node_id,)) if (found := catalog.get(each))]
    if not formats or any(each.type != kind for each in formats):
        raise _no_format(catalog, kind, node_id)
    candidates = await find_candidates(request.app[state.STORE], formats, name)
    listed = [f"{content_url(request, each.path, subshop)} {each.width}w" for each in for_srcset(candidates)]
    items = [
        SrcsetCandidate(url=content_url(request, each.path, subshop), width=each.width, exists=each.exists)
        for each in candidates
    ]
    return json_response(Srcset(srcset=", ".join(listed), candidates=tuple(items)))


def _no_format(catalog: ImageFormats, kind: ImageType, node_id: str) -> InvalidValue:
    there = listed([name for name, each in catalog.items() if each.type == kind]) or "none"
    reason = f"The image format {quoted(node_id)} is not one of {type_id(kind)}; there are: {there}."
    return InvalidValue(reason, field="formatNodeId")


def _parameter(request: web.Request, name: str) -> str:
    """Return a parameter of the query; raises MissingField if it is not there, or empty."""
    value = request.query.get(name)
    if not value:
        raise MissingField(f"{name} was not passed.", field=name)
    return value
