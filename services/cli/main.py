"""The `imageconverter` command: assembles the commands and turns errors into exit statuses."""

import atexit
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from imageconverter import __version__
from imageconverter.invalid_configuration import InvalidConfiguration
from services.cli import terminal
from services.cli.lazy_group import LazyCommand, LazyGroup

_COMMANDS = {
    "up": LazyCommand("services.cli.up:up", "Run the whole stack on this machine, including Redis and S3."),
    "gateway": LazyCommand("services.cli.roles:gateway", "Run one gateway."),
    "worker": LazyCommand("services.cli.roles:worker", "Run one worker."),
    "reporter": LazyCommand("services.cli.roles:reporter", "Run one reporter."),
    "convert": LazyCommand("services.cli.convert:convert", "Convert images among local files and folders."),
    "push": LazyCommand("services.cli.sync:push", "Make sources of the images below the local folder DIR."),
    "pull": LazyCommand("services.cli.sync:pull", "Write the sources below DIRECTORY to the local folder DIR."),
    "trash": LazyCommand("services.cli.trash:trash", "List or restore deleted sources."),
    "status": LazyCommand("services.cli.status:status", "Show the state of the running or last run."),
    "formats": LazyCommand("services.cli.formats:formats", "List, check and try image formats, without a server."),
    "jobs": LazyCommand("services.cli.jobs:jobs", "List, retry or drop dead letters."),
    "catalog": LazyCommand(
        "services.cli.catalog:catalog", "Manage the catalog: the images that the shop references."
    ),
    "automatic": LazyCommand("services.cli.automatic:automatic", "Show and control automatic conversion."),
    "report": LazyCommand("services.cli.report:report", "Find missing and unused images, and act on them."),
    "webhooks": LazyCommand("services.cli.webhooks:webhooks", "Show what was sent to webhooks, and send it again."),
    "doctor": LazyCommand("services.cli.doctor:doctor", "Check settings, servers, formats, sandbox and disk."),
    "open": LazyCommand(
        "services.cli.open:open_server", "Print the address of the console, and open it in a browser."
    ),
    "logs": LazyCommand("services.cli.logs:logs", "Print the ends of the logs of `up`."),
    "health": LazyCommand("services.cli.health:health", "Check that a role on this host can do its work."),
    "reindex": LazyCommand("services.cli.reindex:reindex", "Rebuild the index of previews from the object store."),
    "backup": LazyCommand("services.cli.backup:backup", "Write everything in the object store to a tar file."),
    "restore": LazyCommand("services.cli.restore:restore", "Write a file of `backup` to the object store."),
    "verify": LazyCommand("services.cli.verify:verify", "Compare Redis with the object store, and say what to do."),
    "key": LazyCommand("services.cli.key:key", "Generate an API key and its entry for the keys file."),
    "settings": LazyCommand("services.cli.settings:settings", "Print all settings as a Markdown table."),
    "completion": LazyCommand(
        "services.cli.completion:completion", "Print the script that makes a shell complete this command."
    ),
}
_HELP = frozenset({"-h", "--help"})


@click.group(cls=LazyGroup, lazy_commands=_COMMANDS, context_settings={"help_option_names": sorted(_HELP, key=len)})
@click.version_option(__version__, message="imageconverter %(version)s")
@click.pass_obj
def cli(arguments: Sequence[str] | None) -> None:
    """A self-hosted image conversion service."""  # noqa: D401 - printed by --help
    if _HELP.intersection(arguments or ()):
        return
    settings = import_module("imageconverter.settings")  # here, because help and version do without
    for name in settings.unknown_variables():
        terminal.print_error(f"{name} is not a setting; see docs/operations.md")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status; *arguments* are those of the process if not given."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        return int(cli.main(given, prog_name="imageconverter", standalone_mode=False, obj=given))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return terminal.INTERRUPTED
    except InvalidConfiguration as error:
        for line in str(error).splitlines():
            terminal.print_error(line)
        return terminal.INVALID_USAGE


def run() -> NoReturn:
    """Run the command of this process and exit.

    The interpreter is not torn down: a thread of obstore that reports a result to an event loop at that moment would
    abort the process.
    """
    status = main()
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - the only way to run what os._exit skips
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader of the output is gone
        status = status or terminal.FAILED
    os._exit(status)


if __name__ == "__main__":
    run()
