"""A group of commands that imports the module of a command only when that command is used."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are named as `module:attribute`.

    Starting a worker must not import the gateway, and a health check must not import an HTTP client.
    """

    def __init__(self, *arguments: Any, lazy_commands: Mapping[str, str], **options: Any) -> None:
        """Add *lazy_commands*, in their order; *arguments* and *options* are those of click.Group."""
        super().__init__(*arguments, **options)
        self._lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of their definition."""
        return [*self._lazy_commands, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None if there is none of that name."""
        target = self._lazy_commands.get(cmd_name)
        if target is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - for mypy: the table names commands only
        return command
