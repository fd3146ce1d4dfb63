"""Basic authentication (RFC 7617) of the ImageConverter API's guarded operations."""

import binascii
import hmac
from base64 import b64decode
from hashlib import sha256

from aiohttp import web

from imageconverter.errors import Unauthorized
from imageconverter.settings import GatewaySettings
from services.gateway.auth.attempts import Attempts


class BasicAuth:
    """One user with one password; nobody is let in where no password is set."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Take `admin_user` and `admin_password` of *settings*."""
        password = settings.admin_password.get_secret_value() if settings.admin_password else ""
        self._expected = _digest(f"{settings.admin_user}:{password}".encode()) if password else None

    async def require(self, request: web.Request, attempts: Attempts) -> None:
        """Raise Unauthorized unless *request* carries the credentials, TooManyAttempts as *attempts* has it.

        What a browser adds by itself to the request of another site's page does not count: these operations
        answer GET as well, so that a image's address in such a page could call them.
        """
        if request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
            raise Unauthorized("A page of another site cannot use these credentials.")
        presented = _credentials(request.headers.get("Authorization", ""))
        right = self._expected is not None and hmac.compare_digest(_digest(presented), self._expected)
        if presented and self._expected is not None:
            await attempts.check(request, success=right)
        if not right:
            raise Unauthorized("The administrator's user and password are needed: Authorization: Basic.")


def _credentials(header: str) -> bytes:
    """Return `user:password` as it was sent; nothing where the header does not hold that."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(token.strip().encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return b""


def _digest(credentials: bytes) -> bytes:
    """Make equally long what is compared, so that the time it takes tells nothing of the length either."""
    return sha256(credentials).digest()
