"""Signed URLs of a source with a focal point."""

import io
from typing import Any

import pytest
from PIL import Image

from imageconverter import keys
from imageconverter.resources import Resources
from tests.conftest import ADMIN
from tests.gateway.images_api.test_focal_points import BLUE, GREEN, RED, columns
from tests.gateway.signed_urls.test_images import Client, client, get, lasting, source, url

pytestmark = pytest.mark.usefixtures("worker")

__all__ = ["client", "lasting", "source"]


async def _color(client: Client, options: str, path: str) -> Any:
    status, _, body = await get(client, url(options, path))
    assert status == 200
    image = Image.open(io.BytesIO(body)).convert("RGB")
    return image.getpixel((image.width // 2, image.height // 2))


async def test_a_crop_without_gravity_keeps_the_point(lasting: Client, resources: Resources, source: str) -> None:
    """At once, although the gateway remembers that there was none; with a gravity, that counts."""
    await resources.store.put(keys.source(source), columns(), content_type="image/png")
    options = "rs:fill:50:50/f:png"
    assert await _color(lasting, options, source) == GREEN
    async with lasting.put(f"/images/focal-points/{source}", json={"x": 0, "y": 0}, headers=ADMIN) as response:
        assert response.status == 200

    assert await _color(lasting, options, source) == RED
    assert await _color(lasting, f"{options}/g:ce", source) == GREEN
    assert await _color(lasting, f"{options}/g:fp:1:0", source) == BLUE
    assert await _color(lasting, "rs:fit:50:50/f:png", source) == GREEN
    async with lasting.delete(f"/images/focal-points/{source}", headers=ADMIN) as response:
        assert response.status == 200
    assert await _color(lasting, options, source) == GREEN
