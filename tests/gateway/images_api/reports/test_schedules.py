"""The schedule of reports over HTTP; when it is due is tested in `tests/reporter`."""

import asyncio

import pytest

from imageconverter import keys
from tests.testing.shop_client import Shop


async def test_the_schedule_is_that_of_the_settings_until_it_is_changed(shop: Shop) -> None:
    """Who has changed it is recorded, and it can be reset."""
    default = {"cron": "", "timeZone": "", "default": "", "isDefault": True}
    default |= {"changedAt": None, "changedBy": "", "nextTimes": []}
    assert await shop.ask("GET", "/report/schedule") == (200, default)

    status, changed = await shop.ask("PUT", "/report/schedule", {"cron": "30 3 * * *", "timeZone": "Asia/Tokyo"})
    assert (status, changed["cron"], changed["timeZone"], changed["isDefault"]) == (
        200, "30 3 * * *", "Asia/Tokyo", False,
    )  # fmt: skip
    assert changed["changedBy"].startswith("key ")
    assert len(changed["nextTimes"]) == 5
    assert {each[10:] for each in changed["nextTimes"]} == {"T18:30:00.000Z"}
    assert (await shop.ask("GET", "/report/schedule")).body == changed

    assert await shop.ask("DELETE", "/report/schedule") == (200, default)


async def test_the_next_times_of_another_schedule_can_be_seen(shop: Shop) -> None:
    """Nothing is stored."""
    status, seen = await shop.ask("GET", "/report/schedule?cron=0+0+1+1+*&timeZone=UTC")

    assert (status, {each[4:] for each in seen["nextTimes"]}) == (200, {"-01-01T00:00:00.000Z"})
    assert (await shop.ask("GET", "/report/schedule")).body["cron"] == ""


@pytest.mark.parametrize(
    ("body", "kind", "field"),
    [
        ({"cron": "0 3 * *"}, "invalidValue", "cron"),
        ({"cron": "0 3 * * *", "timeZone": "Berlin"}, "invalidValue", "timeZone"),
        ({"timeZone": "UTC"}, "missing", "cron"),
        ({"cron": 5}, "invalidFormat", "cron"),
        ({"cron": "", "zone": "UTC"}, "unknownDataField", "zone"),
    ],
)
async def test_an_invalid_schedule_changes_nothing(shop: Shop, body: object, kind: str, field: str) -> None:
    """The error names the field."""
    status, refused = await shop.ask("PUT", "/report/schedule", body)

    assert (status, refused["type"], refused["field"]) == (400, kind, field)
    assert (await shop.ask("GET", "/report/schedule")).body["isDefault"] is True


async def test_a_running_reporter_follows_a_change(shop: Shop) -> None:
    """It makes a report by the new schedule, without a restart."""
    await shop.send({"1": ["a.jpg"]})
    assert (await shop.ask("PUT", "/report/schedule", {"cron": "* * * * *"})).status == 200
    await shop.resources.redis.set(keys.SCHEDULED, "2026-01-01T00:00:00+00:00")  # as if an hour had passed

    async with asyncio.timeout(30):
        while (await shop.ask("GET", "/report")).body["id"] == 0:
            await asyncio.sleep(0.1)
    assert (await shop.ask("DELETE", "/report/schedule")).status == 200
