"""Handlers of `login` and `login/checkToken/{otok}`, which are not below `images/`."""

import time
from typing import NamedTuple

from aiohttp import web

from imageconverter.errors import InvalidValue, MissingField, NotFound, Unauthorized
from services.gateway import audit, state
from services.gateway.auth.api_keys import KeyRing
from services.gateway.auth.cross_site import require_same_site
from services.gateway.auth.sessions import SESSION_SECONDS, Sessions, new_id
from services.gateway.auth.tokens import KINDS, LIFETIME_SECONDS, Token, TokenSigner
from services.gateway.http.responses import EmptyResponse, ResponseModel, json_response
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import LoginBody, LogoutBody

_MAX_CHARACTERS = 1000
_DOTS = 2  # between header, claims and signature


class Tokens(ResponseModel):
    """The tokens of a login."""

    access_token: str
    """Valid for 30 minutes, as `Authorization: Bearer …`."""
    refresh_token: str
    """For the next login, valid for a day; can be used once."""


class IssuedTokens(NamedTuple):
    """The tokens of a login, and to whom they are issued."""

    holder: str
    access: str
    refresh: str


class TokenHolder(ResponseModel):
    """To whom a token was issued."""

    id: str
    """The name of the key or the user."""


async def login(request: web.Request) -> web.Response:
    """Return an access and a refresh token for an API key, a user and password, or a refresh token.

    A refresh token can be used once. With `?setCookie`, also set the tokens as cookies.
    """
    require_same_site(request)
    ring, sessions = request.app[state.KEYS], request.app[state.SESSIONS]
    signer = ring.signer
    if signer is None:
        raise NotFound("The login is disabled: IMAGECONVERTER_TOKEN_SECRET is not set.")
    body = await read_json(request, LoginBody)
    if body.refreshToken is not None:
        is_valid = ring.token(body.refreshToken, "refresh") is not None
        await request.app[state.ATTEMPTS].check(request, success=is_valid)
        tokens = await refreshed(request, body.refreshToken)
    else:
        holder = _holder(ring, body)
        await request.app[state.ATTEMPTS].check(request, success=holder is not None)
        if holder is None or (credential := ring.credential(holder)) is None:
            raise Unauthorized("The credentials are not valid.")
        audit.identify(request, ring.grant_of(holder).actor)
        tokens = _issue(signer, await _begin(sessions, holder, credential))
    response = json_response(Tokens(access_token=tokens.access, refresh_token=tokens.refresh))
    if "setCookie" in request.query:
        set_cookies(request, response, tokens)
    return response


async def refresh(request: web.Request) -> web.Response:
    """Renew the login of the cookies, unless its access token is still valid; returns its holder.

    For browsers, whose scripts cannot read the cookies.
    """
    require_same_site(request)
    current = request.app[state.KEYS].token(request.cookies.get("accessToken", ""), "access")
    if current is not None:
        return json_response(TokenHolder(id=current.holder))
    tokens = await refreshed(request, request.cookies.get("refreshToken", ""))
    response = json_response(TokenHolder(id=tokens.holder))
    set_cookies(request, response, tokens)
    return response


async def refreshed(request: web.Request, refresh_token: str) -> IssuedTokens:
    """Return new tokens for *refresh_token*, which can be used once. Raises Unauthorized."""
    ring, sessions = request.app[state.KEYS], request.app[state.SESSIONS]
    before = ring.token(refresh_token, "refresh")
    if before is None or ring.signer is None:
        raise Unauthorized("The credentials are not valid.")
    audit.identify(request, ring.grant_of(before.holder).actor)
    return _issue(ring.signer, await _refresh(sessions, before))


def set_cookies(request: web.Request, response: web.Response, tokens: IssuedTokens) -> None:
    """Store *tokens* in the browser, out of reach of scripts and of other sites."""
    secure = is_https(request, request.app[state.GATEWAY].trusted_proxies)
    for kind in KINDS:
        response.set_cookie(
            f"{kind}Token",
            getattr(tokens, kind),
            max_age=LIFETIME_SECONDS[kind],
            httponly=True,
            samesite="Strict",
            secure=secure,
        )


def _issue(signer: TokenSigner, granted: Token) -> IssuedTokens:
    access, refresh = (signer.issue(granted._replace(kind=kind)) for kind in KINDS)
    return IssuedTokens(granted.holder, access, refresh)


def _holder(ring: KeyRing, body: LoginBody) -> str | None:
    """Return the holder of the credentials in *body*; None if they are not valid. Raises MissingField."""
    if body.apiKey is not None:
        return ring.holder_of_key(body.apiKey)
    if body.email is None or body.password is None:
        raise MissingField("apiKey, or email and password, must be passed.", field="apiKey")
    return ring.holder_of_password(body.email, body.password)


async def _begin(sessions: Sessions, holder: str, credential: str) -> Token:
    login_id = new_id()
    token_id = await sessions.begin(login_id)
    return Token(holder, credential, "refresh", login_id, token_id, int(time.time()) + SESSION_SECONDS)


async def _refresh(sessions: Sessions, before: Token) -> Token:
    token_id = await sessions.refresh(before.login, before.id)
    if token_id is None:
        raise Unauthorized("The login has ended.")
    return before._replace(id=token_id)


async def logout(request: web.Request) -> web.Response:
    """End the login of the refresh token in the body or in the cookie, and remove the cookies."""
    require_same_site(request)
    body = await read_json(request, LogoutBody)
    ring = request.app[state.KEYS]
    token = ring.token(body.refreshToken or request.cookies.get("refreshToken", ""), "refresh")
    if token is not None:
        audit.identify(request, ring.grant_of(token.holder).actor)
        await request.app[state.SESSIONS].end(token.login)
    response = json_response(EmptyResponse())
    for kind in LIFETIME_SECONDS:
        response.del_cookie(f"{kind}Token")
    return response


def is_https(request: web.Request, proxies: int) -> bool:
    """Return whether the client uses HTTPS, to this gateway or to the outermost of *proxies* trusted proxies.

    Without proxies, X-Forwarded-Proto is ignored. With proxies, a client that forges it affects only its own cookies.
    """
    forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0]
    return request.secure or (proxies > 0 and forwarded.strip().lower() == "https")


async def check_token(request: web.Request) -> web.Response:
    """Return the holder of the access token in the path."""
    token = request.match_info.get("otok", "")
    if not token:
        raise MissingField("The token was not passed.", field="otok")
    if len(token) > _MAX_CHARACTERS or not token.isascii() or token.count(".") != _DOTS:
        raise InvalidValue("otok is not a token.", field="otok")
    found = request.app[state.KEYS].token(token, "access")
    if found is None:
        raise NotFound("The token is not valid.")
    return json_response(TokenHolder(id=found.holder))
