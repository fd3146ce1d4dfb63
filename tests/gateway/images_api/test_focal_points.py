"""`images/focal-points`: set by a client, used by all crops, and part of what an output was made of."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from imageconverter import keys
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.storage.bulk_delete import delete_below
from services.gateway.app import create_app
from tests.conftest import ADMIN, MakeSettings
from tests.testing.runs import finished, get, post, put_sources, start

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("no_run", "worker")

FORMATS = """
[[format]]
id = "square"
name = "square"
type = "product"
targetDirectory = "{directory}/square"
maxWidth = 50
maxHeight = 50
fit = "crop"
output = "png"

[[format]]
id = "own"
name = "own"
type = "product"
targetDirectory = "{directory}/own"
maxWidth = 50
maxHeight = 50
fit = "crop"
focus = [1, 0]
focalPoint = false
output = "png"

[[format]]
id = "whole"
name = "whole"
type = "product"
targetDirectory = "{directory}/whole"
maxWidth = 50
maxHeight = 50
output = "png"
"""
NODE_IDS = [f"content.imageFormat.{name}" for name in ("square", "own", "whole")]
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
COLUMNS = (RED, GREEN, BLUE)


def columns(seed: int = 0) -> bytes:
    """Return an image of three squares beside each other."""
    image = Image.new("RGB", (600, 200))
    for number, color in enumerate(COLUMNS):
        image.paste(color, (200 * number, 0, 200 * number + 200, 200))
    image.putpixel((0, 0), (seed, 0, 0))
    image.save(data := io.BytesIO(), "PNG")
    return data.getvalue()


class Shop:
    """A gateway with formats that crop, and their directory."""

    def __init__(self, client: Client, resources: Resources, directory: str) -> None:
        self.client, self.resources, self.directory = client, resources, directory
        self.prefixes: list[str] = []

    async def sources(self, files: dict[str, bytes]) -> str:
        """Store sources in a new directory; returns it."""
        directory = await put_sources(self.resources, files)
        self.prefixes += [keys.source(directory), keys.focal_points(directory)]
        return directory

    async def color(self, format_id: str, name: str = "00.png") -> Any:
        """Return the color in the middle of an output."""
        loaded = await self.resources.store.get(keys.target(f"{self.directory}/{format_id}/{name}"))
        assert loaded is not None
        return Image.open(io.BytesIO(bytes(loaded.data))).convert("RGB").getpixel((25, 25))

    async def states(self, path: str) -> dict[str, str]:
        """Return the states of the outputs of a source by format."""
        _, details = await get(self.client, f"/images/details/{path}")
        return {each["formatNodeId"].rpartition(".")[2]: each["state"] for each in details["formats"]}

    async def point(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a request about the focal point of a source; returns status and body."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        address = f"/images/focal-points/{path}"
        async with self.client.request(method, address, data=data, headers={**ADMIN, **headers}) as response:
            return response.status, await response.json()


@pytest.fixture
async def shop(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop of its own."""
    directory, file = f"focal {uuid4().hex}", tmp_path / "formats.toml"
    file.write_text(FORMATS.format(directory=directory))
    app = create_app(make_settings(), replace(resources, formats=CurrentFormats(file)))
    async with TestClient(TestServer(app)) as client:
        shop = Shop(client, resources, directory)
        yield shop
    for below in (keys.target(directory), *shop.prefixes):
        await delete_below(resources.store, f"{below}/")


async def test_a_focal_point_is_set_shown_and_removed(shop: Shop) -> None:
    """Rounded to four digits; the details of the source have it too."""
    sources = await shop.sources({"ä 1.png": columns()})
    path = f"{sources}/ä 1.png"

    assert (await shop.point("GET", path))[0] == 404
    assert await shop.point("PUT", path, {"x": 0.123456, "y": 1}) == (200, {"x": 0.1235, "y": 1.0})
    assert await shop.point("GET", path) == (200, {"x": 0.1235, "y": 1.0})
    assert (await get(shop.client, f"/images/details/{path}"))[1]["focalPoint"] == {"x": 0.1235, "y": 1.0}
    assert await shop.point("DELETE", path) == (200, {})
    status, error = await shop.point("DELETE", path)
    assert (status, error["reason"]) == (404, "The source has no focal point.")
    assert "focalPoint" not in (await get(shop.client, f"/images/details/{path}"))[1]


