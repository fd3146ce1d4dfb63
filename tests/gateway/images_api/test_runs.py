"""`images/convert/…`: runs, through the real stack."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources, open_resources
from imageconverter.runs import RunStatus
from imageconverter.settings import ConversionSettings, GatewaySettings
from services.gateway.app import create_app
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.testing import broken_files, image_files
from tests.testing.runs import PRODUCT, THUMBNAIL, Client, finished, get, post, put_sources, results, start

# Large enough that a run of several does not end at once; encoded once, because that is slow.
LARGE = image_files.png(size=(900, 700))

pytestmark = pytest.mark.usefixtures("no_run", "worker")

BASES = ["/admin/api/v1/images", "/images"]
READY = {
    "canceled": True,
    "counter": {"error": 0, "skipped": 0, "success": 0, "warning": 0},
    "formatCounter": {"error": 0, "skipped": 0, "success": 0, "warning": 0},
    "progress": {"finished": 0, "percentage": 0, "total": 0},
    "progressFormat": {"finished": 0, "percentage": 0, "total": 0},
    "running": False,
    "status": "ready",
    "timer": {"duration": 0, "end": 0, "start": 0},
    "usedFormats": [],
}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("slash", ["", "/"])
async def test_before_any_run_the_status_is_ready(gateway: Client, base: str, slash: str) -> None:
    """Exactly the documented response, and no results."""
    assert await get(gateway, f"{base}/convert/status{slash}") == (200, READY)
    assert await get(gateway, f"{base}/convert/results{slash}") == (200, {"items": []})
    assert await post(gateway, f"{base}/convert/cancel{slash}", {}) == (200, READY)


@pytest.fixture
async def patient(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway whose start waits long for a run to end, so that a slow machine makes no difference."""
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, start_seconds=30))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        yield client


@pytest.mark.parametrize("base", BASES)
async def test_a_small_run_is_finished_in_the_first_response(patient: Client, base: str) -> None:
    """The documented flow: upload, start with the upload's directory, status, results."""
    upload = {"fileName": "Screenshot 1.png", "formats": [PRODUCT], "imageData": b64(image_files.png())}
    _, staged = await post(patient, f"{base}/upload", upload)
    body = {
        "action": "manual",
        "source": "directory",
        "formatList": ["content.imageFormat.app", PRODUCT, THUMBNAIL],
        "directory": staged["path"],
    }
    status, response = await post(patient, f"{base}/convert/start", body)
    rows = await results(patient, f"{base}/convert/results")

    assert status == 200
    timer = response.pop("timer")
    assert timer["end"] >= timer["start"] > 1_700_000_000
    assert timer["duration"] == timer["end"] - timer["start"]
    assert response == {
        "canceled": True,
        "counter": {"error": 0, "skipped": 0, "success": 1, "warning": 0},
        "formatCounter": {"error": 0, "skipped": 0, "success": 3, "warning": 0},
        "progress": {"finished": 1, "percentage": 100, "total": 1},
        "progressFormat": {"finished": 3, "percentage": 100, "total": 3},
        "running": False,
        "status": "finished",
        "usedFormats": body["formatList"],
    }
    assert [row["formatId"] for row in rows] == body["formatList"]
    assert {row["source"] for row in rows} == {f"{staged['path']}/Screenshot 1.png"}
    assert [row["output"] for row in rows][1] == "products/normal/Screenshot 1.png"
    assert all(row["status"] == "success" and row["duration"] == int(row["duration"]) for row in rows)
    assert len(rows[0]) == 10


