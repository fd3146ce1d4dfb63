"""`imageconverter status`, run as a person does, against the real stack."""

import asyncio
import re

import pytest

from imageconverter.resources import Resources
from tests.testing import image_files
from tests.testing.commands import PRODUCT, THUMBNAIL, address, run
from tests.testing.runs import Client, finished, get, put_sources, start

pytestmark = pytest.mark.usefixtures("no_run", "worker")


def broken() -> bytes:
    """Return the first half of a JPEG."""
    whole = image_files.jpeg(size=(300, 200))
    return whole[: len(whole) // 2]


async def test_before_any_run_that_is_said(gateway: Client) -> None:
    """With or without --watch."""
    for more in ([], ["--watch"]):
        done = await run("status", "--server", address(gateway), *more)
        assert done == (0, "no run yet\n", "")


async def test_the_last_run_is_told_for_people(gateway: Client, resources: Resources) -> None:
    """State, bar, counters, formats, start, duration and rate, a line each."""
    files = {"a.png": image_files.png(), "b.png": image_files.png(), "broken.jpg": broken()}
    await start(gateway, await put_sources(resources, files), THUMBNAIL, PRODUCT)
    await finished(gateway)
    done = await run("status", "--server", address(gateway))

    assert done.status == 0, done
    told = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert re.fullmatch(r"[0-9a-f]{12} \(manual\)", told["run"])
    assert told["state"] == "finished"
    assert told["progress"] == f"[{'#' * 30}] 100 %"
    assert told["images"] == "3 of 3: 2 success, 0 warning, 0 skipped, 1 error"
    assert told["outputs"] == "6 of 6: 4 success, 0 warning, 0 skipped, 2 error"
    assert told["formats"] == f"{THUMBNAIL}, {PRODUCT}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", told["started"])
    assert re.fullmatch(r"\d+:\d\d:\d\d", told["duration"])
    assert told["rate"]


async def test_a_watched_run_is_followed_to_its_end(gateway: Client, resources: Resources) -> None:
    """The command ends with the run, and with 1 where an image failed."""
    files = {f"{number}.jpg": image_files.jpeg(size=(2400, 1800)) for number in range(40)}
    await start(gateway, await put_sources(resources, {**files, "broken.jpg": broken()}), PRODUCT)
    done = await run("status", "--watch", "--server", address(gateway))
    _, status = await get(gateway, "/images/convert/status")

    assert status["running"] is False
    assert done.status == 1, done
    assert "state     finished" in done.out
    assert "images    41 of 41: 40 success, 0 warning, 0 skipped, 1 error" in done.out
    assert re.search(r"^run [0-9a-f]{12}: 41 of 41 images, ", done.out, re.MULTILINE)


async def test_a_wrong_key_is_told_in_a_line(gateway: Client) -> None:
    """Not that there was no run."""
    done = await run("status", "--server", address(gateway), key="wrong")

    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("imageconverter: the server rejected the API key")


async def test_a_server_that_is_something_else_is_told_in_a_line() -> None:
    """A port that answers with other things than the images API's."""

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
