"""Basic authentication (RFC 7617) for the protected operations of the ImageConverter API."""

import binascii
import hmac
from base64 import b64decode
from hashlib import sha256

from aiohttp import web

from imageconverter.errors import Unauthorized
from imageconverter.settings import GatewaySettings
from services.gateway.auth.attempts import Attempts


class BasicAuth:
    """The administrator's user and password; without a password, all requests are rejected."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Use `admin_user` and `admin_password` of *settings*."""
        password = settings.admin_password.get_secret_value() if settings.admin_password else ""
        self._expected = _digest(f"{settings.admin_user}:{password}".encode()) if password else None

    async def require(self, request: web.Request, attempts: Attempts) -> None:
        """Raise Unauthorized unless *request* has the credentials; TooManyAttempts if *attempts* does.

        Rejects cross-site requests: browsers add saved credentials to them, and these operations accept GET, so
        that an image URL on a page of another site could call them.
        """
        if request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
            raise Unauthorized("Cross-site requests are not allowed.")
        presented = _credentials(request.headers.get("Authorization", ""))
        valid = self._expected is not None and hmac.compare_digest(_digest(presented), self._expected)
        if presented and self._expected is not None:
            await attempts.check(request, success=valid)
        if not valid:
            raise Unauthorized("The administrator's user and password are required: Authorization: Basic.")


def _credentials(header: str) -> bytes:
    """Return `user:password` of a Basic *header*; empty if it is not one."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(token.strip().encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return b""


def _digest(credentials: bytes) -> bytes:
    """Return a digest, so that the time of the comparison does not depend on the length of *credentials*."""
    return sha256(credentials).digest()