async def test_a_run_includes_subdirectories_and_skips_other_files(gateway: Client, resources: Resources) -> None:
    """Counters by source and by output, and a row for every file."""
    directory = await put_sources(
        resources,
        {
            "a.png": image_files.png(),
            "deep/er/b.jpg": image_files.jpeg(),
            "deep/c.gif": broken_files.truncated(image_files.animated_gif()),
            "notes.txt": b"some words, no image",
            "broken.png": broken_files.truncated(image_files.png()),
        },
    )
    await start(gateway, directory, PRODUCT, THUMBNAIL)
    status = await finished(gateway)
    rows = {row["sourceFilename"]: row["status"] for row in await results(gateway)}

    assert status["counter"] == {"error": 1, "skipped": 1, "success": 2, "warning": 1}
    assert status["formatCounter"] == {"error": 2, "skipped": 2, "success": 4, "warning": 2}
    assert status["progress"] == {"finished": 5, "percentage": 100, "total": 5}
    assert status["progressFormat"] == {"finished": 10, "percentage": 100, "total": 10}
    assert rows == {
        "a.png": "success",
        "b.jpg": "success",
        "c.gif": "warning",
        "notes.txt": "skipped",
        "broken.png": "error",
    }


async def test_only_an_unchanged_source_is_skipped(gateway: Client, resources: Resources) -> None:
    """By the source's ETag and the format's fingerprint; a deleted output is converted again."""
    directory = await put_sources(
        resources, {f"{uuid4().hex}.png": image_files.png(), f"{uuid4().hex}.bmp": image_files.bmp()}
    )
    await start(gateway, directory, THUMBNAIL)
    await finished(gateway)
    first = await results(gateway)
    await start(gateway, directory, THUMBNAIL)
    again = await finished(gateway)
    await resources.store.put(
        f"source/{directory}/{first[0]['sourceFilename']}", image_files.jpeg(), content_type="image/png"
    )
    await resources.store.delete([f"target/{first[1]['output']}"])
    await start(gateway, directory, THUMBNAIL)
    changed = await finished(gateway)

    assert again["counter"] == {"error": 0, "skipped": 2, "success": 0, "warning": 0}
    assert changed["counter"] == {"error": 0, "skipped": 0, "success": 2, "warning": 0}


async def test_a_duplicate_output_name_is_a_warning(gateway: Client, resources: Resources) -> None:
    """Outputs have only the file name; the later source overwrites, with a warning in its row."""
    name = f"{uuid4().hex}.png"
    directory = await put_sources(resources, {f"{n}/{name}": image_files.png(size=(40 + n, 30)) for n in range(6)})
    await start(gateway, directory, THUMBNAIL)
    status = await finished(gateway)
    rows = await results(gateway)

    assert status["counter"] == {"error": 0, "skipped": 0, "success": 1, "warning": 5}
    assert sum("same run" in row["message"] for row in rows) == 5


async def test_a_source_replaced_during_a_run_is_converted_by_the_next(gateway: Client, resources: Resources) -> None:
    """The fingerprint is that of the converted bytes, not of the listed object."""
    directory = await put_sources(resources, {f"{uuid4().hex}.png": LARGE for _ in range(6)})
    await start(gateway, directory, PRODUCT)
    keys_listed = [s.key async for page in resources.store.list(f"source/{directory}/") for s in page]
    await resources.store.put(keys_listed[-1], image_files.png(size=(50, 40)), content_type="image/png")
    await finished(gateway)
    await start(gateway, directory, PRODUCT)
    await finished(gateway)
    output = await resources.store.get(f"target/products/normal/{keys_listed[-1].rpartition('/')[2]}")

    assert output is not None
    assert Image.open(io.BytesIO(bytes(output.data))).size == (50, 40)


async def test_deleting_the_directory_of_a_run_is_an_error_per_source(gateway: Client, resources: Resources) -> None:
    """The run finishes, with a row for every source."""
    directory = await put_sources(resources, {f"{n:02}.png": LARGE for n in range(30)})
    await start(gateway, directory, PRODUCT)
    async with gateway.delete(
        "/images/directories/source", data=json.dumps({"path": directory}).encode(), headers=ADMIN
    ) as response:
        assert response.status == 200
    status = await finished(gateway)
    rows = await results(gateway)

    assert status["status"] == "finished"
    assert len(rows) == 30
    assert {row["status"] for row in rows} <= {"success", "skipped", "warning", "error"}
    assert all("does not exist" in row["message"] for row in rows if row["status"] == "error")


