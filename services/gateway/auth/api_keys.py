"""API keys and their permissions. Only their SHA-256 is stored: keys are random, so they need no salt."""

import hashlib
import hmac
import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imageconverter.errors import Unauthorized
from imageconverter.images.image_formats import ImageType
from imageconverter.settings import GatewaySettings, SettingsError
from services.gateway.auth.tokens import Kind, TokenSigner
from services.gateway.images_api.image_types import AREAS

Permission = Literal[
    "admin",
    "categories.read",
    "products.read",
    "app.read",
    "products.create",
    "images.read",
    "images.publish",
    "images.publish.categories",
    "images.publish.products",
    "images.publish.app",
    "images.delete",
    "images.delete.categories",
    "images.delete.products",
    "images.delete.app",
]
PERMISSIONS: tuple[str, ...] = get_args(Permission)

_USER = "user:"


@dataclass(frozen=True)
class Grant:
    """The permissions of a key."""

    name: str
    permissions: frozenset[str]

    def may(self, permission: str, types: Iterable[ImageType] | None = None) -> bool:
        """Return whether the key has *permission* for each of *types*; for all types if these are None or empty."""
        return self._denial(permission, types) is None

    def require(self, permission: str, types: Iterable[ImageType] | None = None) -> None:
        """Raise Unauthorized, with the missing permission and types as its reason, unless `may` returns true."""
        if (reason := self._denial(permission, types)) is not None:
            raise Unauthorized(reason)

    def _denial(self, permission: str, types: Iterable[ImageType] | None) -> str | None:
        """Return why the key may not do this; None if it may."""
        if self.permissions & {"admin", permission}:
            return None
        areas = [AREAS[kind] for kind in types or ()]
        missing = [area for area in areas if f"{permission}.{area}" not in self.permissions]
        if areas and not missing:
            return None
        suffix = f" for {', '.join(sorted(missing))}" if missing else ""
        return f"The key does not have the permission {permission}{suffix}."


class Key(BaseModel):
    """An entry of the keys file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    permissions: list[Permission]


class _KeysFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: list[Key] = []


class KeyRing:
    """The accepted credentials: keys, the administrator's password, and tokens issued for one of these."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Read the administrator's key and password, the keys file and the token secret of *settings*.

        Raises SettingsError if the keys file cannot be used, if there is no key at all, or if there is a password
        without a secret.
        """
        secret = settings.token_secret
        if secret is None and settings.admin_password is not None:
            raise SettingsError("IMAGECONVERTER_TOKEN_SECRET: must be set if IMAGECONVERTER_ADMIN_PASSWORD is")
        self.signer = None if secret is None else TokenSigner(secret.get_secret_value().encode())
        """None if the login is disabled."""
        self._grants: dict[str, Grant] = {}
        self._digests: dict[str, bytes] = {}
        if settings.api_key is not None:
            self._add(_digest(settings.api_key.get_secret_value()), Grant("admin", frozenset({"admin"})))
        for key in read_keys(settings.api_keys_file):
            self._add(bytes.fromhex(key.sha256), Grant(key.name, frozenset(key.permissions)))
        if not self._digests:
            raise SettingsError("IMAGECONVERTER_API_KEY: must be set, or IMAGECONVERTER_API_KEYS_FILE with a key")
        self._user = settings.admin_user
        self._password = settings.admin_password
        if self._password is not None:
            self._grants[_USER + self._user] = Grant(self._user, frozenset({"admin"}))

    def grant(self, request: web.Request) -> Grant:
        """Return the permissions of the key or access token in a header, or of the access token in a cookie.

        Raises Unauthorized if *request* has neither, or one that is not valid.
        """
        presented = _bearer(request) or request.cookies.get("accessToken", "")
        holder = self.holder_of_key(presented) or self.holder_of_token(presented, "access")
        if holder is None:
            raise Unauthorized("A valid API key is required: Authorization: Bearer <key>.")
        return self._grants[holder]

    def holder_of_key(self, key: str) -> str | None:
        """Return the holder of *key*. Compares all keys, each in constant time, even after a match."""
        presented = _digest(key)
        found = [holder for holder, digest in self._digests.items() if hmac.compare_digest(digest, presented)]
        return found[0] if found else None

    def holder_of_token(self, text: str, kind: Kind) -> str | None:
        """Return the holder of the token *text*; None if it is invalid, or its key was removed."""
        token = self.signer.read(text) if self.signer is not None else None
        return token.holder if token and token.kind == kind and token.holder in self._grants else None

    def holder_of_password(self, user: str, password: str) -> str | None:
        """Return the holder of *user* and *password*. Compares both in constant time, even if the first differs."""
        if self._password is None:
            return None
        right_user = hmac.compare_digest(_digest(self._user), _digest(user))
        right_password = hmac.compare_digest(_digest(self._password.get_secret_value()), _digest(password))
        return _USER + self._user if right_user and right_password else None

    def _add(self, digest: bytes, grant: Grant) -> None:
        holder = digest.hex()[:16]
        self._digests.setdefault(holder, digest)
        self._grants.setdefault(holder, grant)


def key_entry(name: str, key: str, permissions: Sequence[str]) -> str:
    """Return the entry for *key* in a keys file."""
    quoted = ", ".join(f'"{permission}"' for permission in permissions)
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f'[[key]]\nname = {json.dumps(name, ensure_ascii=False)}\nsha256 = "{digest}"\npermissions = [{quoted}]\n'


def _bearer(request: web.Request) -> str:
    header = request.headers.get("Authorization") or request.headers.get("X-Authorization") or ""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def read_keys(path: Path | None) -> list[Key]:
    """Return the keys of the file at *path*; raises SettingsError if it cannot be used."""
    if path is None:
        return []
    try:
        return _KeysFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).key
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"IMAGECONVERTER_API_KEYS_FILE: {path}: {where}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"IMAGECONVERTER_API_KEYS_FILE: {path}: {error}") from None
