"""`GET /content/<path>` at the hosts of subshops."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.images.test_formats_file import FORMAT

Client = TestClient[Any, Any]

SUBSHOPS: Final = """[[subshop]]
id = "main"
name = "Main shop"
contentHost = "content.main.example"

[[subshop]]
id = "outdoor"
name = "Outdoor"
contentHost = "content.outdoor.example/content"
targetPrefix = "{prefix}"

[[subshop]]
id = "open"
name = "Without a host"
targetPrefix = "{prefix}-open"

[[subshop]]
id = "shared"
name = "Without a prefix"
contentHost = "content.shared.example"
"""
OUTDOOR: Final = "content.outdoor.example"
MAIN: Final = "content.main.example"


@pytest.fixture
def prefix() -> str:
    """The prefix of a subshop with a host of its own."""
    return f"outdoor-ü-{uuid4().hex}"


@pytest.fixture(params=[0, 1])
def proxies(request: pytest.FixtureRequest) -> int:
    """The number of trusted proxies."""
    return int(request.param)


@pytest.fixture
async def client(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path, prefix: str, proxies: int
) -> AsyncIterator[Client]:
    """A gateway with these subshops, and an image `small/a.png` of each, in which its path is written."""
    (tmp_path / "formats.toml").write_text(FORMAT)
    (tmp_path / "subshops.toml").write_text(SUBSHOPS.format(prefix=prefix), encoding="utf-8")
    (tmp_path / "keys.toml").write_text(key_entry("p", "products", ["products.read"]))
    formats = CurrentFormats(tmp_path / "formats.toml", tmp_path / "subshops.toml")
    gateway = GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml", trusted_proxies=proxies)
    paths = [f"{each}small/{prefix}.png" for each in ("", f"{prefix}/", f"{prefix}-open/")]
    for path in paths:
        await resources.store.put(keys.target(path), path.encode(), content_type="image/png")
    app = create_app(make_settings(gateway=gateway), replace(resources, formats=formats))
    async with TestClient(TestServer(app)) as client:
        yield client
    await resources.store.delete(map(keys.target, paths))


async def fetch(client: Client, path: str, **headers: str) -> tuple[int, str]:
    """Return the status, and the text of an image."""
    async with client.get(f"/content/{path}", headers=headers) as response:
        return response.status, (await response.read()).decode() if response.status == 200 else ""


@pytest.mark.parametrize("host", [OUTDOOR, "CONTENT.outdoor.example:8443", "content.outdoor.example."])
async def test_a_host_serves_the_tree_of_its_subshop(client: Client, prefix: str, host: str) -> None:
    """And nothing else."""
    assert await fetch(client, f"small/{prefix}.png", Host=host) == (200, f"{prefix}/small/{prefix}.png")
    for path in (
        f"{prefix}/small/{prefix}.png",
        f"{prefix}-open/small/{prefix}.png",
        f"..%2Fsmall/{prefix}.png",
        f"..%2F{prefix}/small/{prefix}.png",
        f"%2E%2E/small/{prefix}.png",
        f"small%2F..%2F..%2Fsmall/{prefix}.png",
        f"%2Fsmall/{prefix}.png",
        f"./small/{prefix}.png"[2:] + "%00",
    ):
        assert await fetch(client, path, Host=host) == (404, "")


@pytest.mark.parametrize(
    "host",
    [
        MAIN,
        "127.0.0.1:8005",
        "content.shared.example",
        "evil.example",
        "content.outdoor.example.evil.example",
        "evil.example,content.outdoor.example",
        "content.outdoor.example@evil.example",
        "content.outdoor.example#",
        "x" * 5000,
        "[::1]",
        "*",
        "",
    ],
)
async def test_other_hosts_serve_the_default_tree_without_those_of_subshops_with_a_host(
    client: Client, prefix: str, host: str
) -> None:
    """However the path is spelled; that of a subshop without a host is there."""
    name = f"{prefix}.png"
    assert await fetch(client, f"small/{name}", Host=host) == (200, f"small/{name}")
    assert await fetch(client, f"{prefix}-open/small/{name}", Host=host) == (200, f"{prefix}-open/small/{name}")
    for path in (
        f"{prefix}/small/{name}",
        f"{prefix}%2Fsmall%2F{name}",
        f"{prefix.replace('ü', 'u%CC%88')}/small/{name}",
        f"small/../{prefix}/small/{name}",
        f"small%2F..%2F{prefix}/small/{name}",
        f"{prefix}//small/{name}",
    ):
        assert await fetch(client, path, Host=host) == (404, ""), path


async def test_who_may_read_images_sees_those_of_all_subshops(client: Client, prefix: str) -> None:
    """At any host, as the console does; shared caches must not keep them."""
    path = f"/content/{prefix}/small/{prefix}.png"
    async with client.get(path, headers=ADMIN) as response:
        assert (response.status, response.headers["Cache-Control"]) == (200, "private, max-age=3600")
    for key in ("products", "invalid"):
        async with client.get(path, headers={"Authorization": f"Bearer {key}"}) as response:
            assert response.status == 404


async def test_the_host_that_a_proxy_forwards_counts_if_it_is_trusted(
    client: Client, prefix: str, proxies: int
) -> None:
    """Else a client could have a cache keep an image under another host."""
    forwarded = {"X-Forwarded-Host": f"{MAIN}, {OUTDOOR}"}
    found = await fetch(client, f"small/{prefix}.png", Host="gateway.internal", **forwarded)

    assert found == (200, f"{prefix}/small/{prefix}.png" if proxies else f"small/{prefix}.png")


async def test_the_header_of_a_client_does_not_count(client: Client, prefix: str) -> None:
    """Proxies that append to it, or pass it on with the requested host."""
    for host, forwarded in (("gateway.internal", f"{OUTDOOR}, {MAIN}"), (MAIN, OUTDOOR)):
        found = await fetch(client, f"small/{prefix}.png", Host=host, **{"X-Forwarded-Host": forwarded})
        assert found == (200, f"small/{prefix}.png"), (host, forwarded)
