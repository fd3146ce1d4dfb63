"""`imageconverter trash`: list and restore deleted sources."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from services.cli import output, terminal
from services.cli.options import with_client
from services.cli.terminal import escape_for_terminal, pluralize

if TYPE_CHECKING:
    from services.client import AsyncClient

_AT_ONCE = 1000


@click.group
def trash() -> None:
    """List or restore deleted sources."""


@trash.command("list")
@with_client
async def list_deleted(client: "AsyncClient") -> int:
    """List the deleted sources, the last deletion first, with the time of each and its item."""
    found = [source async for source in client.sources.trash()]
    lines = [f"{source['deletedAt']}  {escape_for_terminal(source['item'])}" for source in found]
    output.echo("\n".join(lines) or "the trash is empty")
    output.result(found)
    return 0


@trash.command
@click.argument("items", metavar="ITEM...", nargs=-1, required=True)
@click.option("--overwrite", is_flag=True, help="Replace sources that have these paths by now.")
@with_client
async def restore(client: "AsyncClient", items: Sequence[str], *, overwrite: bool) -> int:
    """Restore items; what is before the first slash of an item stands for all of its deletion."""
    restored, kept = 0, 0
    for start in range(0, len(items), _AT_ONCE):
        done = await client.sources.restore(items[start : start + _AT_ONCE], overwrite=overwrite)
        restored += done["restored"]
        kept += done["kept"]
        for refused in done["refused"]:
            terminal.print_error(f"{escape_for_terminal(refused['item'])}: {refused['reason']}")
    output.echo(f"{pluralize(restored, 'source')} restored")
    output.result({"restored": restored, "kept": kept})
    return int(kept > 0)
