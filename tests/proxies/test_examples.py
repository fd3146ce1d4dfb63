"""Each example runs in front of two gateways, and passes on what both APIs need."""

import asyncio
import json
import shutil
import ssl
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.stack.ports import free_ports
from services.worker.main import run as run_worker
from tests.conftest import ADMIN, API_KEY, TOKEN_SECRET, MakeSettings
from tests.testing import image_files
from tests.testing.roles import running
from tests.testing.runs import PRODUCT, put_sources

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "proxies"
NAME: Final = "images.example.com"
SECONDS: Final = 60  # until something must have gone wrong
LARGE: Final = 3_000_000  # bytes: more than nginx accepts and buffers by default


class Proxy(NamedTuple):
    """A program that runs an example."""

    program: str
    files: tuple[str, ...]
    """The examples that it reads; the first one is named in its command."""
    arguments: Callable[[Path], list[str]]


NGINX_FOLDERS: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CADDY_GLOBAL: Final = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
PROXIES: Final = {
    "nginx": Proxy(
        "nginx", ("nginx.conf",), lambda file: ["-p", str(file.parent), "-c", str(file), "-g", "daemon off;"]
    ),
    "Caddy": Proxy("caddy", ("Caddyfile",), lambda file: ["run", "--adapter", "caddyfile", "--config", str(file)]),
    "Traefik": Proxy("traefik", ("traefik.yml", "traefik-gateways.yml"), lambda file: [f"--configFile={file}"]),
}


class Served(NamedTuple):
    """Two gateways behind a proxy."""

    session: ClientSession
    base: str
    gateways: list[TestServer]


def find(program: str) -> str:
    """Return the path of *program*, which a package of the development environment or Debian has installed."""
    found = (
        shutil.which(program, path=sysconfig.get_path("scripts"))
        or shutil.which(program)
        or shutil.which(program, path="/usr/sbin")
    )
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(params=PROXIES)
async def served(
    request: pytest.FixtureRequest, make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> AsyncIterator[Served]:
    """Run a proxy in front of two gateways that trust it."""
    proxy = PROXIES[request.param]
    program = find(proxy.program)
    (port,) = free_ports(1)
    make_certificate(tmp_path)
    settings = make_settings(
        gateway=GatewaySettings(api_key=API_KEY, token_secret=TOKEN_SECRET, wait_seconds=20, trusted_proxies=1)
    )
    async with AsyncExitStack() as stack:
        gateways = [TestServer(create_app(settings, resources)) for _ in range(2)]
        for gateway in gateways:
            await stack.enter_async_context(gateway)
        changes = {
            ':443"': f':{port}"',
            "listen 443 ": f"listen 127.0.0.1:{port} ",
            f"{NAME} {{\n": f"{CADDY_GLOBAL}{NAME}:{port} {{\n\tbind 127.0.0.1\n",
            "127.0.0.1:8005": f"127.0.0.1:{gateways[0].port}",
            "127.0.0.1:8006": f"127.0.0.1:{gateways[1].port}",
            f"/etc/ssl/{NAME}.crt": str(tmp_path / "certificate.pem"),
            f"/etc/ssl/{NAME}.key": str(tmp_path / "key.pem"),
            "/etc/traefik/": f"{tmp_path}/",
            "events {\n": f"pid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{\n",
            "http {\n": "http {\n  access_log off;\n"
            + "".join(f"  {kind}_temp_path {tmp_path}/{kind};\n" for kind in NGINX_FOLDERS),
        }
        for name in proxy.files:
            text = (EXAMPLES / name).read_text()
            for before, after in changes.items():
                text = text.replace(before, after)
            (tmp_path / name).write_text(text)
        with (tmp_path / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                program,
                *proxy.arguments(tmp_path / proxy.files[0]),
                stdout=log,
                stderr=log,
                env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            )
        try:
            trusting = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
            connector = TCPConnector(ssl=trusting)
            timeout = ClientTimeout(total=SECONDS)
            async with ClientSession(connector=connector, headers={"Host": NAME}, timeout=timeout) as session:
                base = f"https://127.0.0.1:{port}"
                async with asyncio.timeout(SECONDS):
                    while not await is_ready(session, base):
                        assert process.returncode is None, (tmp_path / "log").read_text()
                        await asyncio.sleep(0.1)
                yield Served(session, base, gateways)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def make_certificate(folder: Path) -> None:
    """Write a key and a certificate of its own for the name of the examples."""
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)


