"""Which server a command talks to, and with which key."""

from pathlib import Path

from yarl import URL

from imageconverter.settings import Settings, SettingsError
from services.client.api import Access
from services.runtime.roles import local_gateway_url
from services.stack import credentials


def find_access(settings: Settings, *, server: str | None, key: str | None) -> Access:
    """Return what was given, else what the settings say, else the key that `up` has made here.

    Raises SettingsError where that is nothing usable.
    """
    return Access(_server(server) if server is not None else local_gateway_url(settings.gateway), _key(settings, key))


def _server(given: str) -> str:
    try:
        url = URL(given)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment:
        raise SettingsError(f"--server: {given!r} is not an address like http://127.0.0.1:8005")
    return given.rstrip("/")


def _key(settings: Settings, given: str | None) -> str:
    made = credentials.path(settings.process.data_dir)
    if given is None and settings.gateway.api_key is not None:
        given = settings.gateway.api_key.get_secret_value()
    key = (_made_key(made) if given is None else given).strip()
    if not key:
        raise SettingsError(f"no API key: set {credentials.API_KEY} or give --key; there is none in {made} either")
    if not key.isascii() or not key.isprintable():
        raise SettingsError("the API key holds characters that no key has")
    return key


def _made_key(file: Path) -> str:
    """Return the key that `up` keeps in *file*, "" where that is none or not ours to read."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ""
    kept = dict(line.split("=", 1) for line in lines if "=" in line)
    return kept.get(credentials.API_KEY, "")
