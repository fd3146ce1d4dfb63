"""`imageconverter automatic` and the client library, for what the scans find and when they are."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from imageconverter import keys
from imageconverter.runs import RunRequest, create_run
from services.client import AsyncClient, Client
from tests.automatic.conftest import Shop
from tests.conftest import API_KEY
from tests.testing.commands import address, run

pytestmark = pytest.mark.usefixtures("worker", "no_run")

Make = Callable[[int], bytes]


@pytest.fixture
def follow() -> str:
    """Outputs are moved to the trash."""
    return "trash"


@pytest.fixture(autouse=True)
async def without_schedule(shop: Shop) -> AsyncIterator[None]:
    """Leave the schedule of the settings."""
    yield
    await shop.resources.run_schedule.reset()
    await shop.resources.redis.delete(keys.RUNS_SCHEDULED)


async def test_state_orphans_and_a_scan_on_request(shop: Shop, image: Make) -> None:
    """From the first scan to the trash."""
    server = ("--server", address(shop.client))
    before = await run("automatic", "status", *server)
    assert before.out.splitlines()[0] == "scan      none yet"
    for number in range(2):
        await shop.put_behind(f"{number}.png", image(number))
    assert (await run("automatic", "scan", *server)).status == 0
    await shop.settle()
    await shop.delete_behind("0.png")
    await shop.scan()

    listed = await run("automatic", "orphans", *server)
    first, last = listed.out.splitlines()
    assert first.startswith(f"{shop.directory}/small/0.png  0.1 kB  of {shop.directory}/0.png, since 20")
    assert last == "1 orphaned image"
    assert (await run("automatic", "scan", "--share", "2", *server)).status == 2
    assert (await run("automatic", "scan", "--share", "1", *server)).status == 0
    await shop.settle()
    after = await run("automatic", "status", *server)
    assert "sources   1, 0 to be converted" in after.out
    assert "orphaned  0, 1 moved to the trash 20" in after.out
    shown = json.loads((await run("automatic", "status", "--json", *server)).out)
    assert (shown["scan"]["moved"], len(shown["schedule"]["nextTimes"])) == (1, 5)


async def test_the_schedule_is_shown_changed_and_reset(shop: Shop) -> None:
    """An invalid expression is an error."""
    server = ("--server", address(shop.client))
    changed = await run("automatic", "schedule", "30 3 * * *", "--time-zone", "Europe/Berlin", *server)
    assert changed.out.startswith("schedule  30 3 * * * (Europe/Berlin)\nnext      20")
    assert (await run("automatic", "schedule", *server)).out == changed.out
    assert (await run("automatic", "schedule", "", *server)).out == "schedule  only on request\n"
    assert (await run("automatic", "schedule", "every day", *server)).status == 2
    reset = await run("automatic", "schedule", "--reset", *server)
    assert reset.out.startswith("schedule  */10 * * * *\n")


async def test_the_client_library_has_all_of_it(shop: Shop, image: Make) -> None:
    """Also without a loop."""
    await shop.put_behind("0.png", image(0))
    await shop.scan()
    await shop.delete_behind("0.png")
    await shop.scan()

    def call() -> tuple[int, list[str], str, str]:
        with Client(address(shop.client), API_KEY) as client:
            client.runs.start_scan()
            orphans = [each["path"] for each in client.runs.orphans()]
            changed = client.runs.set_schedule("1 2 * * *")["cron"]
            client.runs.reset_schedule()
            return client.runs.scan()["orphaned"], orphans, changed, client.runs.schedule()["cron"]

    found = await asyncio.to_thread(call)
    assert found == (1, [f"{shop.directory}/small/0.png"], "1 2 * * *", "*/10 * * * *")


async def test_the_client_library_cancels_the_named_run(shop: Shop, image: Make) -> None:
    """Although another one has ended since."""
    await shop.put_behind("0.png", image(0))
    formats, own = ("content.imageFormat.manual",), shop.resources
    request = RunRequest(source="directory", directory=shop.directory, formats=formats, started_by="key shop")
    run_of_client = await create_run(own.store, own.formats.current, request)
    await own.runs.start(run_of_client)
    async with AsyncClient(address(shop.client), API_KEY) as client:
        assert not (await client.runs.cancel(run_of_client.id))["running"]
