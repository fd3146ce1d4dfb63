"""`POST images/upload?directory=`: adding images to a staged upload."""

import base64
from typing import Any

import pytest

from imageconverter.resources import Resources
from tests.testing import image_files
from tests.testing.commands import THUMBNAIL
from tests.testing.runs import Client, post


def body(name: str, data: bytes | None = None) -> dict[str, Any]:
    """Return the body of an upload of one image."""
    text = base64.b64encode(data or image_files.png()).decode()
    return {"fileName": name, "formats": [THUMBNAIL], "imageData": text}


@pytest.mark.parametrize("base", ["/admin/api/v1/images", "/images"])
async def test_images_are_added_to_an_upload(gateway: Client, resources: Resources, base: str) -> None:
    """The response has the same directory and the number of images of this request."""
    _, first = await post(gateway, f"{base}/upload", body("a.png"))
    added = await post(gateway, f"{base}/upload?directory={first['path']}", body("b.png"))

    assert added == (200, {"path": first["path"], "size": 1})
    for name in ("a.png", "b.png"):
        assert await resources.store.head(f"source/{first['path']}/{name}") is not None


async def test_an_image_of_the_same_name_is_replaced(gateway: Client, resources: Resources) -> None:
    """So that a request can be repeated if its response was lost."""
    again = image_files.png(size=(3, 3))
    _, first = await post(gateway, "/images/upload", body("a.png"))
    status, _ = await post(gateway, f"/images/upload?directory={first['path']}", body("a.png", again))
    stored = await resources.store.get(f"source/{first['path']}/a.png")

    assert status == 200
    assert stored is not None
    assert bytes(stored.data) == again


@pytest.mark.parametrize(
    "directory",
    [
        "",
        "upload",
        "upload/",
        "upload/0123456789ab",
        "upload/0123456789AB",
        "upload/{id}/",
        "upload/{id}%0a",
        "upload/{id}/below",
        "upload/{id}/../{id}",
        "upload/../upload/{id}",
        "/upload/{id}",
        "upload%5c{id}",
        "{id}",
        "../source/upload/{id}",
        "kept products",
    ],
)
async def test_an_unknown_upload_is_an_invalid_value(gateway: Client, resources: Resources, directory: str) -> None:
    """Nothing is written outside uploads, and clients cannot choose the id of an upload."""
    await resources.store.put("source/kept products/a.png", b"A", content_type="image/png")
    _, first = await post(gateway, "/images/upload", body("a.png"))
    wanted = directory.replace("{id}", first["path"].removeprefix("upload/"))
    status, response = await post(gateway, f"/images/upload?directory={wanted}", body("new.png"))

    assert status == 400
    assert (response["type"], response["field"]) == ("invalidValue", "directory")
    assert await resources.store.head("source/kept products/new.png") is None
    assert await resources.store.head(f"source/{first['path']}/new.png") is None
