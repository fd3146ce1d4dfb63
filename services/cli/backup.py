"""`imageconverter backup`: everything that is in the object store, as one file."""

import asyncio
import os
import sys
from pathlib import Path
from typing import IO

import click

from imageconverter.errors import Unavailable
from imageconverter.settings import load_settings
from imageconverter.storage.store import ObjectStore
from services.cli import terminal
from services.cli.bucket_backup import make_backup
from services.runtime.logs import set_up_logging
from services.stack.running import beside_up

_STANDARD_OUTPUT = Path("-")


@click.command
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def backup(file: Path) -> int:
    """Write everything in the object store to a tar file.

    `-` is the standard output. The stack has to run. Redis needs no backup: it is rebuilt from the object store.
    """
    unfinished = file.with_name(f"{file.name}.part")
    try:
        if file == _STANDARD_OUTPUT:
            asyncio.run(_back_up(sys.stdout.buffer))
            return 0
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
            asyncio.run(_back_up(written))
            os.fsync(written.fileno())
        unfinished.replace(file)
    except Unavailable as error:
        terminal.print_error(error.reason)
        return terminal.FAILED
    except OSError as error:
        terminal.print_error(f"The backup cannot be written: {error.strerror}.")
        return terminal.FAILED
    return 0


async def _back_up(file: IO[bytes]) -> None:
    settings = beside_up(load_settings())
    set_up_logging(settings.process, role="backup")
    totals = await make_backup(ObjectStore(settings.storage), file)
    click.echo(f"{terminal.pluralize(totals.objects, 'object')}, {totals.bytes} bytes", err=True)
