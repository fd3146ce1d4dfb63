"""The choice of a subshop on a page, where there are several."""

from typing import Any

from aiohttp import web

from imageconverter.images.subshops import Subshop
from services.gateway import state
from services.gateway.auth.route_permissions import grant_of
from services.gateway.images_api.subshops import subshop_of


def chosen_subshop(request: web.Request) -> Subshop:
    """Return the subshop of `?subshop=`, by default the first one that the key is for.

    Raises InvalidValue for an unknown one, Unauthorized if the key is not for it.
    """
    first = next((each.id for each in _allowed(request)), None)
    return subshop_of(request, request.query.get("subshop", first))


def subshop_choice(request: web.Request, chosen: Subshop) -> list[dict[str, Any]]:
    """Return the subshops that can be chosen; none if there is only one."""
    allowed = _allowed(request)
    if len(allowed) <= 1:
        return []
    return [{"id": each.id, "name": each.name, "is_chosen": each.id == chosen.id} for each in allowed]


def subshop_to_send(request: web.Request, chosen: Subshop) -> str:
    """Return the id that requests of the page name, "" for the default subshop."""
    return "" if chosen is request.app[state.FORMATS].subshops.default else chosen.id


def _allowed(request: web.Request) -> list[Subshop]:
    subshops, grant = request.app[state.FORMATS].subshops, grant_of(request)
    limit = None if grant is None else grant.subshops
    return [each for each in subshops.values() if limit is None or each.id in limit]
