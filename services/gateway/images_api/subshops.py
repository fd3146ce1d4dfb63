"""Which subshop a request is for, and the URLs of its images."""

from urllib.parse import quote

from aiohttp import web

from imageconverter.errors import InvalidValue, MissingField
from imageconverter.images.subshops import Subshop
from imageconverter.quoting import quoted
from imageconverter.runs import Run
from services.gateway import state
from services.gateway.auth.route_permissions import require_subshop


def subshop_in_query(request: web.Request) -> Subshop:
    """Return the subshop of `?subshopId=`, by default the default one.

    Raises what `subshop_of` raises.
    """
    return subshop_of(request, request.query.get("subshopId"))


def required_subshop(request: web.Request) -> Subshop:
    """Do so; raises MissingField without a parameter if the default subshop has no id."""
    if "subshopId" not in request.query and not request.app[state.FORMATS].subshops.default.id:
        raise MissingField("subshopId was not passed.", field="subshopId")
    return subshop_in_query(request)


def subshop_of(request: web.Request, subshop_id: str | None) -> Subshop:
    """Return the subshop with *subshop_id*, the default one if it is None.

    Raises InvalidValue for an unknown one, and Unauthorized if the key is not for it.
    """
    subshops = request.app[state.FORMATS].subshops
    found = subshops.default if subshop_id is None else subshops.get(subshop_id)
    if found is None:
        raise InvalidValue(f"There is no subshop {quoted(subshop_id or '')}.", field="subshopId")
    require_subshop(request, found.id)
    return found


def require_subshop_of(request: web.Request, run: Run) -> None:
    """Raise Unauthorized if the key is not for the subshop of *run*."""
    default = request.app[state.FORMATS].subshops.default
    require_subshop(request, None if run.automatic else run.subshop or default.id)


def content_url(request: web.Request, path: str, subshop: Subshop | None = None) -> str:
    """Return the public URL, without scheme, of the image at *path* of the target tree.

    Without *subshop*, the image is that of the subshop that has the path's prefix.
    """
    base, path = content_location(request, path, subshop or request.app[state.FORMATS].subshops.at_path(path))
    return f"//{base}/{quote(path)}"


def content_location(request: web.Request, path: str, subshop: Subshop) -> tuple[str, str]:
    """Return where *subshop* serves *path* of the target tree: the host, perhaps with a path, and the path there."""
    if subshop.content_host:
        return subshop.content_host, path.removeprefix(f"{subshop.target_prefix}/" if subshop.target_prefix else "")
    default = request.app[state.FORMATS].subshops.default
    return default.content_host or request.app[state.GATEWAY].content_base, path
