"""`POST images/upload/convert?details=true`: what pages show about outputs."""

import io
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from tests.conftest import ADMIN
from tests.testing import image_files

Client = TestClient[Any, Any]
THUMBNAIL, NORMAL = "content.imageFormat.thumbnailProduct", "content.imageFormat.normalProduct"

pytestmark = pytest.mark.usefixtures("worker")


async def convert(client: Client, **query: str) -> list[dict[str, Any]]:
    """Convert an image of 640 x 480 pixels; returns the results."""
    query = {"fileName": "details.jpg", "formats": f"{THUMBNAIL},{NORMAL}", **query}
    data = image_files.jpeg((640, 480))
    async with client.post("/images/upload/convert", params=query, data=data, headers=ADMIN) as response:
        assert response.status == 200
        results: list[dict[str, Any]] = (await response.json())["items"]
    return results


async def test_results_have_bytes_and_pixels_of_the_outputs(gateway: Client) -> None:
    """Those of the files that are served."""
    for result in await convert(gateway, details="true"):
        data = await (await gateway.get(f"/content/{result['output']}")).read()
        assert result["bytes"] == len(data)
        assert (result["width"], result["height"]) == Image.open(io.BytesIO(data)).size
        assert result["seconds"] >= 0


async def test_results_are_as_before_without_the_parameter(gateway: Client) -> None:
    """Strict clients accept no further keys."""
    for result in await convert(gateway):
        assert not {"bytes", "width", "height", "seconds"} & set(result)
    response = await gateway.post(
        "/images/upload/convert", params={"fileName": "a.jpg", "details": "yes"}, data=b"x", headers=ADMIN
    )
    assert (response.status, (await response.json())["field"]) == (400, "details")
