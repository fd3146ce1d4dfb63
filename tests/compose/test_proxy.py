"""Eight workers and two gateways behind the proxy of docker-compose.proxy.yml."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.compose.stack import Stack, docker, inspect, photograph

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("_engine")]

GATEWAYS, WORKERS, IMAGES = 2, 8, 40
SEEN = (
    "import re, urllib.request\n"
    "metrics = urllib.request.urlopen('http://127.0.0.1:8005/metrics').read().decode()\n"
    "route = r'^imageconverter_http_request_seconds_count{.*upload/convert.*} ([0-9.]+)'\n"
    "print(sum(float(count) for count in re.findall(route, metrics, re.MULTILINE)))"
)
"""Prints the number of conversions that were requested from a gateway."""


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack behind a proxy; it is removed at the end."""
    stack = Stack(tmp_path_factory.mktemp("proxy"), workers=WORKERS, gateways=GATEWAYS, behind_proxy=True)
    stack.compose("build", "--quiet")
    try:
        stack.up()
        yield stack
    finally:
        stack.down("--volumes")


def convert(stack: Stack, name: str) -> None:
    """Convert *IMAGES* images, eight at a time, and check that each has become a file."""
    names = [f"{name}-{number}.jpg" for number in range(IMAGES)]
    with ThreadPoolExecutor(8) as clients:
        rows = [row for (row,) in clients.map(lambda name: stack.convert(photograph(640, 480), name), names)]
    assert {row["status"] for row in rows} == {"success"}
    assert [row["output"] for row in rows] == [f"products/normal/{name}" for name in names]
    assert all(stack.download(row["output"]).startswith(b"\xff\xd8") for row in rows)


def test_all_gateways_serve_one_port(scaled: Stack) -> None:
    """The proxy is the only container with a published port, and shares out the requests."""
    assert len(scaled.containers("gateway")) == GATEWAYS
    assert len(scaled.containers("worker")) == WORKERS
    assert scaled.request("GET", "health/ready")["workers"] == WORKERS
    convert(scaled, "both")
    seen = [float(docker("exec", gateway, "python", "-c", SEEN)) for gateway in scaled.containers("gateway")]
    published = {
        scaled.service(container)
        for container in scaled.containers()
        if any(inspect(container)["NetworkSettings"]["Ports"].values())
    }

    assert sum(seen) == IMAGES
    assert min(seen) > 0, seen
    assert published == {"proxy"}


def test_the_proxy_is_limited_and_unprivileged(scaled: Stack) -> None:
    """Like all other services."""
    (proxy,) = scaled.containers("proxy")
    container = inspect(proxy)
    host = container["HostConfig"]

    assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert (container["Config"]["User"], host["Memory"] > 0, host["PidsLimit"] > 0) == ("10001:10001", True, True)


def test_conversions_go_on_when_a_gateway_is_killed(scaled: Stack) -> None:
    """The proxy sends them to the other one."""
    docker("kill", scaled.containers("gateway")[0])
    convert(scaled, "other")
