"""API keys and what each may do. Keys are kept as SHA-256 only; they are random, so no salt is needed."""

import hashlib
import hmac
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from imageconverter.errors import Unauthorized
from imageconverter.formats import PictureType
from imageconverter.settings import SettingsError

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

# How a picture's type is called in permissions.
AREA: dict[PictureType, str] = {"category": "categories", "product": "products", "app": "app"}


@dataclass(frozen=True)
class Grant:
    """What the holder of a key may do."""

    name: str
    permissions: frozenset[str]

    def may(self, permission: str, picture_type: PictureType | None = None) -> bool:
        """Whether the key holds *permission*, for *picture_type* or, without one, for any type at all."""
        if self.permissions & {"admin", permission}:
            return True
        areas = AREA.values() if picture_type is None else (AREA[picture_type],)
        return any(f"{permission}.{area}" in self.permissions for area in areas)

    def require(self, permission: str, picture_type: PictureType | None = None) -> None:
        """Raise Unauthorized unless the key `may`."""
        if not self.may(permission, picture_type):
            raise Unauthorized("The key does not have the right that this needs.")


class _Key(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    permissions: list[Permission]


class _KeysFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: list[_Key] = []


class KeyRing:
    """All keys that are accepted."""

    def __init__(self, admin_key: SecretStr | None, keys_file: Path | None) -> None:
        """Take the *admin_key* and those of *keys_file*; raises SettingsError where the file is unusable."""
        self._grants: list[tuple[bytes, Grant]] = []
        if admin_key is not None:
            self._grants.append((_digest(admin_key.get_secret_value()), Grant("admin", frozenset({"admin"}))))
        for key in _read(keys_file):
            self._grants.append((bytes.fromhex(key.sha256), Grant(key.name, frozenset(key.permissions))))
        if not self._grants:
            raise SettingsError("IMAGECONVERTER_API_KEY: must be set, or IMAGECONVERTER_API_KEYS_FILE with a key")

    def grant(self, request: web.Request) -> Grant:
        """Return what *request*'s key may do; raises Unauthorized where there is none or it is unknown.

        Every key is compared, in constant time, whichever fits.
        """
        presented = _digest(_bearer(request))
        found = [grant for digest, grant in self._grants if hmac.compare_digest(digest, presented)]
        if not found:
            raise Unauthorized("A valid API key is needed: Authorization: Bearer <key>.")
        return found[0]


def key_entry(name: str, key: str, permissions: Sequence[str]) -> str:
    """Return the lines of a keys file that accept *key*."""
    quoted = ", ".join(f'"{permission}"' for permission in permissions)
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f'[[key]]\nname = "{name}"\nsha256 = "{digest}"\npermissions = [{quoted}]\n'


def _bearer(request: web.Request) -> str:
    header = request.headers.get("Authorization") or request.headers.get("X-Authorization") or ""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _read(path: Path | None) -> list[_Key]:
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
