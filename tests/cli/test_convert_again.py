"""`imageconverter convert` brings results back, and does nothing twice; by a real gateway and worker."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from imageconverter.resources import Resources
from services.gateway.app import create_app
from tests.conftest import MakeSettings
from tests.testing import image_files
from tests.testing.commands import PRODUCT, THUMBNAIL, address, fill, run
from tests.testing.runs import Client

pytestmark = pytest.mark.usefixtures("no_run", "worker")


def size(file: Path) -> tuple[int, int]:
    """Return width and height of an image."""
    return Image.open(io.BytesIO(file.read_bytes())).size


async def converted(*arguments: str | Path, cache: Path, status: int = 0) -> Any:
    """Run `convert --json` and return what it prints."""
    done = await run("convert", *arguments, "--json", IMAGECONVERTER_CACHE_DIR=str(cache))
    assert done.status == status, done
    return json.loads(done.out)


async def test_results_are_written_beside_the_folder(gateway: Client, tmp_path: Path) -> None:
    """At the relative paths of their sources, in a folder for each of several formats."""
    files = {"a/one.jpg": image_files.jpeg(size=(400, 300)), "b/one.jpg": image_files.jpeg(size=(300, 400))}
    source = fill(tmp_path / "photos", files)
    server = ("--server", address(gateway), "--output", tmp_path / "out")
    await converted(source, "--format", "thumbnailProduct", *server, cache=tmp_path / "cache")
    await converted(source, "--format", THUMBNAIL, "--format", PRODUCT, *server, cache=tmp_path / "cache")

    assert size(tmp_path / "out/a/one.jpg") == (200, 150)
    assert size(tmp_path / "out/b/one.jpg")[1] == 200
    assert size(tmp_path / "out/thumbnailProduct/a/one.jpg") == (200, 150)
    assert (tmp_path / "out/normalProduct/b/one.jpg").exists()


async def test_what_has_not_changed_is_neither_sent_nor_converted_nor_received(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """Only what has changed; what was removed is no longer converted."""
    requests: list[tuple[str, int]] = []

    async def note(request: web.Request, response: web.StreamResponse) -> None:
        kind = "content" if request.path.startswith("/content/") else request.method
        requests.append((kind, response.status))

    app = create_app(make_settings(), resources)
    app.on_response_prepare.append(note)
    source = fill(tmp_path / "photos", {f"{n}.png": image_files.png(size=(20 + n, 20)) for n in range(5)})
    async with TestClient(TestServer(app)) as client:
        options = (source, "--format", THUMBNAIL, "--server", address(client), "--output", tmp_path / "out")
        first = await converted(*options, cache=tmp_path / "cache")
        requests.clear()
        second = await converted(*options, cache=tmp_path / "cache")
        unchanged = list(requests)
        requests.clear()
        (source / "0.png").write_bytes(image_files.png(size=(99, 20)))
        (source / "1.png").unlink()
        (tmp_path / "out/2.png").unlink()
        third = await converted(*options, cache=tmp_path / "cache")

    assert (first["sent"], [each["new"] for each in first["outputs"]]) == (5, [True] * 5)
    assert (second["sent"], [each["new"] for each in second["outputs"]]) == (0, [False] * 5)
    assert not any(kind == "PUT" for kind, _ in unchanged)
    assert [status for kind, status in unchanged if kind == "content"] == [304] * 5
    assert third["sent"] == 1
    assert {Path(each["output"]).name: each["new"] for each in third["outputs"]} == {
        "0.png": True,
        "2.png": False,
        "3.png": False,
        "4.png": False,
    }
    assert sum(kind == "PUT" for kind, _ in requests) == 1
    assert [status for kind, status in requests if kind == "content"].count(200) == 2
    assert size(tmp_path / "out/0.png") == (99, 20)


async def test_files_and_patterns_are_converted(gateway: Client, tmp_path: Path) -> None:
    """A file is that file only; a pattern is expanded; sub-folders are left out on request."""
    fill(tmp_path, {name: image_files.png() for name in ("a.png", "b.png", "c.gif", "below/d.png")})
    server = ("--format", THUMBNAIL, "--server", address(gateway))

    async def names(*paths: str | Path) -> list[str]:
        outputs = (await converted(*paths, *server, cache=tmp_path / "cache"))["outputs"]
        return sorted(each["source"] for each in outputs)

    assert await names(tmp_path / "a.png") == ["a.png"]
    assert await names(tmp_path / "*.png") == ["a.png", "b.png"]
    assert await names(tmp_path, "--no-recursive") == ["a.png", "b.png", "c.gif"]


async def test_a_source_is_not_replaced_by_its_result(gateway: Client, tmp_path: Path) -> None:
    """The image fails, and the file stays as it was."""
    data = image_files.png(size=(400, 400))
    fill(tmp_path, {"a.png": data})
    options = (tmp_path, "--format", THUMBNAIL, "--output", tmp_path)
    for where in (("--server", address(gateway)), ("--local",)):
        result = await converted(*options, *where, cache=tmp_path / "cache", status=1)
        assert "replace the source" in result["failed"][0]["reason"]
        assert (tmp_path / "a.png").read_bytes() == data


async def test_images_are_converted_without_a_server(tmp_path: Path) -> None:
    """To the box of the options or to formats; what is up to date is not converted again."""
    source = fill(
        tmp_path / "photos",
        {"one.jpg": image_files.jpeg(size=(900, 600)), "deep/two.png": image_files.png(), "notes.txt": b"words"},
    )
    box = ("--width", "64", "--height", "48", "--fit", "crop", "--output-type", "webp")
    options = (source, "--local", *box, "--output", tmp_path / "out")
    first = await converted(*options, cache=tmp_path / "cache")
    second = await converted(*options, cache=tmp_path / "cache")
    (source / "one.jpg").write_bytes(image_files.jpeg(size=(90, 60)))
    (tmp_path / "out/deep/two.webp").write_bytes(b"something else")
    third = await converted(*options, cache=tmp_path / "cache")
    other = await converted(*options, "--quality", "10", cache=tmp_path / "cache")

    assert first["skipped"] == ["notes.txt"]
    assert size(tmp_path / "out/one.webp") == (64, 48)
    assert (tmp_path / "out/deep/two.webp").exists()
    found = [[each["new"] for each in result["outputs"]] for result in (first, second, third, other)]
    assert found == [[True, True], [False, False], [True, True], [True, True]]


async def test_results_in_the_folder_itself_are_not_converted_again(tmp_path: Path) -> None:
    """The folder of --output is left out of the search."""
    fill(tmp_path, {"a.png": image_files.png()})
    options = (tmp_path, "--local", "--width", "9", "--output", tmp_path / "converted")
    for _ in range(2):
        result = await converted(*options, cache=tmp_path / "cache")
        assert [each["source"] for each in result["outputs"]] == ["a.png"]


async def test_outputs_of_one_name_do_not_replace_each_other(tmp_path: Path) -> None:
    """The second one fails, each time."""
    fill(tmp_path / "photos", {"a.jpg": image_files.jpeg(size=(90, 60)), "a.png": image_files.png()})
    options = (tmp_path / "photos", "--local", "--width", "9", "--output-type", "webp", "--output", tmp_path / "out")
    for _ in range(2):
        result = await converted(*options, cache=tmp_path / "cache", status=1)
        assert len(result["outputs"]) == 1
        assert "is the result of" in result["failed"][0]["reason"]


async def test_a_broken_image_fails_alone_without_a_server(tmp_path: Path) -> None:
    """The exit status is 1, and the reason is printed."""
    fill(tmp_path / "photos", {"a.png": image_files.png(), "b.png": image_files.png()[:60]})
    done = await run(
        *("convert", tmp_path / "photos", "--local", "--width", "9", "--output", tmp_path / "out"),
        IMAGECONVERTER_CACHE_DIR=str(tmp_path / "cache"),
    )

    assert done.status == 1
    assert "1 of 2 images converted, 0 up to date, 1 failed" in done.out
    assert "b.png: " in done.out
    assert [file.name for file in (tmp_path / "out").rglob("*")] == ["a.png"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--width", "9"],
        ["--local"],
        ["--local", "--width", "9", "--format", THUMBNAIL],
        ["--local", "--width", "0"],
    ],
)
async def test_options_that_do_not_fit_are_a_usage_error(tmp_path: Path, options: list[str]) -> None:
    """Boxes are for conversions on this machine."""
    done = await run("convert", tmp_path, *options)
    assert done.status == 2
    assert done.err.startswith("Usage: ")
