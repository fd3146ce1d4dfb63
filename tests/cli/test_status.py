"""`imageconverter status`, run as a user does, against a real gateway and worker."""

import asyncio
import re

import pytest

from imageconverter.resources import Resources
from services.cli.status import format_run
from tests.testing import image_files
from tests.testing.commands import PRODUCT, THUMBNAIL, address, run
from tests.testing.runs import Client, finished, get, put_sources, start

pytestmark = pytest.mark.usefixtures("no_run", "worker")


def broken() -> bytes:
    """Return the first fifth of a JPEG, which is too little to be converted."""
    whole = image_files.jpeg(size=(300, 200))
    return whole[: len(whole) // 5]


async def test_without_a_run_the_status_is_a_line(gateway: Client) -> None:
    """With or without --watch."""
    for more in ([], ["--watch"]):
        done = await run("status", "--server", address(gateway), *more)
        assert done == (0, "no run yet\n", "")


async def test_the_last_run_is_described(gateway: Client, resources: Resources) -> None:
    """State, bar, counters, formats, start, duration and rate, one line each."""
    files = {"a.png": image_files.png(), "b.png": image_files.png(), "broken.jpg": broken()}
    await start(gateway, await put_sources(resources, files), THUMBNAIL, PRODUCT)
    await finished(gateway)
    done = await run("status", "--server", address(gateway))

    assert done.status == 0, done
    fields = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert re.fullmatch(r"[0-9a-f]{12} \(manual\)", fields["run"])
    assert fields["state"] == "finished"
    assert fields["progress"] == f"[{'#' * 30}] 100 %"
    assert fields["images"] == "3 of 3: 2 success, 0 warning, 0 skipped, 1 error"
    assert fields["outputs"] == "6 of 6: 4 success, 0 warning, 0 skipped, 2 error"
    assert fields["formats"] == f"{THUMBNAIL}, {PRODUCT}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", fields["started"])
    assert re.fullmatch(r"\d+:\d\d:\d\d", fields["duration"])
    assert fields["rate"]


def test_a_run_shorter_than_a_second_has_no_rate() -> None:
    """Its duration is 0 seconds."""
    counter = dict.fromkeys(("success", "warning", "skipped", "error"), 0)
    progress = {"finished": 3, "total": 3}
    state = {"status": "finished", "usedFormats": [], "timer": {"start": 0, "duration": 0}}
    state |= {"progress": progress, "progressFormat": progress, "counter": counter, "formatCounter": counter}

    assert format_run("abc", "convert", state)[-1] == "rate      n/a"


async def test_a_watched_run_is_followed_to_its_end(gateway: Client, resources: Resources) -> None:
    """The command ends with the run; its exit status is 1 if an image failed."""
    files = {f"{number}.jpg": image_files.jpeg(size=(2400, 1800)) for number in range(40)}
    await start(gateway, await put_sources(resources, {**files, "broken.jpg": broken()}), PRODUCT)
    done = await run("status", "--watch", "--server", address(gateway))
    _, status = await get(gateway, "/images/convert/status")

    assert status["running"] is False
    assert done.status == 1, done
    assert "state     finished" in done.out
    assert "images    41 of 41: 40 success, 0 warning, 0 skipped, 1 error" in done.out
    assert re.search(r"^run [0-9a-f]{12}: 41 of 41 images, ", done.out, re.MULTILINE)


async def test_a_wrong_key_is_an_error_of_one_line(gateway: Client) -> None:
    """It is not taken for a server without runs."""
    done = await run("status", "--server", address(gateway), key="wrong")

    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("imageconverter: the server rejected the API key")


async def test_another_server_is_an_error_of_one_line() -> None:
    """One whose responses are not those of the images API."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        done = await run("status", "--server", f"http://127.0.0.1:{port}")

    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "is not an images API" in done.err
