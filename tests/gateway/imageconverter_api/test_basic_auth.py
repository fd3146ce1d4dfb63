"""Basic authentication of the ImageConverter API."""

import base64
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from imageconverter.errors import Unauthorized
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway import state
from services.gateway.app import create_app
from services.gateway.auth.administrator import Administrator
from services.gateway.auth.attempts import Attempts
from services.gateway.auth.basic_auth import BasicAuth
from tests.conftest import API_KEY, MakeSettings
from tests.testing.fake_preview_cache import StandIn
from tests.testing.preview_requests import ADMIN, BASE, KEY, PASSWORD, Client, code, put

pytestmark = pytest.mark.usefixtures("no_failures")

GUARDED = [
    *((method, path) for method in ("DELETE", "POST", "GET") for path in ("clearImages", f"clearImagesByKey/{KEY}")),
    ("GET", "getKeys"),
    ("HEAD", "getKeys"),
]


def basic(credentials: bytes) -> str:
    """Return an Authorization header with *credentials*."""
    return f"Basic {base64.b64encode(credentials).decode()}"


WRONG = [
    "",
    "Basic",
    "Basic ",
    "Basic =",
    "Basic a",
    "Basic !!!!",
    "Basic YWRtaW4",  # no padding
    "Basic ünïcode",
    "Basic \udcff\udcfe",
    "Basic " + "A" * 5000,
    basic(b""),
    basic(b":"),
    basic(b"admin"),
    basic(b"admin:"),
    basic(b"admin:wrong"),
    basic(b"\xff\xfe\x00:\xff"),
    basic(f"Admin:{PASSWORD}".encode()),
    basic(f"admin:{PASSWORD} ".encode()),
    basic(f"admin:{PASSWORD}".encode("latin-1")),
    basic(f"admin:{PASSWORD}".encode()) + "!",
    f"Bearer {API_KEY}",
    ADMIN["Authorization"].replace("Basic", "Bearer"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("header", WRONG, ids=ascii)
async def test_invalid_basic_credentials_are_rejected(
    client: Client, cache: StandIn, method: str, path: str, header: str
) -> None:
    """401 with a challenge."""
    cache.sources["there"] = cache.sources[KEY] = b"image"
    async with client.request(method, f"{BASE}/{path}", headers={"Authorization": header}) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
        if method != "HEAD":
            assert await code(response) == (401, 4010)
    assert len(cache.sources) == 2


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
async def test_the_scheme_is_case_insensitive(client: Client, scheme: str) -> None:
    """As RFC 9110 requires."""
    header = ADMIN["Authorization"].replace("Basic", scheme)
    async with client.get(f"{BASE}/getKeys", headers={"Authorization": header}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 401), ("same-site", 401), ("same-origin", 200), ("none", 200)]
)
async def test_cross_site_requests_cannot_clear_images(
    client: Client, cache: StandIn, site: str, status: int
) -> None:
    """Not even with an img element, for which browsers send stored credentials."""
    await put(client)
    async with client.get(f"{BASE}/clearImages", headers={**ADMIN, "Sec-Fetch-Site": site}) as response:
        assert response.status == status
    assert (KEY in cache.sources) == (status == 401)


@pytest.fixture
async def open_client(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway without a password."""
    app = create_app(make_settings(gateway=GatewaySettings(api_key=API_KEY)), resources)
    app[state.PREVIEWS] = StandIn()
    async with TestClient(TestServer(app)) as opened:
        yield opened


@pytest.mark.parametrize("credentials", [b"", b"admin:", b":", b"admin:admin", b"admin:None"])
async def test_without_a_password_all_requests_are_rejected(open_client: Client, credentials: bytes) -> None:
    """There is no default."""
    async with open_client.get(f"{BASE}/getKeys", headers={"Authorization": basic(credentials)}) as response:
        assert await code(response) == (401, 4010)


async def test_an_empty_password_counts_as_none(resources: Resources) -> None:
    """Credentials with an empty password are rejected."""
    settings = GatewaySettings(api_key=API_KEY, admin_password="")
    request = make_mocked_request("GET", "/", headers={"Authorization": basic(b"admin:")})
    with pytest.raises(Unauthorized):
        await BasicAuth(Administrator(settings)).require(request, Attempts(resources.redis, settings))
