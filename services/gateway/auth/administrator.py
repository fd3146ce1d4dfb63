"""The administrator: a user and a password, from the settings or from a file that may change."""

import hmac
from hashlib import sha256

import structlog

from imageconverter.settings import GatewaySettings, SettingsError
from services.gateway.auth.watched_file import WatchedFile

_log = structlog.get_logger(__name__)


class Administrator:
    """The user and password of the login and of Basic authentication. Without a password nothing is accepted."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Use `admin_user` and `admin_password` or `admin_password_file`; raises SettingsError for a bad file."""
        self.user = settings.admin_user
        self._password = settings.admin_password.get_secret_value() if settings.admin_password else ""
        self._file = WatchedFile(settings.admin_password_file) if settings.admin_password_file else None
        if self._file is not None:
            try:
                self._read(self._file)
            except (OSError, ValueError) as error:
                raise SettingsError(f"IMAGECONVERTER_ADMIN_PASSWORD_FILE: {self._file.path}: {error}") from None

    @property
    def digest(self) -> bytes | None:
        """The digest of user and password; None without a password."""
        self._refresh()
        return _digest(self.user, self._password) if self._password else None

    def matches(self, user: str, password: str) -> bool:
        """Return whether these are the user and the password, in a time that does not depend on them."""
        expected = self.digest
        return expected is not None and hmac.compare_digest(_digest(user, password), expected)

    def _refresh(self) -> None:
        if self._file is not None:
            try:
                self._read(self._file)
            except (OSError, ValueError) as error:
                _log.warning("admin password not read again", file=str(self._file.path), reason=str(error))

    def _read(self, file: WatchedFile) -> None:
        if file.has_changed():
            password = file.path.read_text(encoding="utf-8").rstrip("\r\n")
            if not password:
                raise ValueError("the file is empty")
            self._password = password


def _digest(user: str, password: str) -> bytes:
    """Return a digest of fixed length, so that comparing it takes the same time for all credentials."""
    parts = (part.encode("utf-8", "surrogateescape") for part in (user, password))
    return sha256(b"".join(sha256(part).digest() for part in parts)).digest()
