"""`imageconverter reindex`: rebuild the index of previews."""

import asyncio

import click

from imageconverter import audit
from imageconverter.errors import Unavailable
from imageconverter.previews.reindex import reindex as rebuild_index
from imageconverter.resources import open_resources
from imageconverter.settings import Settings, load_settings
from services.cli import output, terminal
from services.cli.output import output_options
from services.runtime.logs import set_up_logging
from services.stack.running import beside_up

_RETRY_TIMEOUT_SECONDS = 30  # long enough for a restart of Redis


@click.command
@output_options
def reindex() -> int:
    """Rebuild the index of previews from the object store."""
    settings = beside_up(load_settings())
    set_up_logging(settings.process, role="reindex")
    try:
        count = asyncio.run(_rebuild(settings))
    except Unavailable as error:
        terminal.print_error(f"{error.reason} What was restored stays; run the command again for the rest.")
        return terminal.FAILED
    output.echo(f"{count} keys were restored")
    output.result({"restored": count})
    return 0


async def _rebuild(settings: Settings) -> int:
    async with open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources:
        await resources.ownership.claim()
        resources.ownership.require()
        count = await rebuild_index(resources.previews, resources.store)
    audit.record("reindex", actor="command reindex", count=count)
    return count
