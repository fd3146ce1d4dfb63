"""`imageconverter health`: the health check of a container."""

import asyncio

import click

from imageconverter.settings import load_settings
from services.runtime.lifecycle import is_alive
from services.runtime.roles import ROLES


@click.command
@click.argument("role", type=click.Choice(ROLES))
def health(role: str) -> int:
    """Check that a role is alive on this host.

    For container health checks: exits with 0 if the process of ROLE has sent a heartbeat, else with 1.
    """
    return 0 if asyncio.run(is_alive(load_settings(), role)) else 1
