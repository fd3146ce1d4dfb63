"""Access and refresh tokens: JSON Web Tokens with the holder of the credentials and an expiry, not stored."""

import time
from typing import Any, Final, Literal, NamedTuple, get_args

import jwt

Kind = Literal["access", "refresh"]

LIFETIME_SECONDS: Final[dict[Kind, int]] = {"access": 30 * 60, "refresh": 24 * 3600}
_ALGORITHM = "HS256"
_ISSUER = "imageconverter"


class Token(NamedTuple):
    """The content of a valid token."""

    holder: str
    kind: Kind


class TokenSigner:
    """Issues and verifies tokens with a secret that all gateways share."""

    def __init__(self, secret: bytes) -> None:
        """Sign with *secret*, of at least 32 bytes (RFC 7518, section 3.2)."""
        self._secret = secret

    def issue(self, holder: str, kind: Kind) -> str:
        """Return a token for *holder* that is valid for the lifetime of its *kind* from now on."""
        now = int(time.time())
        claims = {"iss": _ISSUER, "sub": holder, "use": kind, "iat": now, "exp": now + LIFETIME_SECONDS[kind]}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, text: str) -> Token | None:
        """Return the content of the token *text*; None if it is not valid or has expired."""
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                self._secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["exp", "iss", "sub", "use"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        if claims["use"] not in get_args(Kind) or time.time() >= claims["exp"]:
            return None
        return Token(claims["sub"], claims["use"])
