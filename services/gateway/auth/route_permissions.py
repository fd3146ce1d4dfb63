"""What a route requires of a request before its handler runs. Each row of the route table names one."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from imageconverter.errors import InvalidValue
from imageconverter.images.image_formats import ImageType
from services.gateway import audit, state
from services.gateway.auth.api_keys import Grant, Permission
from services.gateway.images_api.image_types import AREAS, image_type

_log = structlog.get_logger(__name__)

_GRANT: Final = web.RequestKey("grant", Grant)
_TYPES_CHECKED: Final = web.RequestKey("types_checked", bool)
_SUBSHOP_CHECKED: Final = web.RequestKey("subshop_checked", bool)

Narrowing = Literal["", "path", "handler"]
"""How a permission is narrowed by type: not at all, by the type in the path, or by the handler."""
Changes = Literal["nothing", "subshop", "all"]
"""What a request may change: nothing, something of the subshop that the handler names, or of all subshops."""


@dataclass(frozen=True)
class Requirement:
    """The credentials and the permission that a route requires."""

    permission: str = ""
    """A permission; `{area}` in it stands for the type in the path. "" if none is needed."""
    narrowed: Narrowing = ""
    basic_auth: bool = False
    """Whether the administrator's user and password are needed instead of a key."""
    default_type: ImageType | None = None
    """The type of a path that has none."""

    @property
    def is_public(self) -> bool:
        """Whether the route needs no credentials."""
        return not self.permission and not self.basic_auth

    async def check(self, request: web.Request) -> None:
        """Raise Unauthorized unless *request* meets the requirement."""
        if self.basic_auth:
            await request.app[state.BASIC_AUTH].require(request, request.app[state.ATTEMPTS])
            audit.identify(request, request.app[state.KEYS].administrator_grant.actor)
            return
        grant = request.app[state.KEYS].grant(request)
        request[_GRANT] = grant
        audit.identify(request, grant.actor)
        if not self.narrowed:
            grant.require(self.permission)
            return
        # A key that may do this for no type at all gets 401, even if the path names an unknown type.
        if not any(grant.may(*self._arguments(kind)) for kind in AREAS):
            grant.require(*self._arguments(self._type_in_path(request)))
        if self.narrowed == "path":
            grant.require(*self._arguments(image_type(request, self.default_type)))

    def is_met_by(self, grant: Grant) -> bool:
        """Return whether *grant* has the permission, for at least one type."""
        return self.is_public or any(grant.may(*self._arguments(kind)) for kind in (None, *AREAS))

    def _type_in_path(self, request: web.Request) -> ImageType | None:
        try:
            return image_type(request, self.default_type) if self.narrowed == "path" else None
        except InvalidValue:
            return None

    def _arguments(self, kind: ImageType | None) -> tuple[str, list[ImageType] | None]:
        """Return the arguments of `Grant.may` for *kind*; without it, of a permission for all types."""
        if "{area}" in self.permission:
            return self.permission.format(area=AREAS[kind] if kind else "<type>"), None
        return self.permission, [kind] if kind else None


PUBLIC: Final = Requirement()
CREDENTIALS_IN_REQUEST: Final = Requirement()
"""Public: the handler itself verifies the credentials in the request."""
BASIC_AUTH: Final = Requirement(basic_auth=True)
READ: Final = Requirement("{area}.read", narrowed="path", default_type="product")


def permission(name: Permission, *, narrowed: Narrowing = "") -> Requirement:
    """Require the permission *name* of a key."""
    return Requirement(name, narrowed=narrowed)


def guarded(handler: Handler, requirement: Requirement, *, changes: Changes = "nothing") -> Handler:
    """Return *handler*, which *changes* so much, behind *requirement*.

    If the requirement leaves the types to the handler, and the handler returns without a call of `require_types` or
    `granted_types`, the response is a 500: the bug must not leave the route open. Likewise for `require_subshop`.
    """
    if requirement.is_public:
        return handler

    @functools.wraps(handler)
    async def checked(request: web.Request) -> web.StreamResponse:
        await requirement.check(request)
        if changes == "all" and _GRANT in request:
            request[_GRANT].require_subshop(None)
        response = await handler(request)
        is_checked = changes != "subshop" or _SUBSHOP_CHECKED in request
        if not is_checked or (requirement.narrowed == "handler" and _TYPES_CHECKED not in request):
            _log.error("permission not checked", handler=handler.__name__)
            raise web.HTTPInternalServerError
        return response

    return checked


def require_types(request: web.Request, name: Permission, types: Iterable[ImageType] | None) -> None:
    """Raise Unauthorized unless the key has the permission *name* for each of *types*; None: for all types."""
    request[_TYPES_CHECKED] = True
    request[_GRANT].require(name, types)


def require_subshop(request: web.Request, subshop_id: str | None) -> None:
    """Raise Unauthorized unless the key is for the subshop; for all subshops if *subshop_id* is None."""
    request[_SUBSHOP_CHECKED] = True
    request[_GRANT].require_subshop(subshop_id)


def changes_no_subshop(request: web.Request) -> None:
    """Note that *request* changes nothing that belongs to a subshop."""
    request[_SUBSHOP_CHECKED] = True


def granted_types(request: web.Request, name: Permission) -> frozenset[ImageType]:
    """Return the types for which the key has the permission *name*."""
    request[_TYPES_CHECKED] = True
    return frozenset(kind for kind in AREAS if request[_GRANT].may(name, [kind]))


def readable_types(request: web.Request) -> tuple[ImageType, ...]:
    """Return the types for which the key may read reports and catalogs; products first."""
    request[_TYPES_CHECKED] = True
    kinds: tuple[ImageType, ...] = ("product", "category", "app")
    return tuple(kind for kind in kinds if request[_GRANT].may(f"{AREAS[kind]}.read"))


def key_name(request: web.Request) -> str:
    """Return the name of the key or user that has admitted *request*."""
    name: str = request[_GRANT].name
    return name


def actor(request: web.Request) -> str:
    """Return `key NAME` or `user NAME`: what has admitted *request*."""
    found: str = request[_GRANT].actor
    return found


def grant_of(request: web.Request) -> Grant | None:
    """Return what has admitted *request*; None if it needed no credentials."""
    found: Grant | None = request.get(_GRANT)
    return found


def has_key(request: web.Request) -> bool:
    """Return whether *request* has been admitted by a key or a token."""
    return _GRANT in request
