"""The endpoints of the delivery log."""

from collections.abc import AsyncIterator

import pytest

from imageconverter.resources import Resources
from tests.testing.runs import Client, get, post
from tests.testing.webhook_deliveries import FIRST, SECOND, forget_all, record, settle

PATH = "/admin/api/v1/images/webhooks"


@pytest.fixture
async def delivered(resources: Resources) -> AsyncIterator[str]:
    """The id of an event that was delivered to one endpoint, but has failed at the other."""
    await forget_all(resources)
    await resources.outbox.register([SECOND, FIRST])
    await record(resources, "job")
    await settle(resources, FIRST, status="delivered", attempts=1, response=204)
    yield await settle(resources, SECOND, status="failed", attempts=11, response=500, error="No.", attempted_at=9)
    await forget_all(resources)


async def test_the_log_lists_endpoints_and_deliveries(gateway: Client, delivered: str) -> None:
    """Without bodies, and without more of a URL than its origin."""
    status, response = await get(gateway, PATH)

    assert status == 200
    first, second = response["items"]
    assert (first["origin"], first["events"]) == ("https://a.example", ["dead_letter.created"])
    assert second["deliveries"][0].pop("at") > 0
    assert second == {
        "id": "0b",
        "origin": "https://b.example",
        "events": ["dead_letter.created", "run.finished"],
        "disabled": "",
        "waiting": 0,
        "deliveries": [
            {
                "id": delivered,
                "type": "dead_letter.created",
                "status": "failed",
                "attempts": 11,
                "response": 500,
                "error": "No.",
                "attempted": 9,
                "next": 0,
            }
        ],
    }


async def test_a_retry_sends_an_event_where_it_has_failed(
    gateway: Client, resources: Resources, delivered: str
) -> None:
    """Nowhere else; the attempts are counted anew."""
    assert await post(gateway, f"{PATH}/{delivered}", {}) == (200, {})

    assert await resources.outbox.take(FIRST.id, "token", lease_seconds=60) is None
    again = await resources.outbox.take(SECOND.id, "token", lease_seconds=60)
    assert again is not None
    assert (again.id, again.status, again.attempts) == (delivered, "waiting", 0)


async def test_a_retry_of_what_was_delivered_is_not_found(gateway: Client, resources: Resources) -> None:
    """Nor is an unknown one."""
    await forget_all(resources)
    await resources.outbox.register([FIRST])
    await record(resources, "another job")
    delivered = await settle(resources, FIRST, status="delivered")
    for each in (delivered, "msg_0"):
        status, response = await post(gateway, f"{PATH}/{each}", {})
        assert (status, response["reason"]) == (404, "There is no such delivery that waits or has failed.")
    await forget_all(resources)


async def test_without_endpoints_the_log_is_empty(gateway: Client, resources: Resources) -> None:
    """As by default."""
    await forget_all(resources)
    assert await get(gateway, PATH) == (200, {"items": []})
