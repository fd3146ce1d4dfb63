"""`imageconverter formats`: the group of its commands."""

import click

from services.cli.lazy_group import LazyCommand, LazyGroup

_COMMANDS = {
    "list": LazyCommand("services.cli.format_list:list_formats", "Print the image formats, one a line."),
    "check": LazyCommand("services.cli.format_list:check", "Check the formats file FILE and print its formats."),
    "preview": LazyCommand("services.cli.preview:preview", "Convert IMAGE to an image format on this machine."),
}


@click.group(cls=LazyGroup, lazy_commands=_COMMANDS)
def formats() -> None:
    """List, check and try image formats, without a server."""
