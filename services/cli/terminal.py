"""Exit statuses, error messages and safe output of the commands."""

from typing import IO, Any

import click

FAILED = 1
INVALID_USAGE = 2
INTERRUPTED = 130


class CommandError(click.ClickException):
    """An error of the caller, printed as one line without the usage of the command."""

    exit_code = INVALID_USAGE

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to *file*, by default to stderr."""
        print_error(self.message, file=file)


def print_error(line: str, *, file: IO[Any] | None = None) -> None:
    """Print *line* to *file*, by default to stderr."""
    click.echo(f"imageconverter: {line}", file=file, err=file is None)


def escape_for_terminal(text: str) -> str:
    """Return *text* with control characters escaped: file names and responses are untrusted."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def pluralize(number: int, noun: str) -> str:
    """Return *number* and *noun*, in the plural unless *number* is 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
