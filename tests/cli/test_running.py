"""The commands during a run, which without a worker lasts until it is canceled."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from services.gateway.app import create_app
from tests.conftest import MakeSettings
from tests.testing import image_files
from tests.testing.commands import THUMBNAIL, address, begin, ended, fill, run
from tests.testing.faults import Mode, fault_proxy
from tests.testing.runs import Client, post, put_sources, start

pytestmark = pytest.mark.usefixtures("no_run")


async def test_a_second_run_is_not_started_during_another(
    gateway: Client, resources: Resources, tmp_path: Path
) -> None:
    """The error is printed before anything is uploaded."""
    await start(gateway, await put_sources(resources, {"a.png": image_files.png()}), THUMBNAIL)
    fill(tmp_path, {"a.png": image_files.png()})
    done = await run("convert", tmp_path, "--format", THUMBNAIL, "--server", address(gateway))

    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "a run is in progress" in done.err


async def test_the_state_of_a_running_run_is_printed(gateway: Client, resources: Resources) -> None:
    """Without --watch the command does not wait."""
    await start(gateway, await put_sources(resources, {"a.png": image_files.png()}), THUMBNAIL)
    done = await run("status", "--server", address(gateway))

    assert done.status == 0, done
    assert "state     running\n" in done.out


@pytest.mark.slow
async def test_a_lost_connection_is_reestablished(make_settings: MakeSettings, resources: Resources) -> None:
    """--watch continues when the gateway is back; a canceled run is a failure."""
    following = asyncio.Event()

    async def note(request: web.Request, _response: web.StreamResponse) -> None:
        if request.path.endswith("/events"):
            following.set()

    app = create_app(make_settings(), resources)
    app.on_response_prepare.append(note)
    async with TestClient(TestServer(app)) as client, fault_proxy(client.port or 0) as proxy:
        await start(client, await put_sources(resources, {"a.png": image_files.png()}), THUMBNAIL)
        process = await begin("status", "--watch", "--server", f"http://127.0.0.1:{proxy.port}")
        await following.wait()
        following.clear()
        proxy.fail(Mode.REFUSE)
        await asyncio.sleep(0.2)
        proxy.fail(Mode.PASS)
        await following.wait()
        await post(client, "/images/convert/cancel", {})
        done = await ended(process)

    assert done.status == 1, done
    assert "state     canceled\n" in done.out
