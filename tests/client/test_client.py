"""The client library against a real gateway and worker; the synchronous client in a thread."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from imageconverter.settings import MEGABYTE
from services.client import AsyncClient, Client, NotFoundError, RequestRejectedError
from tests.conftest import API_KEY
from tests.testing import image_files
from tests.testing.commands import THUMBNAIL, address
from tests.testing.runs import Client as Gateway

pytestmark = pytest.mark.usefixtures("no_run", "worker")


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncClient]:
    """A client of the gateway."""
    async with AsyncClient(address(gateway), API_KEY) as connected:
        yield connected


@pytest.fixture
def directory() -> str:
    """A directory that no other test uses."""
    return f"client {uuid4().hex[:8]}"


async def test_sources_are_stored_listed_and_read(client: AsyncClient, directory: str, tmp_path: Path) -> None:
    """From bytes, files and streams; the listing goes on behind a page of a thousand."""
    data = image_files.png()
    file = tmp_path / "ü %.png"
    file.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()

    assert (await client.sources.put(f"{directory}/a/ü %.png", file))["sha256"] == sha256
    await client.sources.put(f"{directory}/b.png", io.BytesIO(data), sha256=sha256)
    await asyncio.gather(*(client.sources.put(f"{directory}/c/{number}.png", data) for number in range(1001)))

    assert [source["path"] async for source in client.sources.list(directory)] == [f"{directory}/b.png"]
    assert len([source async for source in client.sources.list(directory, recursive=True)]) == 1003
    assert await client.sources.get(f"{directory}/a/ü %.png") == data
    assert b"".join([chunk async for chunk in client.sources.stream(f"{directory}/b.png")]) == data
    await client.sources.download(f"{directory}/b.png", tmp_path / "new" / "b.png")
    assert (tmp_path / "new" / "b.png").read_bytes() == data
    assert await client.sources.sha256(f"{directory}/b.png") == sha256


async def test_sources_are_moved_and_deleted(client: AsyncClient, directory: str) -> None:
    """What is not there is a NotFoundError."""
    await client.sources.put(f"{directory}/a.png", image_files.png())
    await client.sources.copy(f"{directory}/a.png", f"{directory}/b.png")
    await client.sources.move(f"{directory}/a.png", f"{directory}/c.png")
    item = await client.sources.delete(f"{directory}/c.png")
    assert item in [deleted["item"] async for deleted in client.sources.trash()]
    assert (await client.sources.restore([item]))["restored"] == 1
    assert await client.sources.delete(f"{directory}/c.png", permanently=True) == ""

    assert [source["path"] async for source in client.sources.list(directory)] == [f"{directory}/b.png"]
    with pytest.raises(NotFoundError):
        await client.sources.get(f"{directory}/a.png")


async def test_a_focal_point_is_set_and_removed(client: AsyncClient, directory: str) -> None:
    """It is in shares of width and height."""
    await client.sources.put(f"{directory}/a.png", image_files.png())
    assert await client.sources.set_focal_point(f"{directory}/a.png", 0.25, 1) == {"x": 0.25, "y": 1}
    assert await client.sources.focal_point(f"{directory}/a.png") == {"x": 0.25, "y": 1}
    await client.sources.delete_focal_point(f"{directory}/a.png")

    with pytest.raises(NotFoundError, match="no focal point"):
        await client.sources.focal_point(f"{directory}/a.png")


async def test_facts_are_read_by_path_and_by_directory(client: AsyncClient, directory: str) -> None:
    """What has none has a state that says so."""
    names = [f"{directory}/{name}" for name in ("a.png", "b/c.png")]
    for name in names:
        await client.sources.put(name, image_files.png(size=(30, 20)))
    rows = [row async for row in client.sources.facts([*names, f"{directory}/gone.png"])]
    below = [row async for row in client.sources.facts_below(directory)]

    assert [row["state"] for row in rows] == ["known", "known", "missing"]
    assert below == rows[:2]
    assert (rows[0]["facts"]["width"], rows[0]["facts"]["height"]) == (30, 20)
    assert [row async for row in client.sources.facts_below(directory, recursive=False)] == rows[:1]


async def test_a_large_image_is_sent_with_its_progress(client: AsyncClient, directory: str, tmp_path: Path) -> None:
    """In chunks, of which the sizes add up; a wrong digest is refused."""
    file = tmp_path / "large.png"
    file.write_bytes(image_files.png() + bytes(9 * MEGABYTE))
    size = file.stat().st_size
    seen: list[tuple[int, int | None]] = []

    await client.sources.put(f"{directory}/large.png", file, on_progress=lambda *step: seen.append(step))

    assert seen[-1] == (size, size)
    assert len(seen) > 30
    with pytest.raises(RequestRejectedError) as refused:
        await client.sources.put(f"{directory}/large.png", file, sha256="0" * 64)
    assert refused.value.field == "imageData"


async def test_an_image_is_converted(client: AsyncClient, tmp_path: Path) -> None:
    """At once or in a run; the results name what can be downloaded, and only if it has changed."""
    data = image_files.jpeg(size=(800, 600))
    name = f"{uuid4().hex}.jpg"
    (result,) = await client.convert(name, data, [THUMBNAIL])
    etag = await client.download(result["output"], tmp_path / "a.jpg")
    (tmp_path / "a.jpg").unlink()
    again = await client.download(result["output"], tmp_path / "a.jpg", etag=etag)

    assert Image.open(io.BytesIO(await client.content(result["output"]))).size == (200, 150)
    assert again == etag
    assert not (tmp_path / "a.jpg").exists()

    staged = await client.upload("one.jpg", data)
    assert await client.upload("two.jpg", data, directory=staged) == staged
    run = await client.runs.start(staged, [THUMBNAIL], action="by the library")
    states = [state async for state in client.runs.watch(run)]
    assert states[-1]["counter"]["success"] == 2
    assert sorted([row["sourceFilename"] async for row in client.runs.results(run)]) == ["one.jpg", "two.jpg"]


async def test_previews_are_stored_and_read(client: AsyncClient) -> None:
    """By the ImageConverter API; an unknown key without an image is a NotFoundError."""
    key = uuid4().hex
    with pytest.raises(NotFoundError):
        await client.previews.get(key, "auto:100x100")
    preview = await client.previews.get(
        key, "auto:200x150~cover", image=image_files.jpeg(size=(800, 600)), context=key
    )

    assert Image.open(io.BytesIO(preview)).format == "JPEG"
    assert "Header" in await client.previews.metadata(key)
    assert await client.previews.count(context=key) == 1


async def test_a_wrong_key_is_rejected(gateway: Gateway) -> None:
    """The message says what was wrong."""
    async with AsyncClient(address(gateway), "wrong") as client:
        with pytest.raises(RequestRejectedError, match="the server rejected the API key"):
            await client.runs.status()


async def test_the_synchronous_client_does_the_same(gateway: Gateway, directory: str) -> None:
    """Its methods wait, its listings are iterators, and its errors are the same."""
    data = image_files.png()

    def work() -> list[str]:
        with Client(address(gateway), API_KEY) as client:
            for name in ("a", "b", "c"):
                client.sources.put(f"{directory}/{name}.png", data)
            assert b"".join(client.sources.stream(f"{directory}/a.png")) == data
            first = next(client.sources.list(directory))  # an iterator may be left before its end
            assert first["path"] == f"{directory}/a.png"
            with pytest.raises(NotFoundError):
                client.sources.get(f"{directory}/d.png")
            return [source["path"] for source in client.sources.list(directory)]

    assert await asyncio.to_thread(work) == [f"{directory}/{name}.png" for name in ("a", "b", "c")]


def test_each_operation_is_in_both_clients() -> None:
    """With the same names."""

    def names(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    with Client("http://127.0.0.1:1") as client:
        groups = [name for name in vars(client) if not name.startswith("_")]
        pairs = [(getattr(client, name), getattr(client._wrapped, name)) for name in groups]
        assert names(AsyncClient) == names(Client)
    assert len(pairs) == 7
    assert all(names(type(one)) == names(type(other)) for one, other in pairs)
