"""Keys and passwords that nobody gave: made once, kept in the data folder, readable by their owner only."""

import os
import secrets
from pathlib import Path

from imageconverter.settings import SettingsError

_FILE = "credentials.env"
_BYTES = 24

API_KEY = "IMAGECONVERTER_API_KEY"
ADMIN_PASSWORD = "IMAGECONVERTER_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
REDIS_PASSWORD = "EMBEDDED_REDIS_PASSWORD"  # noqa: S105
S3_ACCESS_KEY = "EMBEDDED_S3_ACCESS_KEY"
S3_SECRET_KEY = "EMBEDDED_S3_SECRET_KEY"  # noqa: S105
_NAMES = (API_KEY, ADMIN_PASSWORD, REDIS_PASSWORD, S3_ACCESS_KEY, S3_SECRET_KEY)


def load_or_make(folder: Path) -> dict[str, str]:
    """Return the credentials kept in *folder*; those that are missing are made and kept.

    Raises SettingsError where the file cannot be read or written.
    """
    file = path(folder)
    try:
        kept = _read(file) if file.exists() else {}
        missing = [name for name in _NAMES if not kept.get(name)]
        kept |= {name: secrets.token_urlsafe(_BYTES) for name in missing}
        if missing:
            _write(file, kept)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be used: {error}") from None
    return kept


def path(folder: Path) -> Path:
    """Return the file below *folder* that the credentials are kept in."""
    return folder / _FILE


def write_private(file: Path, text: str) -> None:
    """Write *file* in one step, with mode 0600 from the start."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    draft.replace(file)


def _read(file: Path) -> dict[str, str]:
    kept = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise ValueError(f"line {number} is not NAME=VALUE")
        kept[name.strip()] = value.strip()
    return kept


def _write(file: Path, kept: dict[str, str]) -> None:
    lines = [
        "# Made by `imageconverter up`. Delete a line to have a new value made;",
        "# those of the embedded servers belong to the data beside this file.",
        *(f"{name}={value}" for name, value in kept.items()),
    ]
    write_private(file, "\n".join(lines) + "\n")
