"""The reference of the command line, made from the commands."""

import re
from collections.abc import Iterator

import click

from services.cli.main import cli

_PROGRAM = "imageconverter"


def command_reference() -> str:
    """Return all commands in Markdown: usage, help, arguments and options."""
    return "\n".join(line for path, command in _commands(cli, _PROGRAM) for line in _section(path, command))


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands below *group* with their whole names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _section(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"### {path}", "", "```text", f"{path} {usage}".rstrip(), "```", "")
    paragraphs = re.split(r"\n\s*\n", (command.help or "").strip())
    for paragraph in paragraphs:
        yield from (" ".join(paragraph.split()), "")
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        yield from ("| option | meaning |", "|---|---|")
        for option in options:
            yield _row(option, context)
        yield ""


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    names, text = record or ("", "")
    cells = [cell.replace("|", "\\|") for cell in (f"`{names}`", text)]
    return f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |"