async def test_each_format_may_have_its_own_source_directory(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """source=format converts the source directory of each format."""
    first, second = (
        await put_sources(resources, {f"{uuid4().hex}.png": image_files.png()}),
        await put_sources(
            resources, {f"{uuid4().hex}.png": image_files.png(), f"{uuid4().hex}.jpg": image_files.jpeg()}
        ),
    )
    formats = tmp_path / "formats.toml"
    formats.write_text(
        "".join(
            f'[[format]]\nid = "{name}"\nname = "{name}"\ntype = "product"\ntargetDirectory = "{name}"\n'
            f'sourceDirectory = "{directory}"\nmaxWidth = 50\nmaxHeight = 50\n'
            for name, directory in (("one", first), ("two", second), ("three", second))
        )
    )
    settings = make_settings(conversion=ConversionSettings(formats_file=formats))
    async with (
        open_resources(settings, retry_timeout=20) as opened,
        TestClient(TestServer(create_app(settings, opened))) as client,
    ):
        status, _ = await post(client, "/images/convert/start", {"source": "format"})
        ended = await finished(client)

    assert status == 200
    assert ended["counter"]["success"] == 3
    assert ended["formatCounter"]["success"] == 5
    assert ended["progressFormat"]["total"] == 5
    assert ended["usedFormats"] == [f"content.imageFormat.{name}" for name in ("one", "two", "three")]


FAULTS: list[Any] = [
    b"",
    b"{",
    b"[]",
    {},
    {"source": "nonsense"},
    {"source": "directory"},
    {"source": "directory", "directory": ""},
    {"source": "directory", "directory": "does not exist"},
    {"source": "directory", "directory": "../target"},
    {"source": "directory", "directory": "a//b"},
    {"source": "directory", "directory": "upload/000000000000"},
    {"source": "directory", "directory": "there", "formatList": ["unknown"]},
    {"source": "directory", "directory": "there", "formatList": "all"},
    {"source": "directory", "directory": 1},
    {"source": 1},
    {"source": "format"},
]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("body", FAULTS, ids=range(len(FAULTS)))
async def test_an_invalid_start_is_a_400_without_type(
    gateway: Client, resources: Resources, base: str, body: Any
) -> None:
    """All rows of the error table but one have no type; no run is started."""
    await resources.store.put("source/there/a.png", image_files.png(), content_type="image/png")
    status, response = await post(gateway, f"{base}/convert/start", body)

    assert status == 400
    assert response["error"] == "Bad Request"
    assert "type" not in response
    assert await resources.runs.latest() is None


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        ({"source": "nonsense"}, 'source must be "directory", "format" or "selection".', "source"),
        (
            {"source": "format", "formatList": [PRODUCT]},
            f"The image format {PRODUCT} has no source directory.",
            "formatList",
        ),
        (
            {"source": "format", "formatList": ["x"]},
            f'The image format "x" is not configured; there are: {", ".join(load_formats(None))}.',
            "formatList",
        ),
        ({"source": "directory", "directory": "x"}, 'There is no source directory "x".', "directory"),
    ],
)
async def test_the_reason_of_an_invalid_start_names_the_cause(
    gateway: Client, body: dict[str, Any], reason: str, field: str
) -> None:
    """And the field."""
    _, response = await post(gateway, "/images/convert/start", body)

    assert (response["reason"], response["field"]) == (reason, field)


@pytest.mark.slow
async def test_cancel_returns_after_the_run_has_stopped(gateway: Client, resources: Resources) -> None:
    """No further source is converted, and a new run can start at once."""
    directory = await put_sources(resources, {f"{n:03}.png": LARGE for n in range(60)})
    await start(gateway, directory, THUMBNAIL, PRODUCT)
    status, response = await post(gateway, "/images/convert/cancel", {})
    before = response["progress"]["finished"]
    await asyncio.sleep(0.5)
    _, after = await get(gateway, "/images/convert/status")

    assert status == 200
    assert (response["status"], response["canceled"], response["running"]) == ("canceled", True, False)
    assert before < 60
    assert after == response
    assert await resources.queue.depth(QueueName.BATCH) == 0
    assert (await start(gateway, directory, THUMBNAIL))["status"] in ("running", "finished")


