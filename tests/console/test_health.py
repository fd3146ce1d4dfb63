"""The page *Health*: what everything is doing, the last hour, and dead letters."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Page, expect

from imageconverter import keys
from imageconverter.jobs import QueueName, RunningTask, job_body, job_key
from imageconverter.jobs.dead_letters import dead_letter_record, read_job_body
from imageconverter.monitoring.process_report import ProcessReport, SandboxReport
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import RedisSettings
from services.gateway import state
from services.gateway.app import create_app
from services.gateway.console.health import LatestParts
from tests.conftest import ADMIN, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit

PATH = "/console/health"
HOSTILE = 'source/<img src=x onerror="document.title=1">/\u202etxt.gpj/' + "long" * 30 + ".jpg"


@pytest.fixture
async def fresh(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[str]:
    """The address of a gateway that has not queried the state yet, which it would keep for some seconds."""
    async with TestClient(TestServer(create_app(make_settings(), resources))) as client:
        yield str(client.make_url("/"))


@pytest.fixture
async def busy(resources: Resources) -> AsyncIterator[None]:
    """A worker that converts, an hour of history, and two dead letters."""
    roles = ("gateway", "worker", "reporter")
    await resources.redis.delete(*(name(role) for role in roles for name in (keys.live, keys.live_reports)))
    tasks = (
        RunningTask(task="convert_run_source", queue="batch", subject=HOSTILE, since=time.time() - 12),
        RunningTask(task="make_previews", queue="interactive", subject="a" * 64, since=time.time()),
    )
    report = ProcessReport(
        version="9.9", started=time.time() - 7200, tasks=tasks, task_count=7, sandbox=SandboxReport(processes=3)
    )
    digest = resources.formats.current.digest()
    stop = asyncio.Event()

    async def stay_alive() -> None:
        while not stop.is_set():
            await resources.queue.heartbeat("worker", "host-1:17", digest, report.model_dump_json())
            await resources.queue.heartbeat("reporter", "host-2:18", digest, "{}")
            await asyncio.sleep(0.5)

    alive = asyncio.create_task(stay_alive())
    seconds, _ = await resources.redis.time()
    counts: Any = {
        "image.batch.success": 40,
        "image.batch.error": 2,
        "image.batch.bytes_in": 5_000_000,
        "requests.5xx": 1,
    }
    await resources.redis.delete(*(keys.minute(str(seconds // 60 - ago)) for ago in range(62)))  # of other tests
    await resources.redis.hset(keys.minute(str(seconds // 60 - 30)), mapping=counts)  # type: ignore[misc]
    await resources.redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS, keys.queue(QueueName.SCAN))
    for number in range(2):
        await add_dead_letter(resources, f"job:{number}", seconds - number)
    yield
    stop.set()
    await alive
    await resources.redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS, keys.minute(str(seconds // 60 - 30)))


async def add_dead_letter(resources: Resources, job_id: str, failed_at: int) -> None:
    """Add a dead letter."""
    body = read_job_body(job_body("scan", {"source": HOSTILE}))
    text = dead_letter_record(QueueName.SCAN, body, "It <b>failed</b>.", attempts=6)
    await resources.redis.zadd(keys.DEAD_LETTER_TIMES, {job_id: failed_at})
    await resources.redis.hset(keys.DEAD_LETTERS, job_id, text)  # type: ignore[misc]


async def problem_free(page: Page) -> None:
    """Check that everybody can use the page, and that it does not scroll sideways."""
    assert await violations(page) == []
    assert await overflow(page) == []


async def look_again(page: Page) -> None:
    """Do what happens when the tab is shown again: the page renews itself at once."""
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.usefixtures("busy")
async def test_what_everything_is_doing_is_shown(visit: Visit, fresh: str) -> None:
    """Processes with their jobs, queues, servers and the last hour; names are only text."""
    page = await visit(PATH, base=fresh)
    workers = page.get_by_role("table", name="Workers")
    await expect(workers).to_contain_text("Converts an image of a run")
    await expect(workers).to_contain_text("and 5 more")
    await expect(workers.locator("bdi").first).to_have_attribute("title", HOSTILE)
    await expect(page.get_by_role("table", name="Queues").get_by_role("row")).to_have_count(5)
    images = page.get_by_role("region", name="Images converted in a minute")
    await expect(images).to_contain_text("Converted 40")
    await expect(images).to_contain_text("Failed 2")
    await images.get_by_text("As a table").click()
    await expect(images.get_by_role("cell", name="40", exact=True)).to_have_count(1)

    assert await page.title() == "Health · imageconverter"
    assert await page.locator("img").count() == 0
    await problem_free(page)


@pytest.mark.usefixtures("busy")
async def test_the_page_renews_itself_without_losing_what_is_open(
    visit: Visit, fresh: str, resources: Resources
) -> None:
    """Also the dead letters, if there are others."""
    page = await visit(PATH, base=fresh)
    details = page.locator("#dead-1")
    await details.locator("summary").click()
    await page.locator("#plot-images-table summary").click()
    await add_dead_letter(resources, "job:new", 1)
    await asyncio.sleep(1.1)  # a state is shared for a second
    await look_again(page)

    await expect(page.get_by_role("row").filter(has_text="Drop")).to_have_count(3)
    await expect(page.locator("#dead-1")).to_have_attribute("open", "")
    await expect(page.locator("#plot-images-table")).to_have_attribute("open", "")


@pytest.mark.usefixtures("busy")
async def test_dead_letters_are_read_retried_and_dropped(visit: Visit, fresh: str, resources: Resources) -> None:
    """With the keyboard; dropping asks first."""
    page = await visit(PATH, base=fresh, language="de")
    first = page.get_by_role("row").filter(has_text="It <b>failed</b>.").first
    await first.get_by_text("Einzelheiten").press("Enter")
    await expect(first.locator("pre")).to_contain_text("onerror")
    await first.get_by_role("button", name="Wiederholen").press("Enter")
    await expect(page.get_by_text("1 Auftrag wird wiederholt.")).to_be_visible()
    assert await resources.redis.get(job_key("job:0")) is not None

    drop = page.get_by_role("button", name="Verwerfen", exact=True)
    await expect(drop).to_have_count(1)
    await drop.press("Enter")
    await problem_free(page)
    await page.get_by_role("button", name="Abbrechen").press("Enter")
    assert await resources.queue.dead.count() == 1
    await page.get_by_role("button", name="Alle verwerfen").press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Verwerfen").press("Enter")
    await expect(page.get_by_text("Keine gescheiterten Aufträge")).to_be_visible()
    assert await resources.queue.dead.count() == 0


async def test_it_says_what_is_missing(visit: Visit, fresh: str, resources: Resources) -> None:
    """Without a worker, nothing is converted."""
    await resources.redis.delete(*(keys.live(role) for role in ("gateway", "worker", "reporter")))
    page = await visit(PATH, base=fresh)

    await expect(page.get_by_text("No worker is running: nothing is converted.")).to_be_visible()
    await problem_free(page)


async def test_a_server_that_is_gone_is_reported_until_it_is_back(visit: Visit, fresh: str) -> None:
    """Without a notice every few seconds."""
    page = await visit(PATH, base=fresh)
    await page.context.set_offline(True)
    await look_again(page)
    await expect(page.get_by_text("The server cannot be reached. This page tries again.")).to_be_visible()
    assert await page.locator(".notice").count() == 0
    await page.context.set_offline(False)
    await look_again(page)
    await expect(page.get_by_text("The server cannot be reached. This page tries again.")).to_be_hidden()


async def test_without_redis_the_page_says_so(make_settings: MakeSettings) -> None:
    """It is needed most then."""
    settings = make_settings(redis=RedisSettings(url="redis://127.0.0.1:1/0"))
    async with (
        open_resources(settings, retry_timeout=1) as resources,
        TestClient(TestServer(create_app(settings, resources))) as client,
    ):
        response = await client.get(PATH, headers=ADMIN)
        text = await response.text()

    assert response.status == 200
    assert "Redis is unavailable" in text
    assert "The history is not available while Redis is down." in text
    assert "The dead letters are not available while Redis is down." in text


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "de"), ("light", "de"), ("dark", "en")])
async def test_everybody_can_use_it(visit: Visit, width: int, theme: str, language: str) -> None:
    """At each width, in both themes and languages."""
    page = await visit(PATH, width=width, theme=theme, language=language)
    await problem_free(page)


async def test_a_part_is_returned_alone(gateway: TestClient[Any, Any]) -> None:
    """So that a page that is left open costs little."""
    for name in ("now", "hour", "dead"):
        response = await gateway.get(PATH, headers={**ADMIN, "HX-Target": name})
        assert "<html" not in await response.text()
    response = await gateway.get(PATH, headers={**ADMIN, "HX-Target": "anything"})
    assert "<html" in await response.text()


async def test_many_who_look_at_one_state_cost_one_rendering(gateway: TestClient[Any, Any]) -> None:
    """In each language; the next state is rendered anew."""
    latest, found = LatestParts(), await gateway.app[state.SYSTEM].state()
    latest.keep("de", "now", found, "Zustand")

    assert latest.get("de", "now", found) == "Zustand"
    assert latest.get("en", "now", found) is None
    assert latest.get("de", "now", replace(found)) is None
