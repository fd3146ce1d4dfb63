"""What commands print: text and tables, with --json one JSON document instead, with --quiet only errors."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import click

from services.cli.terminal import escape_for_terminal

_Command = TypeVar("_Command", bound=Callable[..., Any])

_KEY = "services.cli.output"


def output_options(command: _Command) -> _Command:
    """Add `--json` and `--quiet` to a command; the functions of this module follow them."""
    for name, short, text in (
        ("json", (), "Print the result as one JSON document."),
        ("quiet", ("-q",), "Print nothing but errors."),
    ):
        option = click.option(
            f"--{name}", *short, is_flag=True, expose_value=False, is_eager=True, callback=_remember, help=text
        )
        command = option(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    if value:
        context.meta[_KEY] = parameter.name


def mode() -> Literal["text", "json", "quiet"]:
    """Return what the running command prints."""
    context = click.get_current_context(silent=True)
    found: Literal["json", "quiet"] | None = context.meta.get(_KEY) if context else None
    return found or "text"


def echo(text: str) -> None:
    """Print *text* for people, with control characters escaped except for line breaks."""
    if mode() == "text":
        click.echo("\n".join(escape_for_terminal(line) for line in text.split("\n")))


def echo_marked(mark: str, color: str, text: str) -> None:
    """Print *text* behind a *mark*, which has a *color* on a terminal, unless the user wants none (NO_COLOR)."""
    from imageconverter.settings import wants_color  # noqa: PLC0415 - help does without

    padded = f"{mark:9}"
    if mode() == "text":
        click.echo((click.style(padded, fg=color) if wants_color() else padded) + escape_for_terminal(text))


def result(value: Any) -> None:
    """Print *value*, the result of the command, for programs."""
    if mode() == "json":
        click.echo(json.dumps(value, ensure_ascii=False))


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = ()) -> None:
    """Print *rows* in columns, below the *header* if there is one."""
    lines = [header, *rows] if header else rows
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))] if lines else []
    for line in lines:
        echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
