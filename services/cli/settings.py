"""`imageconverter settings`: the reference of all settings."""

import click

from imageconverter.settings import settings_table, variables
from services.cli import output
from services.cli.output import output_options


@click.command
@output_options
def settings() -> int:
    """Print all settings as a Markdown table."""
    output.echo(settings_table())
    output.result([variable._asdict() for variable in variables()])
    return 0
