"""`imageconverter webhooks`, run as a user does."""

import json
from collections.abc import AsyncIterator

import pytest

from imageconverter.resources import Resources
from tests.testing.commands import address, run
from tests.testing.runs import Client
from tests.testing.webhook_deliveries import FIRST, forget_all, record, settle


@pytest.fixture
async def waiting(resources: Resources) -> AsyncIterator[str]:
    """The id of an event that waits for its next attempt."""
    await forget_all(resources)
    await resources.outbox.register([FIRST])
    await record(resources, "a job of the command line")
    yield await settle(
        resources, FIRST, attempts=2, response=500, error="The response\x1b has status 500.", next_at=99
    )
    await forget_all(resources)


async def test_endpoints_and_deliveries_are_listed(gateway: Client, waiting: str) -> None:
    """With attempts, the time of the next one, and the error."""
    done = await run("webhooks", "list", "--server", address(gateway))

    endpoint, delivery = done.out.splitlines()
    assert endpoint == "https://a.example  0a  1 waiting"
    assert delivery.split()[:2] == [waiting, "dead_letter.created"]
    assert "waiting  attempts 2, next 1970-01-0" in delivery
    assert delivery.endswith("  The response\\x1b has status 500.")


async def test_the_log_is_printed_for_programs(gateway: Client, waiting: str) -> None:
    """As the API returns it."""
    done = await run("webhooks", "list", "--json", "--server", address(gateway))

    (endpoint,) = json.loads(done.out)
    assert [each["id"] for each in endpoint["deliveries"]] == [waiting]


async def test_an_event_is_sent_again(gateway: Client, resources: Resources, waiting: str) -> None:
    """An unknown one is an error."""
    sent = await run("webhooks", "retry", waiting, "--server", address(gateway))
    unknown = await run("webhooks", "retry", "msg_0", "--server", address(gateway))

    assert sent == (0, f"{waiting} is sent again\n", "")
    assert unknown.status == 2
    assert "There is no such delivery" in unknown.err
    assert await resources.outbox.take(FIRST.id, "token", lease_seconds=60) is not None


async def test_without_webhooks_there_is_a_line(gateway: Client, resources: Resources) -> None:
    """The exit status is 0."""
    await forget_all(resources)
    assert await run("webhooks", "list", "--server", address(gateway)) == (0, "no webhooks\n", "")
