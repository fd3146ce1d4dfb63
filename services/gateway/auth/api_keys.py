"""API keys and their permissions. Only their SHA-256 is stored: keys are random, so they need no salt."""

import hashlib
import hmac
import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imageconverter.errors import Unauthorized
from imageconverter.images.image_formats import ImageType
from imageconverter.quoting import listed
from imageconverter.settings import GatewaySettings, SettingsError
from services.gateway.auth.administrator import Administrator
from services.gateway.auth.cross_site import require_same_site
from services.gateway.auth.tokens import Kind, Token, TokenSigner
from services.gateway.auth.watched_file import WatchedFile
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
_SAFE = ("GET", "HEAD")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Grant:
    """The permissions of a key or user."""

    name: str
    permissions: frozenset[str]
    is_user: bool = False
    subshops: frozenset[str] | None = None
    """Ids of those that it is limited to; None: it is for all."""

    @property
    def actor(self) -> str:
        """The key or user, for the audit log."""
        return f"{'user' if self.is_user else 'key'} {self.name}"

    def may(self, permission: str, types: Iterable[ImageType] | None = None) -> bool:
        """Return whether the key has *permission* for each of *types*; for all types if these are None or empty."""
        return self._denial(permission, types) is None

    def require(self, permission: str, types: Iterable[ImageType] | None = None) -> None:
        """Raise Unauthorized, with the missing permission and types as its reason, unless `may` returns true."""
        if (reason := self._denial(permission, types)) is not None:
            raise Unauthorized(reason)

    def require_subshop(self, subshop_id: str | None) -> None:
        """Raise Unauthorized unless it is for the subshop; for all subshops if *subshop_id* is None."""
        if self.subshops is not None and subshop_id not in self.subshops:
            whose = "of all subshops" if subshop_id is None else "of this subshop"
            allowed = listed(sorted(self.subshops))
            raise Unauthorized(f"The key may not do this with what is {whose}; it is for: {allowed}.")

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
    subshops: Annotated[list[str], Field(min_length=1)] | None = None


class _KeysFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: list[Key] = []


class KeyRing:
    """The accepted credentials: keys, the administrator's password, and tokens issued for one of these.

    The keys file is read again when it changes; a key that was removed from it is rejected within about a second.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        """Read the administrator's key and password, the keys file and the token secret of *settings*.

        Raises SettingsError if the keys file cannot be used, if there is no key at all, or if there is a password
        without a secret.
        """
        self.administrator = Administrator(settings)
        secret = settings.token_secret
        if secret is None and self.administrator.digest is not None:
            raise SettingsError("IMAGECONVERTER_TOKEN_SECRET: must be set if IMAGECONVERTER_ADMIN_PASSWORD is")
        self.signer = None if secret is None else TokenSigner(secret.get_secret_value().encode())
        """None if the login is disabled."""
        self._admin_key = settings.api_key
        self._file = WatchedFile(settings.api_keys_file) if settings.api_keys_file is not None else None
        self._grants: dict[str, Grant] = {}
        self._digests: dict[str, bytes] = {}
        self._set_keys(read_keys(settings.api_keys_file))
        if not self._digests:
            raise SettingsError("IMAGECONVERTER_API_KEY: must be set, or IMAGECONVERTER_API_KEYS_FILE with a key")

    def grant(self, request: web.Request) -> Grant:
        """Return the permissions of the key or access token in a header, or of the access token in a cookie.

        Raises Unauthorized if *request* has neither, or one that is not valid, or if a page of another site makes a
        browser send the cookie to change something.
        """
        presented = bearer(request)
        if not presented and (presented := request.cookies.get("accessToken", "")) and request.method not in _SAFE:
            require_same_site(request)
        holder = self.holder_of_key(presented)
        if holder is None and (token := self.token(presented, "access")) is not None:
            holder = token.holder
        if holder is None:
            raise Unauthorized("A valid API key is required: Authorization: Bearer <key>.")
        return self.grant_of(holder)

    def may(self, request: web.Request, permission: str, subshop_id: str) -> bool:
        """Return whether *request* has a key or token with *permission* for the subshop."""
        try:
            grant = self.grant(request)
            grant.require(permission)
            grant.require_subshop(subshop_id)
        except Unauthorized:
            return False
        return True

    def holder_of_key(self, key: str) -> str | None:
        """Return the holder of *key*. Compares all keys, each in constant time, even after a match."""
        self._refresh()
        presented = _digest(key)
        found = [holder for holder, digest in self._digests.items() if hmac.compare_digest(digest, presented)]
        return found[0] if found else None

    def holder_of_password(self, user: str, password: str) -> str | None:
        """Return the holder of *user* and *password*."""
        return _USER + self.administrator.user if self.administrator.matches(user, password) else None

    def credential(self, holder: str) -> str | None:
        """Return a digest of the key or password of *holder* for its tokens; None if it has none any more."""
        self._refresh()
        is_user = holder == _USER + self.administrator.user
        digest = self.administrator.digest if is_user else self._digests.get(holder)
        return None if digest is None else hashlib.sha256(b"token" + digest).hexdigest()[:32]

    def token(self, text: str, kind: Kind) -> Token | None:
        """Return the content of the token *text*; None if it is invalid, or its key or password is not valid now."""
        token = self.signer.read(text) if self.signer is not None else None
        if token is None or token.kind != kind:
            return None
        expected = self.credential(token.holder)
        return token if expected is not None and hmac.compare_digest(expected, token.credential) else None

    @property
    def administrator_grant(self) -> Grant:
        """The permissions of the administrator."""
        return Grant(self.administrator.user, frozenset({"admin"}), is_user=True)

    def grant_of(self, holder: str) -> Grant:
        """Return the permissions of the valid *holder*."""
        return self.administrator_grant if holder == _USER + self.administrator.user else self._grants[holder]

    def _refresh(self) -> None:
        try:
            if self._file is not None and self._file.has_changed():
                self._set_keys(read_keys(self._file.path))
        except (OSError, SettingsError) as error:
            _log.warning("keys file not read again", reason=str(error))

    def _set_keys(self, entries: Sequence[Key]) -> None:
        grants: dict[str, Grant] = {}
        digests: dict[str, bytes] = {}
        found = [(bytes.fromhex(key.sha256), _grant(key)) for key in entries]
        if self._admin_key is not None:
            found.insert(0, (_digest(self._admin_key.get_secret_value()), Grant("admin", frozenset({"admin"}))))
        for digest, grant in found:
            holder = digest.hex()[:16]
            digests.setdefault(holder, digest)
            grants.setdefault(holder, grant)
        self._grants, self._digests = grants, digests


def key_entry(name: str, key: str, permissions: Sequence[str], subshops: Sequence[str] = ()) -> str:
    """Return the entry for *key* in a keys file; without *subshops*, it is for all."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    lists = {"permissions": permissions, **({"subshops": subshops} if subshops else {})}
    return f'[[key]]\nname = {json.dumps(name, ensure_ascii=False)}\nsha256 = "{digest}"\n' + "".join(
        f"{field} = {json.dumps(list(values), ensure_ascii=False)}\n" for field, values in lists.items()
    )


def _grant(key: Key) -> Grant:
    subshops = None if key.subshops is None else frozenset(key.subshops)
    return Grant(key.name, frozenset(key.permissions), subshops=subshops)


def bearer(request: web.Request) -> str:
    """Return the key or token in the header of *request*, "" if there is none."""
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
