"""The page *Convert*: images are dropped, and come back in the chosen formats."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from imageconverter.engine.source_types import SOURCE_TYPES
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.subshops import Subshop
from imageconverter.settings import MEGABYTE
from services.gateway import state
from services.gateway.auth.route_permissions import grant_of, granted_types
from services.gateway.console.rendering import render
from services.gateway.console.subshops import chosen_subshop, subshop_choice, subshop_to_send
from services.gateway.images_api.image_types import type_id
from services.gateway.images_api.subshops import content_location

_DRAWING: Final = 44
"""The side of the largest box in a drawing; the other boxes have the same scale."""
_LEAST: Final = 3


async def page(request: web.Request) -> web.StreamResponse:
    """Return the page, with the formats of the types that the key may publish."""
    types = granted_types(request, "images.publish")
    subshop = chosen_subshop(request)
    formats = [each for each in subshop.formats.values() if each.type in types]
    return await render(
        request,
        "convert.html",
        formats=_shown(formats),
        source_types=[each.name for each in SOURCE_TYPES],
        extensions=[extension for each in SOURCE_TYPES for extension in each.extensions],
        subshops=subshop_choice(request, subshop),
        options=_options(request, subshop),
    )


def _options(request: web.Request, subshop: Subshop) -> dict[str, object]:
    """Return what the script needs to know."""
    gateway, grant = request.app[state.GATEWAY], grant_of(request)
    base, _ = content_location(request, "", subshop)
    return {
        "maxBytes": gateway.max_upload_mb * MEGABYTE,
        "contentBase": base if gateway.content_host or base != gateway.content_base else "",
        "hiddenPrefix": f"{subshop.target_prefix}/" if subshop.is_separate else "",
        "subshop": subshop_to_send(request, subshop),
        "mayRead": grant is not None and grant.may("images.read"),
    }


def _shown(formats: Sequence[ImageFormat]) -> list[dict[str, object]]:
    sides = [side for each in formats for side in (each.max_width, each.max_height) if side is not None]
    largest = max(sides, default=1)

    def drawn(side: int | None) -> float:
        return max(_LEAST, round(_DRAWING * (side or largest) / largest, 1))

    return [
        {
            "id": each.node_id,
            "name": each.name,
            "type": type_id(each.type),
            "width": each.max_width,
            "height": each.max_height,
            "fit": each.fit,
            "output": each.output,
            "drawn_width": drawn(each.max_width),
            "drawn_height": drawn(each.max_height),
        }
        for each in formats
    ]
