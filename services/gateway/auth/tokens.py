"""Access and refresh tokens: JSON Web Tokens with the holder of the credentials and an expiry."""

import time
from typing import Any, Final, Literal, NamedTuple, get_args

import jwt

Kind = Literal["access", "refresh"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

LIFETIME_SECONDS: Final[dict[Kind, int]] = {"access": 30 * 60, "refresh": 24 * 3600}
_ALGORITHM = "HS256"
_ISSUER = "imageconverter"
_CLAIMS: Final = ("exp", "iss", "sub", "use", "crd", "sid", "jti", "end")


class Token(NamedTuple):
    """The content of a valid token."""

    holder: str
    credential: str
    """A digest of the key or password that the login was made with; a changed password ends its tokens."""
    kind: Kind
    login: str
    """The id of the login."""
    id: str
    """The id of a refresh token."""
    login_end: int
    """When the login ends, however often it is refreshed, in seconds since 1970."""


class TokenSigner:
    """Issues and verifies tokens with a secret that all gateways share."""

    def __init__(self, secret: bytes) -> None:
        """Sign with *secret*, of at least 32 bytes (RFC 7518, section 3.2)."""
        self._secret = secret

    def issue(self, token: Token) -> str:
        """Return *token* as text, valid for the lifetime of its kind from now on, but not longer than its login."""
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "sub": token.holder,
            "crd": token.credential,
            "use": token.kind,
            "sid": token.login,
            "jti": token.id,
            "end": token.login_end,
            "iat": now,
            "exp": min(now + LIFETIME_SECONDS[token.kind], token.login_end),
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, text: str) -> Token | None:
        """Return the content of the token *text*; None if it is not valid or has expired."""
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                self._secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        if claims["use"] not in KINDS or time.time() >= claims["exp"]:
            return None
        return Token(claims["sub"], claims["crd"], claims["use"], claims["sid"], claims["jti"], claims["end"])
