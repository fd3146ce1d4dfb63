"""The status page, by which clients detect the server, and the metrics."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from imageconverter.errors import QueueUnavailable
from services.gateway.imageconverter_api.status_page import SERVER_ID
from tests.testing.fake_preview_cache import StandIn
from tests.testing.preview_requests import BASE, FORMAT, KEY, Client, form, put

# What the original's dashboard displays, with label values.
DASHBOARD: dict[str, set[str]] = {
    "imageconverter_cache_hit_ratio": set(),
    "imageconverter_cache_key_count": set(),
    "imageconverter_cache_size": set(),
    "imageconverter_keys_processed_count": set(),
    "imageconverter_keys_processed_median_time_ms": set(),
    "imageconverter_request_count_total": set(),
    "imageconverter_request_count": {"cacheAndGet"},
    "imageconverter_request_median_time_ms": {"get"},
    "imageconverter_request_limitreached_count": {"get"},
    "imageconverter_queue_median_time_ms": {"instant"},
    "imageconverter_queue_peak_count": {"instant"},
    "imageconverter_convert_dimensions": {"200x150", "cover", "auto"},
    "objectcache_oldest_modification_ms": {"OX_IC"},
    "objectcache_items_current_count": {"OX_IC"},
    "objectcache_items_maximum_count": {"OX_IC"},
    "objectcache_size_current_bytes": {"OX_IC"},
    "objectcache_size_maximum_bytes": {"OX_IC"},
    "objectcache_request_count": {"OX_IC", "get"},
    "objectcache_request_count_total": {"OX_IC"},
    "objectcache_request_medianduration_ms": {"OX_IC", "get"},
    "process_uptime_seconds": set(),
}


async def metrics(client: Client) -> dict[tuple[str, frozenset[str]], float]:
    """Return all samples, by name and values of labels, as parsed by a Prometheus client."""
    async with client.get("/metrics") as response:
        families = list(text_string_to_metric_families(await response.text()))
    return {
        (each.name, frozenset(each.labels.values())): each.value for family in families for each in family.samples
    }


@pytest.mark.parametrize("path", ["", "/", "/status", "/status/", "/status?metrics=false"])
async def test_the_status_page_contains_the_server_id(client: Client, cache: StandIn, path: str) -> None:
    """At each URL, even if Redis is unavailable."""
    cache.fault = QueueUnavailable("It is unavailable.")
    async with client.get(BASE + path) as response:
        text = await response.text()
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"

    assert SERVER_ID == "57c6b91f-563b-4885-946d-0cc5799e2fdf"
    assert f"\nid: {SERVER_ID}\n" in text
    assert "\nCode: 0\n" in text
    assert re.search(r"^API: v[0-9.]+$", text, re.MULTILINE)
    assert "CacheHitRatio" not in text


@pytest.mark.parametrize("wish", ["yes", "true", "YES"])
async def test_the_page_has_metrics_on_request(client: Client, wish: str) -> None:
    """With the names of the original's monitoring."""
    await put(client)
    async with client.get(f"{BASE}/status", params={"metrics": wish}) as response:
        text = await response.text()

    assert "\nCacheKeyCount: 1\n" in text
    assert "\nRequestCount_Total: 1\n" in text
    assert "\nRequestCount_Cache: 1\n" in text
    assert "\nRequestCount_CacheAndGet: 0\n" in text
    assert re.search(r"^PeakKeyCountInQueue_Instant: \d+$", text, re.MULTILINE)


async def test_the_page_reports_unavailable_metrics(client: Client, cache: StandIn) -> None:
    """A probe must not restart a server because of Redis; the page reports it."""
    cache.fault = QueueUnavailable("It is <unavailable>.")
    async with client.get(f"{BASE}/status?metrics=yes") as response:
        text = await response.text()

    assert response.status == 200
    assert "\nCode: 5030\n" in text
    assert "It is &lt;unavailable&gt;." in text


async def test_metrics_have_the_names_of_the_dashboard(client: Client) -> None:
    """Each exactly once, in addition to the gateway's own metrics."""
    for method, operation, body in [
        ("POST", f"cacheAndGetImage/{KEY}/{FORMAT}", form()),
        ("POST", f"cacheAndGetImage/{KEY}/{FORMAT}", form()),
        ("GET", f"getImage/{KEY}/{FORMAT}", None),
        ("GET", f"getImage/unknown/{FORMAT}", None),
        ("GET", "getKeyCount", None),
    ]:
        async with client.request(method, f"{BASE}/{operation}", data=body):
            pass
    found = await metrics(client)

    values = {name: found[name, frozenset(labels)] for name, labels in DASHBOARD.items()}
    assert values["imageconverter_cache_hit_ratio"] == pytest.approx(2 / 3)
    assert values["imageconverter_keys_processed_count"] == 1
    assert values["imageconverter_request_count_total"] == 5
    assert values["imageconverter_request_count"] == 2
    assert values["imageconverter_request_median_time_ms"] > 0
    assert values["imageconverter_cache_key_count"] == values["objectcache_items_current_count"] == 1
    assert values["imageconverter_convert_dimensions"] == 1
    assert values["objectcache_size_maximum_bytes"] == 10 * 1024**3
    assert values["process_uptime_seconds"] > 0
    assert found["imageconverter_request_count", frozenset({"admin"})] == 1
    assert ("imageconverter_queue_jobs", frozenset({"interactive"})) in found


async def test_the_number_of_labels_is_limited(client: Client) -> None:
    """However many sizes they request."""
    for number in range(300):
        async with client.post(f"{BASE}/cacheAndGetImage/{number}/auto:{number + 1}x7", data=form()) as response:
            assert response.status == 200
    found = {
        labels: value
        for (name, labels), value in (await metrics(client)).items()
        if name == "imageconverter_convert_dimensions"
    }

    assert len(found) == 201
    assert found[frozenset({"other"})] == 100


async def test_an_unknown_path_is_not_a_label(client: Client) -> None:
    """Nor are keys and formats."""
    await put(client)
    async with client.get(f"{BASE}/getImage/{KEY}/{FORMAT}"), client.get(f"{BASE}/made-up"):
        pass
    labels = {label for _, found in await metrics(client) for label in found}

    assert "/imageconverter/getImage/{imageKey}/{requestFormat}" in labels
    assert not any(KEY in label or "made-up" in label for label in labels)