@pytest.mark.parametrize(
    ("body", "kind", "field"),
    [
        ({"x": 0.5}, "missing", "y"),
        ({"x": 1.01, "y": 0}, "invalidFormat", "x"),
        ({"x": 0, "y": -0.1}, "invalidFormat", "y"),
        ({"x": "0.5", "y": 0}, "invalidFormat", "x"),
        ({"x": True, "y": 0}, "invalidFormat", "x"),
        ({"x": 0, "y": 0, "z": 0}, "unknownDataField", "z"),
        (b'{"x": NaN, "y": 0}', None, None),
        (b'{"x": 1e999, "y": 0}', None, None),
        (b"[0.5, 0.5]", None, None),
        (b"", None, None),
    ],
)
async def test_a_point_must_be_inside_the_image(shop: Shop, body: Any, kind: str | None, field: str | None) -> None:
    """Each error names what is wrong, and nothing is set."""
    sources = await shop.sources({"a.png": columns()})
    status, error = await shop.point("PUT", f"{sources}/a.png", body)

    assert status == 400
    if kind:
        assert (error["type"], error["field"]) == (kind, field)
    assert (await shop.point("GET", f"{sources}/a.png"))[0] == 404


async def test_only_sources_have_focal_points(shop: Shop) -> None:
    """No uploads, which are converted once, no directories, and only the version that the client knows."""
    sources = await shop.sources({"a.png": columns()})
    upload = f"upload/{'a' * 12}/a.png"
    await shop.resources.store.put(keys.source(upload), columns(), content_type="image/png")

    for path in (upload, f"{sources}/b.png", sources):
        assert (await shop.point("PUT", path, {"x": 0, "y": 0}))[0] == 404
        assert (await shop.point("GET", path))[0] == 404
    assert (await shop.point("PUT", "../a.png", {"x": 0, "y": 0}))[0] in (400, 404)
    changed = {"If-Match": '"another"'}
    assert (await shop.point("PUT", f"{sources}/a.png", {"x": 0, "y": 0}, **changed))[0] == 412
    await shop.resources.store.delete([keys.source(upload)])


async def test_crops_are_outdated_when_the_point_changes(shop: Shop) -> None:
    """Until the next run, which makes them anew and skips all others; a format may keep its own focus."""
    names = [f"{number:02}.png" for number in range(18)]  # as many as the output index is asked for
    sources = await shop.sources({name: columns(number) for number, name in enumerate(names)})
    path = f"{sources}/00.png"
    steps = ((None, GREEN), ({"x": 0, "y": 0.5}, RED), ({"x": 0, "y": 0.5}, RED), ({"x": 1, "y": 0.5}, BLUE))
    for number, (point, color) in enumerate(steps):
        if point:
            await shop.point("PUT", path, point)
        if number in (1, 3):
            assert await shop.states(path) == {"square": "outdated", "own": "upToDate", "whole": "upToDate"}
            body = {"action": "manual", "source": "directory", "formatList": NODE_IDS, "directory": sources}
            _, plan = await post(shop.client, "/images/convert/plan", body)
            assert [each["make"] for each in plan["formats"]] == [1, 0, 0]
        await start(shop.client, sources, *NODE_IDS)
        await finished(shop.client)
        assert set((await shop.states(path)).values()) == {"upToDate"}
        assert await shop.color("square") == color
        assert await shop.color("own") == BLUE
        assert await shop.color("square", "01.png") == GREEN
    await shop.point("DELETE", path)
    assert (await shop.states(path))["square"] == "outdated"
    await start(shop.client, sources, *NODE_IDS)
    await finished(shop.client)

    assert await shop.color("square") == GREEN


async def test_examples_of_a_format_follow_the_point(shop: Shop) -> None:
    """And have another ETag then."""
    sources = await shop.sources({"a.png": columns()})
    seen = []
    for point in (None, {"x": 0, "y": 0.5}, {"x": 1, "y": 0.5}):
        if point:
            await shop.point("PUT", f"{sources}/a.png", point)
        address = f"/images/formats/content.imageFormat.square/example?path={sources}/a.png"
        async with shop.client.get(address, headers=ADMIN) as response:
            image = Image.open(io.BytesIO(await response.read()))
            seen.append((response.headers["ETag"], image.convert("RGB").getpixel((25, 25))))

    assert len({tag for tag, _ in seen}) == 3
    assert [color for _, color in seen] == [GREEN, RED, BLUE]
