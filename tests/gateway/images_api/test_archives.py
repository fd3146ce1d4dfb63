"""`POST images/archive`."""

import io
from contextlib import AsyncExitStack
from typing import Any
from zipfile import ZipFile

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient

from imageconverter import keys
from imageconverter.resources import Resources
from services.gateway import state
from tests.conftest import ADMIN

Client = TestClient[Any, Any]
PATHS = ["archives/normal/a b.png", "archives/normal/ü.png"]


def form(**fields: str) -> FormData:
    """Return a form as a page sends it."""
    data = FormData(default_to_multipart=True)
    for name, value in fields.items():
        data.add_field(name, value)
    return data


@pytest.fixture(scope="module", autouse=True)
async def images(resources: Resources) -> None:
    """Store images at PATHS."""
    for path in PATHS:
        await resources.store.put(keys.target(path), path.encode(), content_type="image/png")


@pytest.mark.parametrize(
    "body", [{"json": {"paths": PATHS}}, {"data": form(paths="\r\n".join([*PATHS, ""]))}], ids=["json", "form"]
)
async def test_images_are_downloaded_as_a_zip_archive(gateway: Client, body: dict[str, Any]) -> None:
    """By programs with JSON, by browsers with a form; it is a file to them, and no copy is kept on the way."""
    async with gateway.post("/images/archive", headers=ADMIN, **body) as response:
        assert response.status == 200
        assert response.content_type == "application/zip"
        assert response.headers["Content-Disposition"].startswith('attachment; filename="images-20')
        assert response.headers["Cache-Control"] == "no-store"
        with ZipFile(io.BytesIO(await response.read())) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                each: each.encode() for each in PATHS
            }


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"json": {"paths": []}}, 400, "missing"),
        ({"json": {}}, 400, "missing"),
        ({"json": {"paths": "a"}}, 400, "invalidFormat"),
        ({"json": {"paths": ["a"], "x": 1}}, 400, "unknownDataField"),
        ({"json": {"paths": ["../source/a.png"]}}, 400, "invalidValue"),
        ({"json": {"paths": ["/etc/passwd"]}}, 400, "invalidValue"),
        ({"json": {"paths": ["a"] * 50_001}}, 400, "invalidValue"),
        ({"json": {"paths": ["archives/none.png"]}}, 404, None),
        ({"data": io.BytesIO(b"x" * (8 * 1024 * 1024 + 1))}, 413, None),
        ({"data": b"not JSON"}, 400, None),
    ],
)
async def test_invalid_requests_are_refused(gateway: Client, body: dict[str, Any], status: int, error: str) -> None:
    """Before anything is sent."""
    async with gateway.post("/images/archive", headers=ADMIN, **body) as response:
        assert (response.status, (await response.json()).get("type")) == (status, error)


async def test_archives_are_limited(gateway: Client) -> None:
    """Those at the same time, as each can be many requests to the store."""
    assert gateway.app is not None
    places = gateway.app[state.ARCHIVES]
    async with AsyncExitStack() as taken:
        while not places.locked():
            await taken.enter_async_context(places)
        async with gateway.post("/images/archive", headers=ADMIN, json={"paths": PATHS}) as response:
            assert (response.status, "Retry-After" in response.headers) == (503, True)
    async with gateway.post("/images/archive", headers=ADMIN, json={"paths": PATHS}) as response:
        assert response.status == 200


async def test_a_form_with_another_field_is_refused(gateway: Client) -> None:
    """A misspelt field would otherwise be an empty archive."""
    async with gateway.post("/images/archive", headers=ADMIN, data=form(path=PATHS[0])) as response:
        assert (response.status, (await response.json())["type"]) == (400, "unknownDataField")


async def test_pages_of_other_sites_cannot_download(gateway: Client) -> None:
    """Their forms would be sent with the cookies of the login."""
    login = await gateway.post("/admin/api/v1/login?setCookie", json={"apiKey": ADMIN["Authorization"].split()[1]})
    headers = {"Sec-Fetch-Site": "cross-site", "Cookie": f"accessToken={login.cookies['accessToken'].value}"}
    gateway.session.cookie_jar.clear()  # the client of all tests must not stay logged in
    async with gateway.post("/images/archive", headers=headers, data=form(paths=PATHS[0])) as response:
        assert response.status == 401
