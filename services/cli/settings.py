"""`imageconverter settings`: the reference of all settings."""

import click

from imageconverter.settings import settings_table


@click.command
def settings() -> int:
    """Print all settings as a Markdown table."""
    click.echo(settings_table())
    return 0
