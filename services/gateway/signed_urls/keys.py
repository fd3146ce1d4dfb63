"""The keys that sign URLs."""

import hmac
from base64 import urlsafe_b64encode
from typing import Final

import structlog

from imageconverter.errors import SignatureRefused
from imageconverter.settings import SettingsError, SignedUrlSettings
from services.gateway.auth.watched_file import WatchedFile

_log = structlog.get_logger(__name__)

_NAME: Final = "IMAGECONVERTER_SIGNED_URL_KEYS"
_MIN_BYTES, _MAX_BYTES = 32, 64  # RFC 2104: shorter ones are weak, longer ones gain nothing
_MAX_KEYS: Final = 8


class SigningKeys:
    """The keys of the settings, or of a file that may change. Without keys, signed URLs are disabled."""

    def __init__(self, settings: SignedUrlSettings) -> None:
        """Use `keys` or `keys_file`; raises SettingsError if they are invalid. No message contains a key."""
        text = settings.keys.get_secret_value() if settings.keys else ""
        self._file = WatchedFile(settings.keys_file) if settings.keys_file else None
        if self._file and text:
            raise SettingsError(f"{_NAME}_FILE: must not be set beside {_NAME}")
        try:
            self._keys = _parse(text) if text else ()
            self._refresh()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{_NAME}{f'_FILE: {self._file.path}' if self._file else ''}: {error}") from None

    @property
    def are_enabled(self) -> bool:
        """Whether there is a key."""
        return bool(self._keys) or self._file is not None

    def verify(self, signature: str, text: str) -> None:
        """Raise SignatureRefused unless one of the keys has made *signature* of *text*, in constant time."""
        try:
            self._refresh()
        except (OSError, ValueError) as error:
            _log.warning("signing keys not read again", file=str(self._file and self._file.path), reason=str(error))
        given, signed = signature.encode(errors="replace"), text.encode(errors="replace")
        if not any([hmac.compare_digest(_signature(key, signed), given) for key in self._keys]):  # noqa: C419
            raise SignatureRefused("The signature of the URL is wrong.")

    def _refresh(self) -> None:
        if self._file is not None and self._file.has_changed():
            self._keys = _parse(self._file.path.read_text(encoding="ascii"))


def _signature(key: bytes, text: bytes) -> bytes:
    return urlsafe_b64encode(hmac.digest(key, text, "sha256")).rstrip(b"=")


def _parse(text: str) -> tuple[bytes, ...]:
    """Return the keys in *text*; raises ValueError, whose message does not contain them."""
    words = text.split()
    if not 1 <= len(words) <= _MAX_KEYS:
        raise ValueError(f"must have 1 to {_MAX_KEYS} keys")
    try:
        keys = tuple(map(bytes.fromhex, words))
    except ValueError:
        raise ValueError("must be in hexadecimal digits") from None
    if any(not _MIN_BYTES <= len(key) <= _MAX_BYTES for key in keys):
        raise ValueError(f"each key must have {_MIN_BYTES} to {_MAX_BYTES} bytes")
    return keys