async def is_ready(session: ClientSession, base: str) -> bool:
    """Return whether a gateway responds through the proxy."""
    try:
        async with session.get(f"{base}/health/live", server_hostname=NAME) as response:
            return response.status == 200
    except ClientError:
        return False


async def call(served: Served, method: str, path: str, **options: Any) -> tuple[int, dict[str, str], Any]:
    """Return the status, the headers and the JSON of a response."""
    options = {"headers": ADMIN, **options}
    async with served.session.request(method, served.base + path, server_hostname=NAME, **options) as response:
        text = await response.text()
        return response.status, dict(response.headers), json.loads(text) if text.startswith(("{", "[")) else text


async def test_large_uploads_arrive_as_they_are_sent(served: Served) -> None:
    """They are larger than a proxy accepts or buffers by itself; the limits are those of the gateway."""
    data = image_files.jpeg(size=(600, 400)) + bytes(LARGE)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 100_000):
            yield data[start : start + 100_000]

    status, _, body = await call(served, "PUT", "/images/sources/proxies/large.jpg", data=pieces())
    assert (status, body.get("size")) == (200, len(data))
    status, headers, _ = await call(
        served, "GET", "/images/sources/proxies/large.jpg", headers={**ADMIN, "Range": "bytes=5-9"}
    )
    assert (status, headers["Content-Length"]) == (206, "5")


async def test_the_gateway_sees_the_address_and_the_protocol_of_the_client(served: Served) -> None:
    """Not what the client claims: its login is on a secure connection from loopback."""
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
    with capture_logs() as lines:
        status, headers, _ = await call(
            served, "POST", "/admin/api/v1/login?setCookie", json={"apiKey": API_KEY}, headers=claims
        )
    addresses = {line.get("address") for line in lines if line["event"] == "audit"}

    assert status == 200
    assert "Secure" in headers["Set-Cookie"]
    assert addresses == {"127.0.0.1"}


@pytest.mark.usefixtures("no_run")
async def test_events_arrive_one_by_one(served: Served, resources: Resources, make_settings: MakeSettings) -> None:
    """While the run lasts, not all at its end: it does not begin before the first one has arrived."""
    directory = await put_sources(resources, {f"{number}.png": image_files.png() for number in range(10)})
    body = {"action": "manual", "source": "directory", "formatList": [PRODUCT], "directory": directory}
    status, _, _ = await call(served, "POST", "/images/convert/start", json=body)
    async with served.session.get(
        f"{served.base}/images/convert/events", headers=ADMIN, server_hostname=NAME
    ) as response:
        lines = [await response.content.readuntil(b"\n\n")]
        async with running(make_settings(), run_worker):
            lines += [line async for line in response.content]
        data = [line[5:] for line in b"".join(lines).splitlines() if line.startswith(b"data:")]
        states = [json.loads(each)["running"] for each in data]
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert status == 200
    assert (states[0], states[-1]) == (True, False)


async def test_a_gateway_that_ends_is_not_missed(served: Served) -> None:
    """The other one serves all requests."""
    await served.gateways[0].close()
    statuses = {(await call(served, "GET", "/images/formats"))[0] for _ in range(20)}
    assert statuses == {200}


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/imageconverter", "/imageconverter/status"])
async def test_what_needs_no_credentials_is_not_passed_on(served: Served, path: str) -> None:
    """But paths that only begin like it."""
    status, _, body = await call(served, "GET", path)
    assert status == 404
    assert "reason" not in body  # the gateway's own would have one
    status, _, body = await call(served, "GET", f"/x{path}")
    assert (status, body["error"]) == (404, "Not Found")


async def test_errors_are_those_of_the_gateway(served: Served) -> None:
    """In the shape of its APIs, also if a request is too large."""
    status, _, body = await call(served, "POST", "/images/convert/start", data=BytesIO(b"{" + bytes(LARGE)))
    assert (status, set(body)) == (413, {"error", "reason"})
    status, _, body = await call(served, "GET", "/images/formats", headers={})
    assert (status, body["error"]) == (401, "Unauthorized")
