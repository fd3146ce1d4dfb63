"""`imageconverter up`: run the whole stack on this machine."""

import click

from imageconverter.settings import load_settings
from services.stack.up import up as run_stack


@click.command
def up() -> int:
    """Run the whole stack on this machine, including Redis and S3."""
    return run_stack(load_settings())
