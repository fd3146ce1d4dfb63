"""How commands on this machine reach the embedded servers of a running `up`."""

from collections.abc import Mapping
from pathlib import Path

from imageconverter.settings import Settings, load_settings
from services.stack.credentials import write_private

_FILE = "running.env"


def remember(folder: Path, settings: Mapping[str, str]) -> None:
    """Store the *settings* with which roles reach the embedded servers, readable only by their owner."""
    write_private(folder / _FILE, "".join(f"{name}={value}\n" for name, value in settings.items()))


def forget(folder: Path) -> None:
    """Delete what `remember` has stored."""
    (folder / _FILE).unlink(missing_ok=True)


def beside_up(settings: Settings) -> Settings:
    """Return *settings* with the embedded servers of a running `up`, for those whose address is not set."""
    try:
        lines = (settings.process.data_dir / _FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return settings
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    if settings.redis.url is not None:
        values.pop("IMAGECONVERTER_REDIS_URL", None)
    if settings.storage.endpoint is not None:
        values = {name: value for name, value in values.items() if not name.startswith("IMAGECONVERTER_S3_")}
    return load_settings(values) if values else settings
