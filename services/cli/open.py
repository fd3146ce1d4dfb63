"""`imageconverter open`: the address of the server, in a browser."""

import sys

import click

from services.cli import output
from services.cli.output import output_options


@click.command("open")
@click.option("--server", metavar="URL", help="Default: the gateway of the settings, on this machine.")
@click.option("--print", "only_print", is_flag=True, help="Print the address only.")
@output_options
def open_server(server: str | None, *, only_print: bool) -> int:
    """Print the address of the server, and open it in a browser.

    A browser is opened only if the output is a terminal.
    """
    from imageconverter.settings import load_settings  # noqa: PLC0415 - help does without
    from services.cli.connection import server_url  # noqa: PLC0415

    url = f"{server_url(load_settings(), server)}/"
    output.echo(url)
    output.result({"url": url})
    if sys.stdout.isatty() and not only_print and output.mode() == "text":
        click.launch(url)
    return 0
