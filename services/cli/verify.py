"""`imageconverter verify`: compares what Redis and the object store have, as after a restored backup."""

import asyncio

import click

from imageconverter.resources import open_resources
from imageconverter.settings import Settings, load_settings
from imageconverter.verification import Difference
from imageconverter.verification import verify as compare_all
from services.cli import output, terminal
from services.cli.output import output_options
from services.runtime.logs import set_up_logging
from services.stack.running import beside_up

_COLORS = {"ok": "green", "warning": "yellow", "error": "red"}
_RETRY_TIMEOUT_SECONDS = 4


@click.command
@output_options
def verify() -> int:
    """Compare Redis with the object store, and say what to do.

    As after a restored backup or an upgrade. It changes nothing. The exit status is 1 if something is wrong that does
    not pass without action.
    """
    settings = beside_up(load_settings())
    set_up_logging(settings.process, role="verify")
    found = asyncio.run(_compare(settings))
    output.result([each._asdict() for each in found])
    return terminal.FAILED if any(each.state == "error" for each in found) else 0


async def _compare(settings: Settings) -> list[Difference]:
    found: list[Difference] = []
    async with open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources:
        async for each in compare_all(resources):
            found.append(each)
            output.echo_marked(each.state, _COLORS[each.state], f"{each.subject}: {each.text}")
            if each.advice:
                output.echo(f"         {each.advice}")
    return found
