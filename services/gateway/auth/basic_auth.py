"""Basic authentication (RFC 7617) for the protected operations of the ImageConverter API."""

import binascii
from base64 import b64decode

from aiohttp import web

from imageconverter.errors import Unauthorized
from services.gateway.auth.administrator import Administrator
from services.gateway.auth.attempts import Attempts
from services.gateway.auth.cross_site import require_same_site


class BasicAuth:
    """The administrator's user and password; without a password, all requests are rejected."""

    def __init__(self, administrator: Administrator) -> None:
        """Accept the credentials of *administrator*."""
        self._administrator = administrator

    async def require(self, request: web.Request, attempts: Attempts) -> None:
        """Raise Unauthorized unless *request* has the credentials; TooManyAttempts if *attempts* does.

        Rejects cross-site requests: browsers add saved credentials to them, and these operations accept GET, so
        that an image URL on a page of another site could call them.
        """
        require_same_site(request)
        user, password = _credentials(request.headers.get("Authorization", ""))
        valid = self._administrator.matches(user, password)
        if password and self._administrator.digest is not None:
            await attempts.check(request, success=valid)
        if not valid:
            raise Unauthorized("The administrator's user and password are required: Authorization: Basic.")


def _credentials(header: str) -> tuple[str, str]:
    """Return user and password of a Basic *header*; empty if it is not one."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        text = b64decode(token.strip().encode("ascii"), validate=True).decode("utf-8", "surrogateescape")
    except (UnicodeEncodeError, binascii.Error):
        return "", ""
    user, _, password = text.partition(":")
    return user, password
