"""`imageconverter key`: generate an API key."""

import secrets
from collections.abc import Sequence

import click

from services.cli import output
from services.cli.output import output_options
from services.cli.terminal import CommandError
from services.gateway.auth.api_keys import PERMISSIONS, key_entry


@click.command
@click.argument("name")
@click.argument("permissions", metavar="PERMISSION...", nargs=-1, required=True)
@click.option("--subshop", "subshops", multiple=True, metavar="ID", help="Limit the key to this subshop; repeatable.")
@output_options
def key(name: str, permissions: Sequence[str], subshops: Sequence[str]) -> int:
    """Generate an API key and its entry for the keys file.

    The key is printed on stderr, the entry, which has only the key's hash, on stdout: append it to the keys file with
    >>. NAME is who or what the key is for. A PERMISSION is, for example, images.read or images.publish.products.
    """
    unknown = [each for each in permissions if each not in PERMISSIONS]
    if unknown:
        raise CommandError(f"unknown permission: {', '.join(unknown)}; known are {', '.join(PERMISSIONS)}")
    generated = secrets.token_urlsafe(32)
    entry = key_entry(name, generated, permissions, subshops)
    if output.mode() != "json":
        click.echo(f"key: {generated}", err=True)
        click.echo(entry)
    output.result({"key": generated, "entry": entry})
    return 0
