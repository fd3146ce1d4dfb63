"""The ids of a request: taken or made, echoed, and in the log lines of gateway and worker."""

import base64
import json
import re
from typing import Any
from uuid import uuid4

import pytest
import structlog
from aiohttp.test_utils import TestClient
from structlog.testing import capture_logs

from imageconverter.jobs import job_body, job_key
from imageconverter.resources import Resources
from tests.conftest import ADMIN
from tests.testing import image_files
from tests.testing.runs import PRODUCT, finished, post, put_sources

Client = TestClient[Any, Any]

# The example of W3C Trace Context, section 3.2.3.
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE_PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
IDS = {"X-Request-ID": "shop-4711", "traceparent": TRACE_PARENT}


async def answered(client: Client, **headers: str) -> Any:
    """Return the headers of a response."""
    async with client.get("/images/convert/status", headers={**ADMIN, **headers}) as response:
        return response.headers


@pytest.mark.parametrize("given", ["4711", "a-b_c.d:e/f+g=@~", "x" * 128])
async def test_an_id_is_echoed(gateway: Client, given: str) -> None:
    """As the client has sent it."""
    assert (await answered(gateway, **{"X-Request-ID": given}))["X-Request-ID"] == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", "<script>", "a;b", "ä"])
async def test_without_a_valid_id_there_is_a_new_one(gateway: Client, given: str | None) -> None:
    """Another one for each request."""
    headers = {} if given is None else {"X-Request-ID": given}
    found = {(await answered(gateway, **headers))["X-Request-ID"] for _ in range(2)}

    assert len(found) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in found)


@pytest.mark.parametrize(
    ("given", "is_valid"),
    [
        (TRACE_PARENT, True),
        (TRACE_PARENT.replace("00-", "cc-", 1), True),
        (TRACE_PARENT.replace("00-", "ff-", 1), False),
        (TRACE_PARENT.upper(), False),
        (TRACE_PARENT.replace(TRACE, "0" * 32), False),
        (TRACE_PARENT.replace("00f067aa0ba902b7", "0" * 16), False),
        (TRACE_PARENT + "-x", False),
        ("x" * 1000, False),
    ],
)
async def test_a_valid_trace_parent_is_echoed(gateway: Client, given: str, *, is_valid: bool) -> None:
    """What is not valid is ignored, as the specification says."""
    assert (await answered(gateway, traceparent=given)).get("traceparent") == (given if is_valid else None)


async def test_an_error_response_has_the_id(gateway: Client) -> None:
    """For an unknown path and without a key too."""
    async with gateway.get("/nowhere", headers=IDS) as response:
        assert (response.status, response.headers["X-Request-ID"]) == (404, "shop-4711")


@pytest.mark.usefixtures("worker")
async def test_gateway_and_worker_log_the_ids(gateway: Client) -> None:
    """Each line of the request, and of the job that it has caused."""
    image = base64.b64encode(image_files.png()).decode()
    body = json.dumps({"fileName": "a.png", "formats": [PRODUCT], "imageData": image})
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        async with gateway.post("/images/upload/convert", data=body, headers={**ADMIN, **IDS}) as response:
            assert response.status == 200

    assert {line["event"] for line in lines} >= {"audit", "request", "converted"}
    assert {(line["request_id"], line["trace_id"]) for line in lines} == {("shop-4711", TRACE)}
    (request,) = [line for line in lines if line["event"] == "request"]
    (converted,) = [line for line in lines if line["event"] == "converted"]
    assert (request["actor"], request["address"]) == ("key admin", "127.0.0.1")
    assert converted["job"]


@pytest.mark.usefixtures("worker", "no_run")
async def test_the_jobs_of_a_run_have_the_ids_of_its_start(gateway: Client, resources: Resources) -> None:
    """They are enqueued by the planner, long after that request."""
    directory = await put_sources(resources, {"a.png": image_files.png(), "b.png": image_files.png()})
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        body = {"source": "directory", "directory": directory, "formatList": [PRODUCT]}
        await post(gateway, "/images/convert/start", body, **{"X-Request-ID": "the-start"})
        await finished(gateway)

    converted = [line for line in lines if line["event"] == "converted"]
    assert [line["request_id"] for line in converted] == ["the-start"] * 2
    assert len({line["run"] for line in converted}) == 1


@pytest.mark.parametrize(
    "ids", [None, 7, {"request_id": "a\nb", "trace_id": 1}, {"request_id": ["x"]}, {"role": "x"}]
)
@pytest.mark.usefixtures("worker")
async def test_jobs_without_valid_ids_are_done(resources: Resources, ids: Any) -> None:
    """Those of earlier releases, and those of other programs."""
    job_id = uuid4().hex
    job = json.loads(job_body("convert_source", {"id": job_id, "source_key": "source/none.png", "outputs": []}))
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await resources.redis.set(job_key(job_id), json.dumps({**job, **({} if ids is None else {"ids": ids})}))
        await resources.redis.zadd("ic:lane:interactive", {job_id: 1})
        outcome = await resources.queue.wait(job_id, seconds=10)

    assert outcome["outputs"] == []
    assert not [line for line in lines if line.keys() & {"request_id", "trace_id"}]
