"""`imageconverter status`: how the running or last run stands, for people."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from imageconverter.settings import Settings
from services.cli import terminal
from services.cli.connection import find_access
from services.cli.progress import Progress, still_bar
from services.cli.terminal import escape_for_terminal
from services.client.api import open_api

_ORDER = ("success", "warning", "skipped", "error")


def status(settings: Settings, *, server: str | None, key: str | None, watch: bool) -> int:
    """Print how the last run stands, with *watch* once it has ended; returns the exit status.

    Raises SettingsError.
    """
    access = find_access(settings, server=server, key=key)

    async def work() -> int:
        async with open_api(access) as api:
            await api.status()
            runs = await api.runs()
            if not runs:
                print("there was no run yet")
                return 0
            stand = runs[0]
            run, action = stand["id"], stand["action"]
            if watch:
                with Progress(f"run {escape_for_terminal(run)}") as progress:
                    async for stand in api.events(run):
                        images = stand["progress"]
                        progress.show(images["finished"], images["total"], stand["counter"]["error"])
        print("\n".join(escape_for_terminal(line) for line in format_run(run, action, stand)))
        return terminal.FAILED if watch and (stand["status"] != "finished" or stand["counter"]["error"]) else 0

    return terminal.run(work())


def format_run(run: str, action: str, stand: Mapping[str, Any]) -> list[str]:
    """Return the lines that say how a run stands."""
    images, outputs, timer = stand["progress"], stand["progressFormat"], stand["timer"]
    started = datetime.fromtimestamp(timer["start"], UTC).astimezone()
    rate = f"{images['finished'] / timer['duration']:.1f} images/s" if timer["duration"] else "not known yet"
    return [
        f"run       {run}" + (f" ({action})" if action else ""),
        f"state     {stand['status']}",
        f"progress  {still_bar(images['finished'], images['total'])}",
        f"images    {images['finished']} of {images['total']}: {_counts(stand['counter'])}",
        f"outputs   {outputs['finished']} of {outputs['total']}: {_counts(stand['formatCounter'])}",
        f"formats   {', '.join(stand['usedFormats'])}",
        f"started   {started:%Y-%m-%d %H:%M:%S}",
        f"duration  {timedelta(seconds=timer['duration'])}",
        f"rate      {rate}",
    ]


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{counter[name]} {name}" for name in _ORDER)
