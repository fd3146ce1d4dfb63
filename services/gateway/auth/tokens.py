"""Access and refresh tokens: signed statements of who logged in and until when, which no server has to keep."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Literal, NamedTuple

Kind = Literal["access", "refresh"]

LIFE_SECONDS: dict[Kind, int] = {"access": 30 * 60, "refresh": 24 * 3600}


class Token(NamedTuple):
    """What a valid token says."""

    holder: str
    kind: Kind


class TokenSigner:
    """Issues and reads tokens under a secret that all gateways share."""

    def __init__(self, secret: bytes) -> None:
        """Derive the signing key from *secret*, which serves another purpose as well."""
        self._key = hmac.digest(secret, b"imageconverter login tokens", "sha256")

    def issue(self, holder: str, kind: Kind) -> str:
        """Return a token for *holder* that is valid for its kind's life from now on."""
        said = json.dumps([holder, kind, int(time.time()) + LIFE_SECONDS[kind]]).encode()
        return f"{_text(said)}.{_text(self._sign(said))}"

    def read(self, text: str) -> Token | None:
        """Return what the token *text* says, None where it is not ours or has expired."""
        head, _, tail = text.partition(".")
        try:
            said, signature = _bytes(head), _bytes(tail)
            if not hmac.compare_digest(signature, self._sign(said)):
                return None
            holder, kind, until = json.loads(said)
        except (ValueError, binascii.Error):
            return None
        return Token(holder, kind) if time.time() < until else None

    def _sign(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
