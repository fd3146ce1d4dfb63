"""`imageconverter push` and `pull`: make sources of a local folder, and the reverse."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from services.cli.options import with_client
from services.cli.terminal import CommandError, escape_for_terminal

if TYPE_CHECKING:
    from services.client import AsyncClient

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _sync_options(delete_help: str) -> Callable[[_Command], _Command]:
    """Add `--delete`, with its help, `--yes` and `--dry-run` to a command."""

    def decorate(command: _Command) -> _Command:
        command = click.option("-n", "--dry-run", is_flag=True, help="Print what would be done.")(command)
        command = click.option("--yes", is_flag=True, help="Delete without asking.")(command)
        return click.option("--delete", is_flag=True, help=f"{delete_help} Asks first.")(command)

    return decorate


def _require_folder(_context: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    if not path.is_dir():
        raise CommandError(f"{escape_for_terminal(str(path))} is not a folder")
    return path


@click.command
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path), callback=_require_folder)
@click.argument("directory", default="")
@_sync_options("Delete sources below DIRECTORY that are not in DIR.")
@with_client
async def push(client: "AsyncClient", folder: Path, directory: str, *, delete: bool, yes: bool, dry_run: bool) -> int:
    """Make sources of the images below the local folder DIR.

    They are stored below the source DIRECTORY, by default the root. Only what has changed is sent; an interrupted
    command sends the rest when it is run again.
    """
    from services.cli.synchronizing import push_folder  # noqa: PLC0415 - help does without

    return await push_folder(client, folder, directory.strip("/"), delete=delete, yes=yes, dry_run=dry_run)


@click.command
@click.argument("directory")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@_sync_options("Delete images in DIR that are not below DIRECTORY.")
@with_client
async def pull(client: "AsyncClient", directory: str, folder: Path, *, delete: bool, yes: bool, dry_run: bool) -> int:
    """Write the sources below DIRECTORY to the local folder DIR.

    `/` is the root. Only what has changed is received; an interrupted command receives the rest when it is run again.
    """
    from services.cli.synchronizing import pull_directory  # noqa: PLC0415 - help does without

    return await pull_directory(client, directory.strip("/"), folder, delete=delete, yes=yes, dry_run=dry_run)
