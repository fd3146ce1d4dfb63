"""The `imageconverter` command: assembles the commands and turns errors into exit statuses."""

import sys
from collections.abc import Sequence

import click

from imageconverter import __version__
from imageconverter.images.formats_file import FormatsFileError
from imageconverter.settings import SettingsError, unknown_variables
from services.cli import terminal
from services.cli.lazy_group import LazyGroup

_COMMANDS = {
    "up": "services.cli.up:up",
    "gateway": "services.cli.roles:gateway",
    "worker": "services.cli.roles:worker",
    "reporter": "services.cli.roles:reporter",
    "convert": "services.cli.convert:convert",
    "status": "services.cli.status:status",
    "formats": "services.cli.formats:formats",
    "jobs": "services.cli.jobs:jobs",
    "catalog": "services.cli.catalog:catalog",
    "report": "services.cli.report:report",
    "health": "services.cli.health:health",
    "reindex": "services.cli.reindex:reindex",
    "key": "services.cli.key:key",
    "settings": "services.cli.settings:settings",
}


@click.group(cls=LazyGroup, lazy_commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="imageconverter %(version)s")
def cli() -> None:
    """A self-hosted image conversion service."""  # noqa: D401 - printed by --help
    for name in unknown_variables():
        terminal.print_error(f"{name} is not a setting; see docs/operations.md")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status; *arguments* are those of the process if not given."""
    try:
        return int(cli.main(arguments, prog_name="imageconverter", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return terminal.INTERRUPTED
    except (SettingsError, FormatsFileError) as error:
        for line in str(error).splitlines():
            terminal.print_error(line)
        return terminal.INVALID_USAGE


if __name__ == "__main__":
    sys.exit(main())
