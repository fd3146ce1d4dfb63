"""`imageconverter webhooks`: show the delivery log, and send events again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from services.cli import output
from services.cli.options import with_client

if TYPE_CHECKING:
    from services.client import AsyncClient
    from services.client.responses import WebhookEndpoint


@click.group
def webhooks() -> None:
    """Show what was sent to webhooks, and send it again."""


@webhooks.command("list")
@with_client
async def list_endpoints(client: "AsyncClient") -> int:
    """List the endpoints with their last deliveries."""
    found = await client.webhooks.list()
    output.echo("\n".join(line for endpoint in found for line in _lines(endpoint)) or "no webhooks")
    output.result(found)
    return 0


@webhooks.command
@click.argument("webhook_id", metavar="ID")
@with_client
async def retry(client: "AsyncClient", webhook_id: str) -> int:
    """Send the event ID again, where that has not succeeded."""
    await client.webhooks.retry(webhook_id)
    output.echo(f"{webhook_id} is sent again")
    output.result({"id": webhook_id})
    return 0


def _lines(endpoint: "WebhookEndpoint") -> Iterator[str]:
    """Yield the lines that describe *endpoint*."""
    state = f"disabled: {endpoint['disabled']}" if endpoint["disabled"] else f"{endpoint['waiting']} waiting"
    yield f"{endpoint['origin']}  {endpoint['id']}  {state}"
    for delivery in endpoint["deliveries"]:
        following = f", next {_time(delivery['next'])}" if delivery["next"] else ""
        error = f"  {delivery['error']}" if delivery["error"] else ""
        yield (
            f"    {delivery['id']}  {delivery['type']}  {_time(delivery['at'])}  {delivery['status']}"
            f"  attempts {delivery['attempts']}{following}{error}"
        )


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
