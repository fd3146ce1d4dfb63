"""`GET /content/<path>` of an image that has variants: each client gets the best one that it accepts."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.images import directories
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from services.gateway.app import create_app
from tests.conftest import ADMIN, MakeSettings
from tests.testing import drawings, image_files
from tests.testing.image_assertions import opened

Client = TestClient[Any, Any]

# What browsers send for an image of a page.
CHROME: Final = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
OLD_SAFARI: Final = "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
PROGRAM: Final = "*/*"

DATA: Final = {"jpeg": b"j" * 200, "webp": b"w" * 150, "avif": b"a" * 100}
FORMATS: Final = """
[[format]]
id = "varied"
name = "varied"
type = "product"
targetDirectory = "{directory}"
maxWidth = 320
maxHeight = 320
output = "jpeg"
variants = ["avif", "webp"]
"""


@pytest.fixture
def directory() -> str:
    """The target directory of a format with variants."""
    return f"varied {uuid4().hex}"


@pytest.fixture
async def client(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path, directory: str
) -> AsyncIterator[Client]:
    """A gateway with that format."""
    file = tmp_path / "formats.toml"
    file.write_text(FORMATS.format(directory=directory))
    served = replace(resources, formats=CurrentFormats(file))
    async with TestClient(TestServer(create_app(make_settings(), served))) as client:
        yield client
    with suppress(NotFound):
        await directories.remove(resources.store, "target", directory)


async def put(
    resources: Resources, path: str, *types: str, made_of: str = "0f", recorded: str = "avif=100 webp=150"
) -> None:
    """Store objects of these types, with *recorded* variants in the metadata of the output."""
    for each in types:
        key = keys.target(path) if each == "jpeg" else keys.variant(each, path)
        metadata = {"made-of": made_of}
        if each == "jpeg":
            metadata["variants"] = recorded
        await resources.store.put(key, DATA[each], content_type=f"image/{each}", metadata=metadata)


@pytest.fixture
async def path(resources: Resources, directory: str) -> str:
    """An image with two variants."""
    path = f"{directory}/a.jpg"
    await put(resources, path, "avif", "webp", "jpeg")
    return path


async def content_type(client: Client, path: str, accept: str | None) -> str:
    """Return the type that is sent; checks what does not depend on it."""
    headers = {} if accept is None else {"Accept": accept}
    async with client.get(f"/content/{path}", headers=headers, skip_auto_headers=["Accept"]) as response:
        assert (response.status, response.headers["Vary"]) == (200, "Accept")
        kind = response.content_type.removeprefix("image/")
        assert await response.read() == DATA[kind]
        return kind


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (CHROME, "avif"),
        (OLD_SAFARI, "webp"),
        (PROGRAM, "jpeg"),
        (None, "jpeg"),
        ("", "jpeg"),
        ("image/*", "jpeg"),
        ("text/html", "jpeg"),
        ("IMAGE/AVIF ; Q=1.0", "avif"),
        ("image/avif;q=0.5,image/webp;q=0.9", "webp"),
        ("image/avif;q=0.5,image/jpeg", "jpeg"),
        ("image/webp;q=0.8,image/*;q=0.8", "webp"),
        ("image/avif;q=0,image/webp;q=0,*/*", "jpeg"),
        ("image/avif;q=2,image/webp;q=x,*/*", "jpeg"),
        ("image/avif;q=0.3,image/avif;q=0.9,image/jpeg;q=0.6", "avif"),
        (",;,=;q=,image/avif", "avif"),
        ("a/b," * 1900 + "image/avif", "jpeg"),
        ("image/avif" + ";a=b" * 1900, "avif"),
    ],
)
async def test_the_best_type_that_a_client_names_is_sent(
    client: Client, path: str, accept: str | None, kind: str
) -> None:
    """By quality value, then by size; headers that are no media ranges do no harm."""
    assert await content_type(client, path, accept) == kind


async def test_each_variant_has_its_tag_and_its_ranges(client: Client, path: str) -> None:
    """Conditions and ranges are about what the client would get."""
    url, tags = f"/content/{path}", {}
    for accept, kind in ((CHROME, "avif"), (OLD_SAFARI, "webp"), (PROGRAM, "jpeg")):
        async with client.head(url, headers={"Accept": accept}) as response:
            tags[kind] = response.headers["ETag"]
            assert response.content_length == len(DATA[kind])
        headers = {"Accept": accept, "Range": "bytes=-10", "If-Range": tags[kind]}
        async with client.get(url, headers=headers) as response:
            assert (response.status, await response.read()) == (206, DATA[kind][-10:])
        async with client.get(url, headers={"Accept": accept, "If-None-Match": tags[kind]}) as response:
            assert (response.status, response.headers["Vary"], response.headers["ETag"]) == (
                304,
                "Accept",
                tags[kind],
            )

    assert len(set(tags.values())) == 3
    assert all(tag.startswith('"') for tag in tags.values())
    async with client.get(url, headers={"Accept": CHROME, "If-None-Match": tags["jpeg"]}) as response:
        assert (response.status, response.content_type) == (200, "image/avif")
    async with client.get(url, headers={"Accept": CHROME, "If-Match": tags["jpeg"]}) as response:
        assert response.status == 412


@pytest.mark.parametrize(
    "recorded", ["", "avif=0 webp=0"], ids=["by an earlier release", "not smaller than the image"]
)
async def test_variants_that_are_not_recorded_are_not_sent(
    client: Client, resources: Resources, directory: str, recorded: str
) -> None:
    """Of a worker that was killed, or of another image."""
    await put(resources, f"{directory}/b.jpg", "avif", "webp", "jpeg", recorded=recorded)

    assert await content_type(client, f"{directory}/b.jpg", CHROME) == "jpeg"


async def test_variants_of_another_image_are_not_sent(client: Client, resources: Resources, path: str) -> None:
    """While a conversion replaces the image; its own are sent as soon as it is there."""
    assert await content_type(client, path, CHROME) == "avif"
    await put(resources, path, "avif", "webp", made_of="1e")
    assert await content_type(client, path, CHROME) == "jpeg"
    assert await content_type(client, path, OLD_SAFARI) == "jpeg"

    await put(resources, path, "jpeg", made_of="1e")
    assert await content_type(client, path, CHROME) in ("jpeg", "avif")  # the gateway may just have looked it up
    assert await content_type(client, path, CHROME) == "avif"


async def test_a_deleted_image_is_deleted_at_once(client: Client, path: str) -> None:
    """Also for clients that accept its variants, which the gateway has just looked up."""
    assert await content_type(client, path, CHROME) == "avif"
    async with client.delete("/images/upload/products/a.jpg", headers=ADMIN) as response:
        assert response.status == 200

    for accept in (CHROME, PROGRAM):
        async with client.get(f"/content/{path}", headers={"Accept": accept}) as response:
            assert response.status == 404


async def test_the_formats_say_which_variants_they_have(client: Client) -> None:
    """Those without variants do not mention them."""
    async with client.get("/images/formats", headers=ADMIN) as response:
        (varied,) = (await response.json())["items"]
    assert (varied["output"], varied["variants"]) == ("jpeg", ["avif", "webp"])


async def test_images_without_variants_do_not_vary(client: Client, resources: Resources, directory: str) -> None:
    """Neither those of other types in the same directory, nor those of other formats."""
    for name in (f"{directory}/a.png", "products/normal/without variants.jpg"):
        await resources.store.put(keys.target(name), b"data", content_type="image/jpeg")
        async with client.get(f"/content/{name}", headers={"Accept": CHROME}) as response:
            assert (response.status, "Vary" in response.headers) == (200, False)
        await resources.store.delete([keys.target(name)])


@pytest.mark.usefixtures("worker")
async def test_an_uploaded_image_has_variants(client: Client, directory: str) -> None:
    """Made with it; no file is larger than the image itself."""
    data = b64encode(image_files.jpeg(image=drawings.photo((640, 480)))).decode()
    upload = {"fileName": "c.jpg", "formats": ["content.imageFormat.varied"], "imageData": data}
    async with client.post("/images/upload/convert", json=upload, headers=ADMIN) as response:
        assert response.status == 200, await response.text()
    sizes = []
    for accept, kind in (("image/avif", "AVIF"), ("image/webp", "WEBP"), (PROGRAM, "JPEG")):
        async with client.get(f"/content/{directory}/c.jpg", headers={"Accept": accept}) as response:
            sent = await response.read()
        assert opened(sent).format == kind
        sizes.append(len(sent))

    assert max(sizes) == sizes[-1]
