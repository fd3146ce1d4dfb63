"""Signatures of webhooks."""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode

from imageconverter.settings import SettingsError, WebhookSettings

SigningKeys = tuple[bytes, ...]

_PREFIX = "whsec_"
_MIN_BYTES, _MAX_BYTES = 24, 64  # by the specification


def sign(keys: SigningKeys, webhook_id: str, timestamp: int, body: str) -> str:
    """Return the header `webhook-signature`: a signature by each of *keys*; *timestamp* is in seconds since 1970."""
    content = f"{webhook_id}.{timestamp}.{body}".encode()
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)


def read_keys(settings: WebhookSettings) -> SigningKeys:
    """Return the keys of the configured secrets; raises SettingsError if there is none, or an invalid one."""
    name, text = "IMAGECONVERTER_WEBHOOK_SECRET", settings.secret.get_secret_value() if settings.secret else ""
    if settings.secret_file is not None:
        name = "IMAGECONVERTER_WEBHOOK_SECRET_FILE"
        if text:
            raise SettingsError(f"{name}: must not be set beside IMAGECONVERTER_WEBHOOK_SECRET")
        try:
            text = settings.secret_file.read_text(encoding="ascii")
        except (OSError, ValueError):
            raise SettingsError(f"{name}: {settings.secret_file} cannot be read") from None
    if not text.split():
        raise SettingsError(f"{name}: must be set, because there are webhooks")
    return tuple(_key(name, each) for each in text.split())


def _key(name: str, secret: str) -> bytes:
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True) if secret.startswith(_PREFIX) else b""
    except binascii.Error:
        key = b""
    if not _MIN_BYTES <= len(key) <= _MAX_BYTES:
        raise SettingsError(f"{name}: must be {_PREFIX} and {_MIN_BYTES} to {_MAX_BYTES} bytes in base64")
    return key
