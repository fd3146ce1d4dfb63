"""`imageconverter webhooks`: show the delivery log, and send events again."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from services.cli.options import with_api
from services.cli.terminal import escape_for_terminal
from services.client.api import ImagesApi


@click.group
def webhooks() -> None:
    """Show what was sent to webhooks, and send it again."""


@webhooks.command("list")
@with_api
async def list_endpoints(api: ImagesApi) -> int:
    """List the endpoints with their last deliveries."""
    lines = [line for endpoint in await api.webhooks() for line in _lines(endpoint)]
    click.echo("\n".join(map(escape_for_terminal, lines)) or "no webhooks")
    return 0


@webhooks.command
@click.argument("webhook_id", metavar="ID")
@with_api
async def retry(api: ImagesApi, webhook_id: str) -> int:
    """Send the event ID again, where that has not succeeded."""
    await api.retry_webhook(webhook_id)
    click.echo(escape_for_terminal(f"{webhook_id} is sent again"))
    return 0


def _lines(endpoint: Mapping[str, Any]) -> Iterator[str]:
    state = f"disabled: {endpoint['disabled']}" if endpoint["disabled"] else f"{endpoint['waiting']} waiting"
    yield f"{endpoint['origin']}  {endpoint['id']}  {state}"
    for delivery in endpoint["deliveries"]:
        following = f"  next {_time(delivery['next'])}" if delivery["next"] else ""
        error = f"  {delivery['error']}" if delivery["error"] else ""
        yield (
            f"    {delivery['id']}  {delivery['type']}  {_time(delivery['at'])}  {delivery['status']}"
            f"  attempts {delivery['attempts']}{following}{error}"
        )


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
