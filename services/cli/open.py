"""`imageconverter open`: the console, in a browser."""

import sys
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Final

import click

from services.cli import output
from services.cli.output import output_options
from services.cli.terminal import CommandError

_PAGE: Final = '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={url}">\n'


@click.command("open")
@click.option("--server", metavar="URL", help="Default: the gateway of the settings, on this machine.")
@click.option("--print", "only_print", is_flag=True, help="Print the address only.")
@output_options
def open_server(server: str | None, *, only_print: bool) -> int:
    """Print the address of the console, and open it in a browser.

    A browser is opened only if the output is a terminal. At the server on this machine it is logged in with the key
    of the settings or the data folder, if there is one.
    """
    from imageconverter.settings import load_settings  # noqa: PLC0415 - help does without
    from services.cli.connection import find_access, server_url  # noqa: PLC0415
    from services.stack.welcome import CONSOLE, login_path  # noqa: PLC0415

    settings = load_settings()
    base = server_url(settings, server)
    output.echo(f"{base}{CONSOLE}")
    output.result({"url": f"{base}{CONSOLE}"})
    if sys.stdout.isatty() and not only_print and output.mode() == "text":
        address = f"{base}{CONSOLE}"
        if server is None:  # the key is for no other
            with suppress(CommandError):
                key = find_access(settings, server=None, key=None).key
                address = _private_page(settings.process.cache_folder, f"{base}{login_path(key)}").as_uri()
        click.launch(address)
    return 0


def _private_page(folder: Path, url: str) -> Path:
    """Write a page for the user alone that leads to *url*, whose key all users would see in a command line."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "open.html"
    page.unlink(missing_ok=True)
    page.touch(mode=0o600, exist_ok=False)
    page.write_text(_PAGE.format(url=escape(url)), encoding="utf-8")
    return page.resolve()
