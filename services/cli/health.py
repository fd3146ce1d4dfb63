"""`imageconverter health`: the health check of a container."""

import asyncio

import click

from imageconverter.settings import load_settings
from services.cli import output
from services.cli.output import output_options
from services.runtime.health import problems
from services.runtime.roles import ROLES
from services.stack.running import beside_up


@click.command
@click.argument("role", type=click.Choice(ROLES))
@output_options
def health(role: str) -> int:
    """Check that a role on this host can do its work.

    For container health checks: exits with 0 if the process of ROLE has sent a heartbeat, and Redis and the object
    store can be written; else with 1, and prints why.
    """
    found = asyncio.run(problems(beside_up(load_settings()), role))
    for problem in found:
        click.echo(f"imageconverter: {problem}", err=True)
    output.result({"role": role, "problems": found})
    return 1 if found else 0