async def test_results_are_available_as_pages_and_ndjson(
    gateway: Client, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor continues after the page; NDJSON has all results."""
    monkeypatch.setattr("services.gateway.images_api.runs.RESULTS_AT_ONCE", 3)
    directory = await put_sources(resources, {f"{n}.png": image_files.png() for n in range(7)})
    await start(gateway, directory, THUMBNAIL)
    await finished(gateway)
    names: list[str] = []
    cursor, pages = "0", 0
    while cursor:
        _, response = await get(gateway, f"/images/convert/results?cursor={cursor}")
        names += [row["sourceFilename"] for row in response["items"]]
        cursor, pages = response.get("cursor", ""), pages + 1
    async with gateway.get(
        "/images/convert/results", headers={**ADMIN, "Accept": "application/x-ndjson"}
    ) as answer_lines:
        lines = [json.loads(line) for line in (await answer_lines.text()).splitlines()]

    assert names == [f"{n}.png" for n in range(7)]
    assert pages == 3
    assert [line["sourceFilename"] for line in lines] == names


async def test_earlier_runs_are_found_by_id(gateway: Client, resources: Resources) -> None:
    """The newest first, with status and results."""
    for name in ("first", "second"):
        directory = await put_sources(resources, {f"{name}.png": image_files.png()})
        body = {"source": "directory", "directory": directory, "formatList": [THUMBNAIL], "action": name}
        await post(gateway, "/images/convert/start", body)
        await finished(gateway)
    _, runs = await get(gateway, "/images/convert/runs")
    first = runs["items"][1]

    assert [each["action"] for each in runs["items"]] == ["second", "first"]
    assert (await get(gateway, f"/images/convert/status?run={first['id']}"))[1]["status"] == "finished"
    assert (await results(gateway, f"/images/convert/results?run={first['id']}"))[0]["sourceFilename"] == "first.png"
    assert (await get(gateway, "/images/convert/status?run=unknown"))[0] == 404


async def test_listeners_share_the_queries_of_a_run(gateway: Client, resources: Resources) -> None:
    """A hundred cost as much as one."""
    directory = await put_sources(resources, {f"{n}.png": LARGE for n in range(100)})
    await start(gateway, directory, PRODUCT)
    queries = 0
    status = resources.runs.status

    async def count(run_id: str) -> RunStatus | None:
        nonlocal queries
        queries += 1
        return await status(run_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources.runs, "status", count)
        streams = [await gateway.get("/images/convert/events", headers=ADMIN) for _ in range(100)]
        queries = 0
        await asyncio.sleep(1.2)
        assert 1 <= queries <= 4
        for stream in streams:
            stream.close()
    async with gateway.post("/images/convert/cancel", headers=ADMIN) as response:
        assert response.status == 200


async def test_events_follow_a_run_to_its_end(gateway: Client, resources: Resources) -> None:
    """Each event is a status; the last one is `finished`."""
    directory = await put_sources(resources, {f"{n}.png": LARGE for n in range(8)})
    await start(gateway, directory, PRODUCT)
    async with gateway.get("/images/convert/events", headers=ADMIN) as stream:
        assert stream.content_type == "text/event-stream"
        seen = [json.loads(line[6:]) async for line in stream.content if line.startswith(b"data: ")]

    assert seen[-1]["status"] == "finished"
    assert seen[-1]["counter"]["success"] == 8
    assert [each["progress"]["finished"] for each in seen] == sorted(each["progress"]["finished"] for each in seen)


async def test_head_of_events_has_no_body(gateway: Client) -> None:
    """What followed would be read as the next response of the connection."""
    for _ in range(2):
        async with gateway.head("/images/convert/events", headers=ADMIN) as response:
            assert (response.status, response.content_type) == (200, "text/event-stream")


def b64(data: bytes) -> str:
    """Return *data* in base64."""
    return base64.b64encode(data).decode()
