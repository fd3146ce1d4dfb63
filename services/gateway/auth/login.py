"""Handlers of `login` and `login/checkToken/{otok}`, which are not below `images/`."""

from aiohttp import web

from imageconverter.errors import InvalidValue, MissingField, NotFound, Unauthorized
from services.gateway import state
from services.gateway.auth.tokens import LIFETIME_SECONDS, Kind
from services.gateway.images_api.request_bodies import LoginBody, read_json

_MAX_CHARACTERS = 1000
_DOTS = 2  # between header, claims and signature


async def login(request: web.Request) -> web.Response:
    """Return an access and a refresh token for an API key, a user and password, or a refresh token.

    With `?setCookie`, also set them as cookies.
    """
    ring = request.app[state.KEYS]
    signer = ring.signer
    if signer is None:
        raise NotFound("The login is disabled: IMAGECONVERTER_TOKEN_SECRET is not set.")
    body = await read_json(request, LoginBody)
    if body.apiKey is not None:
        holder = ring.holder_of_key(body.apiKey)
    elif body.refreshToken is not None:
        holder = ring.holder_of_token(body.refreshToken, "refresh")
    elif body.email is not None and body.password is not None:
        holder = ring.holder_of_password(body.email, body.password)
    else:
        raise MissingField("apiKey, or email and password, must be passed.", field="apiKey")
    await request.app[state.ATTEMPTS].check(request, success=holder is not None)
    if holder is None:
        raise Unauthorized("The credentials are not valid.")
    tokens: dict[Kind, str] = {kind: signer.issue(holder, kind) for kind in LIFETIME_SECONDS}
    response = web.json_response({f"{kind}Token": token for kind, token in tokens.items()})
    if "setCookie" in request.query:
        secure = is_https(request, request.app[state.GATEWAY].trusted_proxies)
        for kind, token in tokens.items():
            response.set_cookie(
                f"{kind}Token",
                token,
                max_age=LIFETIME_SECONDS[kind],
                httponly=True,
                samesite="Strict",
                secure=secure,
            )
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
    holder = request.app[state.KEYS].holder_of_token(token, "access")
    if holder is None:
        raise NotFound("The token is not valid.")
    return web.json_response({"id": holder})
