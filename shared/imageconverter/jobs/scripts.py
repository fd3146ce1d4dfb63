"""The Lua scripts of the service. Each is one step for Redis, so that no reader sees half of a change."""

from importlib.resources import files
from typing import Final

from imageconverter import keys

_PACKAGE: Final = "imageconverter.jobs"


def script_text(package: str, *names: str) -> str:
    """Return the Lua files *names* of *package*, joined, after what all scripts share."""
    folder = files(package)
    parts = [files(_PACKAGE) / "prelude.lua", *(folder / f"{name}.lua" for name in names)]
    constants = [f"local CLOCK = '{keys.CLOCK}'", f"local WEBHOOK_EVENTS = '{keys.WEBHOOK_EVENTS}'"]
    return "\n".join([*constants, *(part.read_text(encoding="utf-8") for part in parts)])
