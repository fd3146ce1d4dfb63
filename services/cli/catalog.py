"""`imageconverter catalog import`: telling the server what the shop refers to."""

import asyncio
import gzip
import shutil
import tempfile
from pathlib import Path
from typing import Any

from imageconverter.settings import Settings, SettingsError
from services.cli import terminal
from services.cli.connection import find_access
from services.cli.terminal import escape_for_terminal
from services.client.api import ImagesApi, open_api

_LOOK_SECONDS = 0.5


def send(
    settings: Settings, file: Path, type_id: str, notation: str | None, *, server: str | None, key: str | None
) -> int:
    """Send the catalog in *file* and wait until it counts; returns the exit status.

    Raises SettingsError, also where there is no such file.
    """
    access = find_access(settings, server=server, key=key)
    if not file.is_file():
        raise SettingsError(f"{file}: there is no such file")

    async def work() -> int:
        async with open_api(access) as api:
            counts = await _sent(api, type_id, file, notation or _notation(file))
        if counts["lastImport"]["failure"]:
            terminal.print_error(escape_for_terminal(counts["lastImport"]["failure"]))
            return terminal.WRONG_USE
        print(f"{type_id}: entries {counts['entries']}, images {counts['images']}")
        return 0

    return terminal.run(work())


async def _sent(api: ImagesApi, type_id: str, file: Path, notation: str) -> dict[str, Any]:
    """Send *file*, unpacked, and return what is told of the catalog once it was taken over or refused."""
    if file.suffix != ".gz":
        answer = await api.replace_catalog(type_id, file, notation)
    else:
        with tempfile.NamedTemporaryFile(prefix="imageconverter-") as unpacked:
            await asyncio.to_thread(_unpack, file, Path(unpacked.name))
            answer = await api.replace_catalog(type_id, Path(unpacked.name), notation)
    while "entries" not in answer:
        await asyncio.sleep(_LOOK_SECONDS)
        stand = await api.catalog(type_id, answer["id"])
        if stand["lastImport"]["id"] == answer["id"]:
            return stand
    return answer


def _unpack(packed: Path, target: Path) -> None:
    with gzip.open(packed) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)


def _notation(file: Path) -> str:
    return "csv" if file.name.lower().removesuffix(".gz").endswith(".csv") else "ndjson"
