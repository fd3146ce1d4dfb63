"""`images/sources`: storing, reading, listing, moving and deleting source images, with a real store."""

import base64
import hashlib
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from imageconverter.engine import Limits
from imageconverter.errors import InvalidValue
from imageconverter.images.incoming import publish
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import MEGABYTE
from services.gateway.app import create_app
from tests.conftest import ADMIN, MakeSettings, storage_settings
from tests.testing import image_files

Client = TestClient[Any, Any]
SOURCES = "/admin/api/v1/images/sources"


@pytest.fixture
def directory() -> str:
    """A directory that no other test uses."""
    return f"rack {uuid4().hex[:8]}"


async def call(client: Client, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """Send a request; returns status and body, JSON if it is."""
    if isinstance(options.get("data"), bytes):
        options["data"] = io.BytesIO(options["data"])
    headers = {**ADMIN, **options.pop("headers", {})}
    async with client.request(method, f"{SOURCES}{path}", headers=headers, **options) as response:
        is_json = response.content_type == "application/json"
        return response.status, await (response.json() if is_json else response.read())


async def put(client: Client, path: str, data: bytes | None = None) -> None:
    """Store a source."""
    assert (await call(client, "PUT", f"/{path}", data=data or image_files.png()))[0] == 200


async def test_a_source_is_stored_and_read(gateway: Client, directory: str) -> None:
    """The response has what was stored; the same bytes come back with their type."""
    data = image_files.jpeg()
    status, stored = await call(gateway, "PUT", f"/{directory}/a b/ü.bin", data=data)
    async with gateway.get(f"{SOURCES}/{directory}/a b/ü.bin", headers=ADMIN) as response:
        body = await response.read()

    assert status == 200
    assert stored == {
        "path": f"{directory}/a b/ü.bin",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "type": "JPEG",
    }
    assert (response.status, response.content_type, body) == (200, "image/jpeg", data)


async def test_a_known_source_is_not_sent_again(gateway: Client, directory: str) -> None:
    """Conditional requests and byte ranges, by RFC 9110."""
    await put(gateway, f"{directory}/a.png")
    async with gateway.head(f"{SOURCES}/{directory}/a.png", headers=ADMIN) as response:
        tag = response.headers["ETag"]

    assert (await call(gateway, "GET", f"/{directory}/a.png", headers={"If-None-Match": tag}))[0] == 304
    assert await call(gateway, "GET", f"/{directory}/a.png", headers={"Range": "bytes=1-3"}) == (206, b"PNG")


@pytest.mark.parametrize("large", [False, True])
async def test_the_digest_of_a_source_can_be_read(gateway: Client, directory: str, *, large: bool) -> None:
    """Without its bytes, also of one that was stored in parts, whose ETag is not its MD5 (RFC 9530)."""
    data = image_files.png() + bytes(8 * MEGABYTE if large else 0)
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
    status, _ = await call(gateway, "PUT", f"/{directory}/a.png", data=data, headers={"Repr-Digest": digest})
    assert status == 200
    async with gateway.head(f"{SOURCES}/{directory}/a.png", headers=ADMIN) as response:
        assert response.headers["Repr-Digest"] == digest
        assert (hashlib.md5(data, usedforsecurity=False).hexdigest() in response.headers["ETag"]) is not large


async def test_the_listing_has_pages(gateway: Client, directory: str) -> None:
    """Directories are entries; they are not entered, however much is in them."""
    for name in ("a.png", "b/1.png", "b/2.png", "b/c/3.png", "d.png", "e/4.png"):
        await put(gateway, f"{directory}/{name}")

    async def names(**query: Any) -> AsyncIterator[list[str]]:
        cursor = None
        while True:
            found = {"directory": directory, **query, **({"cursor": cursor} if cursor else {})}
            _, page = await call(gateway, "GET", "", params=found)
            yield page["directories"] + [item["path"] for item in page["items"]]
            cursor = page.get("cursor")
            if cursor is None:
                return

    def below(*paths: str) -> list[str]:
        return [f"{directory}/{path}" for path in paths]

    assert [page async for page in names()] == [below("b", "e", "a.png", "d.png")]
    assert [page async for page in names(limit=1)] == [below("a.png"), below("b"), below("d.png"), below("e")]
    assert [page async for page in names(limit=3, recursive="true")] == [
        below("a.png", "b/1.png", "b/2.png"),
        below("b/c/3.png", "d.png", "e/4.png"),
    ]


async def test_the_listing_has_what_a_client_compares(gateway: Client, directory: str) -> None:
    """Size, time, and the ETag, which is the MD5 of a small file."""
    data = image_files.png()
    await put(gateway, f"{directory}/a.png", data)
    _, page = await call(gateway, "GET", "", params={"directory": directory})
    (item,) = page["items"]

    assert (item["size"], item["etag"]) == (len(data), hashlib.md5(data, usedforsecurity=False).hexdigest())
    assert item["modified"].startswith("20")


async def test_the_root_lists_no_uploads(gateway: Client, directory: str) -> None:
    """They are no sources of runs of types."""
    await put(gateway, f"upload/{uuid4().hex[:12]}/a.png")
    await put(gateway, f"{directory}/a.png")
    _, page = await call(gateway, "GET", "")

    assert directory in page["directories"]
    assert "upload" not in page["directories"]


@pytest.mark.usefixtures("worker")
async def test_the_thumbnail_of_an_entry_is_an_image(gateway: Client, directory: str) -> None:
    """Made on demand, in the size that was requested at most."""
    await put(gateway, f"{directory}/a.jpg", image_files.jpeg(size=(1200, 900)))
    _, page = await call(gateway, "GET", "", params={"directory": directory})
    link = page["items"][0]["thumbnail"]
    for _ in range(2):  # made, then from the cache
        async with gateway.get(link, headers=ADMIN) as response:
            image = Image.open(io.BytesIO(await response.read()))
        assert response.status == 200
        assert max(image.size) == 200
    async with gateway.get(link) as response:
        assert response.status == 401


@pytest.mark.usefixtures("worker")
async def test_a_stranger_cannot_replace_a_thumbnail(gateway: Client, directory: str) -> None:
    """Not even one who knows path, bytes and ETag of the source: the key of its preview depends on a secret."""
    data, path = image_files.png(size=(40, 30)), f"{directory}/a.png"
    await put(gateway, path, data)
    known = f'source/{path} "{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    for kind in ("source", "of-source"):
        key = f"{kind}-{hashlib.sha256(known.encode()).hexdigest()}"
        form = FormData({"sourceImage": io.BytesIO(image_files.png(size=(90, 90)))})
        async with gateway.post(f"/imageconverter/cacheImage/{key}", data=form) as response:
            assert response.status == 200

    async with gateway.get(f"/images/thumbnails/{path}", headers=ADMIN) as response:
        assert Image.open(io.BytesIO(await response.read())).size == (40, 30)


async def test_what_another_program_has_stored_may_have_no_thumbnail(
    gateway: Client, resources: Resources, directory: str
) -> None:
    """A file over the limit of uploads is named; a marker of a directory is no source."""
    for name, size, expected in (("large.jpg", 65 * 1024 * 1024, 400), ("empty", 0, 404)):
        await resources.store.put(f"source/{directory}/{name}", bytes(size), content_type="image/jpeg")
        async with gateway.get(f"/images/thumbnails/{directory}/{name}", headers=ADMIN) as response:
            assert response.status == expected, name


async def test_several_sources_are_added_by_a_form(gateway: Client, directory: str) -> None:
    """With directories in their names, as browsers send those of a folder."""
    form = FormData(quote_fields=False, default_to_multipart=True)
    for name in ("a.png", "below/b.png"):
        form.add_field("file", io.BytesIO(image_files.png()), filename=name)
    status, answer = await call(gateway, "POST", "", params={"directory": directory}, data=form)

    assert status == 200
    assert [each["path"] for each in answer["items"]] == [f"{directory}/a.png", f"{directory}/below/b.png"]


async def test_a_source_is_moved_and_copied(gateway: Client, resources: Resources, directory: str) -> None:
    """With its bytes and metadata; the last one leaves its directory behind."""
    data = image_files.png()
    await put(gateway, f"{directory}/in/a.png", data)
    paths = {"from": f"{directory}/in/a.png", "to": f"{directory}/b.png"}

    assert (await call(gateway, "POST", "/copy", json=paths))[0] == 200
    assert (await call(gateway, "POST", "/copy", json=paths))[0] == 400
    assert (await call(gateway, "POST", "/move", json={**paths, "overwrite": True}))[0] == 200
    assert (await call(gateway, "POST", "/move", json=paths))[0] == 404

    stored = await resources.store.head(f"source/{directory}/b.png")
    assert stored is not None
    assert stored.metadata["sha256"] == hashlib.sha256(data).hexdigest()
    _, page = await call(gateway, "GET", "", params={"directory": directory})
    assert page["directories"] == [f"{directory}/in"]


async def test_a_source_is_deleted(gateway: Client, directory: str) -> None:
    """Once."""
    await put(gateway, f"{directory}/a.png")

    assert (await call(gateway, "DELETE", f"/{directory}/a.png"))[0] == 200
    assert (await call(gateway, "DELETE", f"/{directory}/a.png"))[0] == 404
    assert (await call(gateway, "GET", f"/{directory}/a.png"))[0] == 404


@pytest.mark.parametrize(
    "path", ["upload/a.png", "upload/x/a.png", ".directory", "a/.directory", "a%00.png", "a%5Cb", "a%2F..%2F..%2Fb"]
)
async def test_unsafe_and_reserved_paths_are_rejected(gateway: Client, path: str) -> None:
    """By every operation."""
    for method in ("PUT", "GET", "DELETE"):
        url = gateway.make_url(SOURCES).joinpath(path, encoded=True)
        async with gateway.session.request(method, url, headers=ADMIN, data=image_files.png()) as response:
            assert response.status == 400, method


async def test_a_source_is_stored_only_as_the_client_expects(gateway: Client, directory: str) -> None:
    """Conditional requests, by RFC 9110: a new one, or one that is known."""
    for headers, expected in (
        ({"If-Match": "*"}, 412),
        ({"If-None-Match": "*"}, 200),
        ({"If-None-Match": "*"}, 412),
        ({"If-Match": '"another"'}, 412),
        ({"If-Match": "*"}, 200),
    ):
        answer = await call(gateway, "PUT", f"/{directory}/a.png", data=image_files.png(), headers=headers)
        assert answer[0] == expected, headers


async def test_an_upload_that_is_replaced_while_it_is_checked_is_not_published(
    resources: Resources, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is copied is what was checked."""
    store, staged, target = resources.store, f"source/{directory}/staged", f"source/{directory}/a.png"
    await store.put(staged, image_files.png(), content_type="image/png")
    inspect = store.inspect

    async def replaced(*arguments: Any) -> Any:
        found = await inspect(*arguments)
        await store.put(staged, b"something else", content_type="image/png")
        return found

    monkeypatch.setattr(store, "inspect", replaced)
    with pytest.raises(InvalidValue):
        await publish(store, staged, target, Limits(), max_bytes=100_000)

    assert await store.head(target) is None
    assert await store.head(staged) is None


async def test_what_is_no_image_is_rejected(gateway: Client, directory: str) -> None:
    """And what was there stays."""
    data = image_files.png()
    await put(gateway, f"{directory}/a.png", data)
    status, answer = await call(gateway, "PUT", f"/{directory}/a.png", data=b"no image")

    assert (status, answer["type"]) == (400, "invalidFileFormat")
    assert await call(gateway, "GET", f"/{directory}/a.png") == (200, data)


async def test_a_file_in_the_way_is_named(gateway: Client, directory: str) -> None:
    """Below it, nothing is stored; nor is anything moved to a directory's path."""
    await put(gateway, f"{directory}/a.png")
    await put(gateway, f"{directory}/b/c.png")
    for path in (f"{directory}/a.png/b.png", f"{directory}/b"):
        status, answer = await call(gateway, "PUT", f"/{path}", data=image_files.png())
        assert (status, answer["field"]) == (400, "path"), path
    moved = await call(gateway, "POST", "/move", json={"from": f"{directory}/a.png", "to": f"{directory}/b"})

    assert (moved[0], moved[1]["field"]) == (400, "to")


async def test_an_image_is_uploaded_straight_to_the_store(
    make_settings: MakeSettings, servers: dict[str, str], directory: str
) -> None:
    """Its size is signed, and its header checked before it becomes a source."""
    storage = storage_settings(servers, public_endpoint=servers["IMAGECONVERTER_S3_ENDPOINT"])
    settings = make_settings(storage=storage)
    async with (
        open_resources(settings, retry_timeout=20) as opened,
        TestClient(TestServer(create_app(settings, opened))) as client,
        aiohttp.ClientSession() as session,
    ):

        async def upload(data: bytes, size: int) -> tuple[int, str]:
            _, signed = await call(client, "POST", "/presign", json={"path": f"{directory}/a.png", "size": size})
            async with session.put(signed["url"], data=data) as response:
                return response.status, signed["upload"]

        async def publish(upload: str) -> tuple[int, Any]:
            return await call(client, "POST", "/publish", json={"path": f"{directory}/a.png", "upload": upload})

        data = image_files.png()
        assert (await upload(data + b"more", len(data)))[0] == 403
        _, bad = await upload(b"no image", 8)
        assert (await publish(bad))[0] == 400
        assert (await publish(bad))[0] == 404
        status, good = await upload(data, len(data))
        assert status == 200
        assert await publish(good) == (200, {"path": f"{directory}/a.png", "type": "PNG"})
        assert await call(client, "GET", f"/{directory}/a.png") == (200, data)


async def test_without_a_public_store_nothing_is_signed(gateway: Client) -> None:
    """The error names the setting."""
    status, answer = await call(gateway, "POST", "/presign", json={"path": "a.png", "size": 1})

    assert status == 404
    assert "IMAGECONVERTER_S3_PUBLIC_ENDPOINT" in answer["reason"]
