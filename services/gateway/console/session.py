"""Who is logged in to the console: pages lead to the login, and logins are renewed while the console is used."""

import functools
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, unquote

from aiohttp import web
from aiohttp.typedefs import Handler

from imageconverter.errors import ImageConverterError, Unauthorized
from services.gateway import audit, state
from services.gateway.auth import login
from services.gateway.auth.api_keys import Grant, bearer
from services.gateway.auth.cross_site import is_same_site
from services.gateway.auth.route_permissions import has_key
from services.gateway.console.languages import COOKIE as LANGUAGE_COOKIE
from services.gateway.console.rendering import THEME_COOKIE, THEMES, render

HOME: Final = "/console/"
LOGIN: Final = "/console/login"


def page(handler: Handler) -> Handler:
    """Return *handler*, of a page, with pages instead of JSON for errors.

    Who is not logged in is sent to the login, or to the same page again if the login could be renewed.
    """

    @functools.wraps(handler)
    async def show(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Unauthorized as error:
            if has_key(request) or bearer(request):
                audit.refuse(request)
                return await _error_page(request, error.status, error.reason)
            return await _lead_to_login(request)
        except ImageConverterError as error:
            return await _error_page(request, error.status, error.reason)
        except web.HTTPNotFound:
            return await _error_page(request, HTTPStatus.NOT_FOUND, "")

    return show


def public_page(handler: Handler) -> Handler:
    """Return *handler*, of a page for everybody, with a page for an unknown path.

    A login that has expired is renewed first if that is possible.
    """

    @functools.wraps(handler)
    async def show(request: web.Request) -> web.StreamResponse:
        if visitor(request) is None:
            with suppress(ImageConverterError):
                if (tokens := await _renewed(request)) is not None:
                    return _again(request, tokens)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return await _error_page(request, HTTPStatus.NOT_FOUND, "")

    return show


def visitor(request: web.Request) -> Grant | None:
    """Return whose valid credentials *request* has; None if it has none."""
    try:
        return request.app[state.KEYS].grant(request)
    except Unauthorized:
        return None


async def _error_page(request: web.Request, status: int, reason: str) -> web.Response:
    return await render(request, "error.html", status=status, reason=reason, code=status)


async def _lead_to_login(request: web.Request) -> web.Response:
    here = request.rel_url.raw_path_qs
    if "HX-Request" in request.headers:  # a fragment: the whole page is to be left
        return web.Response(status=HTTPStatus.UNAUTHORIZED)
    if (tokens := await _renewed(request)) is not None:
        return _again(request, tokens)
    target = LOGIN if here == HOME else f"{LOGIN}?next={quote(here, safe='')}"
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": target})


def _again(request: web.Request, tokens: login.IssuedTokens) -> web.Response:
    """Lead to the same page again, with *tokens* in its cookies."""
    response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": request.rel_url.raw_path_qs})
    login.set_cookies(request, response, tokens)
    return response


async def _renewed(request: web.Request) -> login.IssuedTokens | None:
    """Return new tokens for the refresh token in the cookie of *request*; None if it has none that is valid."""
    try:
        return await login.refreshed(request, request.cookies.get("refreshToken", ""))
    except Unauthorized:
        return None


async def login_page(request: web.Request) -> web.Response:
    """Return the login."""
    keys = request.app[state.KEYS]
    return await render(
        request,
        "login.html",
        destination=_destination(request),
        # Another site must not log its visitors in here, with a key of its own choice in the fragment.
        is_foreign=not is_same_site(request),
        is_enabled=keys.signer is not None,
        has_password=keys.administrator.digest is not None,
    )


async def preferences(request: web.Request) -> web.Response:
    """Set the language or the theme in a cookie, and go back to the page."""
    response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": _destination(request)})
    languages = [language.code for language in request.app[state.TEMPLATES].languages]
    for name, values in ((LANGUAGE_COOKIE, languages), (THEME_COOKIE, THEMES)):
        if (value := request.query.get(name, "")) in values:
            response.set_cookie(name, value, max_age=365 * 24 * 3600, samesite="Lax", path="/")
    return response


def _destination(request: web.Request) -> str:
    """Return the page that `?next=` names; the first page if it is not one of this server.

    Dot segments would lead out of the pages, to what GET changes: browsers would say that this origin has led there.
    """
    following = request.query.get("next", "")
    is_ours = following.startswith(("/console/", "/docs")) and not following.startswith(LOGIN)
    is_plain = following.isprintable() and "\\" not in following and "/." not in unquote(following.partition("?")[0])
    return following if is_ours and is_plain else HOME


async def lead_home(_request: web.Request) -> web.Response:
    """Lead from `/` to the console."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": HOME})
