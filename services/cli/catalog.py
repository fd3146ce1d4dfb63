"""`imageconverter catalog import`: upload a catalog."""

import asyncio
import gzip
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from services.cli import output
from services.cli.options import type_option, with_client
from services.cli.terminal import CommandError, escape_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.client import AsyncClient
    from services.client.responses import Catalog, InvalidLine

Notation = Literal["csv", "ndjson"]

_POLL_SECONDS = 0.5


def _require_file(_context: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    if not path.is_file():
        raise CommandError(f"{escape_for_terminal(str(path))}: there is no such file")
    return path


@click.group
def catalog() -> None:
    """Manage the catalog: the images that the shop references."""


@catalog.command("import")
@click.argument("file", type=click.Path(path_type=Path), callback=_require_file)
@click.option(
    "--as", "notation", type=click.Choice(("csv", "ndjson")), help="Default: by the extension of the file's name."
)
@type_option
@with_client
async def import_catalog(client: "AsyncClient", file: Path, notation: Notation | None, type_id: str) -> int:
    """Replace the whole catalog of a type by FILE: NDJSON or CSV, optionally compressed as .gz."""
    from services.client.errors import RequestRejectedError  # noqa: PLC0415 - help does without

    try:
        state = await _upload(client, type_id, file, notation or _notation(file))
    except RequestRejectedError as error:
        if not error.lines:
            raise
        raise CommandError(_listed(error.lines)) from None
    last = state["lastImport"]
    if last["failure"]:
        raise CommandError(_listed(last.get("lines", ())) or escape_for_terminal(last["failure"]))
    output.echo(f"{type_id}: entries {state['entries']}, images {state['images']}")
    output.result(state)
    return 0


def _listed(lines: "Iterable[InvalidLine]") -> str:
    """Return the invalid *lines* of a catalog, each on a line of its own."""
    return "\n".join(
        escape_for_terminal(f"Line {each['line']}{', ' if each['field'] else ''}{each['field']}: {each['reason']}")
        for each in lines
    )


async def _upload(client: "AsyncClient", type_id: str, file: Path, notation: Notation) -> "Catalog":
    """Upload *file*, decompressed; returns the state of the catalog once the import has ended."""
    if file.suffix != ".gz":
        response = await client.catalogs.replace(type_id, file, notation=notation)
    else:
        with tempfile.NamedTemporaryFile(prefix="imageconverter-") as decompressed:
            await asyncio.to_thread(_decompress, file, Path(decompressed.name))
            response = await client.catalogs.replace(type_id, Path(decompressed.name), notation=notation)
    while "entries" not in response:
        await asyncio.sleep(_POLL_SECONDS)
        state = await client.catalogs.get(type_id, import_id=response["id"])
        if state["lastImport"]["id"] == response["id"]:
            return state
    return response


def _decompress(source: Path, target: Path) -> None:
    with gzip.open(source) as compressed, target.open("wb") as file:
        shutil.copyfileobj(compressed, file)


def _notation(file: Path) -> Notation:
    return "csv" if file.name.lower().removesuffix(".gz").endswith(".csv") else "ndjson"
