"""`imageconverter restore`: a backup into the object store."""

import asyncio
import sys
from pathlib import Path
from typing import IO

import click

from imageconverter import audit
from imageconverter.errors import Unavailable
from imageconverter.resources import open_resources
from imageconverter.settings import load_settings
from services.cli import terminal
from services.cli.bucket_archive import InvalidArchive
from services.cli.bucket_backup import Totals
from services.cli.bucket_restore import has_data, restore_backup
from services.cli.terminal import CommandError
from services.runtime.logs import set_up_logging
from services.stack.running import beside_up

_STANDARD_INPUT = Path("-")
_RETRY_TIMEOUT_SECONDS = 30


@click.command
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--replace", is_flag=True, help="Even if the object store is not empty.")
def restore(file: Path, *, replace: bool) -> int:
    """Write a file of `backup` to the object store.

    `-` is the standard input. The stack has to run: its reporter rebuilds Redis from the object store within seconds.
    Objects that are in the backup are replaced, others stay.
    """
    try:
        if file == _STANDARD_INPUT:
            totals = asyncio.run(_restore(sys.stdin.buffer, replace=replace))
        else:
            with file.open("rb") as opened:
                totals = asyncio.run(_restore(opened, replace=replace))
    except Unavailable as error:
        terminal.print_error(f"{error.reason} Then run the command again, with --replace.")
        return terminal.FAILED
    except InvalidArchive as error:
        terminal.print_error(str(error))
        return terminal.FAILED
    except OSError as error:
        raise CommandError(f"The backup cannot be read: {error.strerror}.") from None
    click.echo(f"{terminal.pluralize(totals.objects, 'object')}, {totals.bytes} bytes", err=True)
    return 0


async def _restore(file: IO[bytes], *, replace: bool) -> Totals:
    settings = beside_up(load_settings())
    set_up_logging(settings.process, role="restore")
    async with open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources:
        await resources.ownership.claim()
        resources.ownership.require()
        if not replace and await has_data(resources.store):
            raise CommandError("The object store is not empty: use another bucket, or --replace.")
        totals = await restore_backup(resources, file)
    audit.record("restore", actor="command restore", count=totals.objects)
    return totals
