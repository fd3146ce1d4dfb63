"""Events of object stores: which sources they submit, and that they decide nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from imageconverter.automatic.pending_sources import MAX_PENDING, PendingState
from tests.automatic.conftest import Shop
from tests.testing.runs import post

EVENTS = "/images/sources/events"


def minio_event(key: str, name: str = "s3:ObjectCreated:Put") -> dict[str, Any]:
    """Return what MinIO sends to a webhook, as documented; *key* is quoted, spaces as +."""
    return {
        "EventName": name,
        "Key": f"images/{key}",
        "Records": [
            {
                "eventVersion": "2.0",
                "eventSource": "minio:s3",
                "awsRegion": "",
                "eventTime": "2026-11-29T09:20:31.427Z",
                "eventName": name,
                "userIdentity": {"principalId": "minioadmin"},
                "requestParameters": {"principalId": "minioadmin", "region": "", "sourceIPAddress": "127.0.0.1"},
                "responseElements": {"x-amz-id-2": "dd9025bab4ad464b", "x-amz-request-id": "187C3F1A5B0E7A11"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "Config",
                    "bucket": {
                        "name": "images",
                        "ownerIdentity": {"principalId": "minioadmin"},
                        "arn": "arn:aws:s3:::images",
                    },
                    "object": {
                        "key": key,
                        "size": 83,
                        "eTag": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
                        "contentType": "image/png",
                        "userMetadata": {"content-type": "image/png"},
                        "sequencer": "187C3F1A5B7A2F3C",
                    },
                },
                "source": {"host": "127.0.0.1", "port": "", "userAgent": "MinIO (linux; amd64) minio-go/v7.0.80"},
            }
        ],
    }


async def pending(shop: Shop) -> list[str]:
    """Return the paths that are pending."""
    return [each.path for each in await shop.resources.pending_sources.first(100)]


async def test_an_event_of_minio_submits_a_source(shop: Shop) -> None:
    """Its key is quoted."""
    key = f"source%2F{shop.directory}%2Fgr%C3%BCn+1.png"
    assert await post(shop.client, EVENTS, minio_event(key)) == (200, {})
    assert await pending(shop) == [f"{shop.directory}/grün 1.png"]


async def test_a_flood_of_events_is_one_pending_source(shop: Shop) -> None:
    """However often the store says it."""
    event = {"key": f"/buckets/images/source/{shop.directory}/a.png", "event_type": "update", "message": {}}
    for _ in range(20):
        assert (await post(shop.client, EVENTS, event))[0] == 200
    assert await pending(shop) == [f"{shop.directory}/a.png"]


async def test_a_flood_of_different_sources_is_bounded(shop: Shop) -> None:
    """What has no room is left to a scan, which is requested."""
    records = minio_event("")["Records"]

    async def send(number: int) -> int:
        keys = (f"source/{shop.directory}/{number}-{each}.png" for each in range(1000))
        event = {"Records": [{**records[0], "s3": {"object": {"key": key}}} for key in keys]}
        return (await post(shop.client, EVENTS, event))[0]

    assert await asyncio.gather(*(send(number) for number in range(11))) == [200] * 11
    state = await shop.resources.pending_sources.state()
    assert state == PendingState(MAX_PENDING, is_requested=True, cursor=None)


@pytest.mark.parametrize(
    "key",
    [
        "target/{directory}/a.png",
        "source/elsewhere/a.png",
        "source/{directory}/../../state/owner",
        "source/{directory}/.directory",
        "source/{directory}",
        "runs/orders/a.json",
        "",
    ],
)
async def test_what_is_no_source_of_an_automatic_format_is_ignored(shop: Shop, key: str) -> None:
    """Our own outputs are events too."""
    key = key.format(directory=shop.directory)
    assert (await post(shop.client, EVENTS, {"key": f"/buckets/images/{key}"}))[0] == 200
    assert await pending(shop) == []


@pytest.mark.parametrize(
    "body",
    [{"key": 5}, {"Records": {}}, {"Records": [3]}, {"Records": [{}] * 1001}, {"key": "\ud800"}, b"[]", b"{"],
)
async def test_a_malformed_event_is_refused(shop: Shop, body: Any) -> None:
    """It is a 400, and nothing is submitted."""
    assert (await post(shop.client, EVENTS, body))[0] == 400
    assert await pending(shop) == []


@pytest.mark.parametrize("record", [{}, {"s3": 3}, {"s3": {"object": []}}, {"s3": {"object": {"key": 5}}}])
async def test_a_record_without_a_key_is_ignored(shop: Shop, record: Any) -> None:
    """An event of a later release of the store may have other records."""
    assert (await post(shop.client, EVENTS, {"Records": [record]}))[0] == 200
    assert await pending(shop) == []


async def test_an_event_needs_a_key(shop: Shop) -> None:
    """As every request that changes something."""
    async with shop.client.post(EVENTS, json={}) as response:
        assert response.status == 401


@pytest.mark.usefixtures("worker", "no_run")
async def test_an_event_of_what_the_api_has_stored_starts_no_second_run(
    shop: Shop, image: Callable[[int], bytes]
) -> None:
    """Also if it comes late: the outputs are up to date then."""
    await shop.put("a.png", image(1))
    await shop.settle()
    event = {"key": f"/buckets/images/source/{shop.directory}/a.png", "event_type": "create", "message": {}}
    assert (await post(shop.client, EVENTS, event))[0] == 200
    await shop.settle()
    assert len(await shop.runs()) == 1

    await shop.put_behind("a.png", image(2))
    assert (await post(shop.client, EVENTS, event))[0] == 200
    await shop.settle()
    assert len(await shop.runs()) == 2
