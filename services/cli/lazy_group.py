"""A group of commands that imports the module of a command only when that command is used."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem


class LazyCommand(NamedTuple):
    """A command that is not imported yet."""

    target: str
    """As `module:attribute`."""
    short_help: str
    """The first sentence of its help."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used; its help imports none of them.

    Starting a worker must not import the gateway, and a health check must not import an HTTP client.
    """

    def __init__(self, *arguments: Any, lazy_commands: Mapping[str, LazyCommand], **options: Any) -> None:
        """Add *lazy_commands*, in their order; *arguments* and *options* are those of click.Group."""
        super().__init__(*arguments, **options)
        self.lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands in the order of their definition."""
        return [*self.lazy_commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command, None if there is none of that name."""
        found = self.lazy_commands.get(cmd_name)
        if found is None:
            return None
        module, _, attribute = found.target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - for mypy: the table names commands only
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin with *incomplete*, without importing a command."""
        names = [
            CompletionItem(name, help=each.short_help)
            for name, each in self.lazy_commands.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands of the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.short_help) for name, each in self.lazy_commands.items()])
