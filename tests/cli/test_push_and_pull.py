"""`imageconverter push` and `pull`, against a real gateway."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from imageconverter.settings import MEGABYTE
from services.gateway.app import create_app
from tests.conftest import API_KEY, MakeSettings
from tests.testing import image_files
from tests.testing.commands import address, begin, ended, fill, run
from tests.testing.runs import Client


@pytest.fixture
def directory() -> str:
    """A source directory that no other test uses."""
    return f"push {uuid4().hex[:8]}"


async def transferred(*arguments: str | Path, cache: Path, status: int = 0) -> Any:
    """Run a command with `--json` and return what it prints."""
    done = await run(*arguments, "--json", IMAGECONVERTER_CACHE_DIR=str(cache))
    assert done.status == status, done
    return json.loads(done.out)


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below *folder* by their paths."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def test_only_what_has_changed_is_sent(gateway: Client, directory: str, tmp_path: Path) -> None:
    """By size, MD5, and for what is stored in parts by SHA-256; also without what is known of the files."""
    large = image_files.png() + bytes(9 * MEGABYTE)
    files = {"a.png": image_files.png(), "ü b/c.jpg": image_files.jpeg(), "large.png": large, "notes.txt": b"words"}
    source = fill(tmp_path / "photos", files)
    command = ("push", source, directory, "--server", address(gateway))
    first = await transferred(*command, cache=tmp_path / "cache")
    second = await transferred(*command, cache=tmp_path / "cache")
    (source / "a.png").write_bytes(image_files.png()[:-1] + b"x")  # of the same size
    (source / "large.png").write_bytes(large[:-1] + b"x")
    third = await transferred(*command, cache=tmp_path / "another cache")

    assert sorted(first["sent"]) == [f"{directory}/{name}" for name in ("a.png", "large.png", "ü b/c.jpg")]
    assert first["skipped"] == ["notes.txt"]
    assert (second["sent"], second["unchanged"]) == ([], 3)
    assert sorted(third["sent"]) == [f"{directory}/a.png", f"{directory}/large.png"]
    received = await transferred("pull", directory, tmp_path / "copy", "--server", address(gateway), cache=tmp_path)
    assert len(received["received"]) == 3
    assert tree(tmp_path / "copy") == {name: data for name, data in tree(source).items() if name != "notes.txt"}


async def test_an_unchanged_folder_costs_its_listing(
    make_settings: MakeSettings, resources: Resources, directory: str, tmp_path: Path
) -> None:
    """One request for each thousand sources."""
    requests: list[str] = []

    async def note(request: web.Request, _response: web.StreamResponse) -> None:
        requests.append(request.method)

    app = create_app(make_settings(), resources)
    app.on_response_prepare.append(note)
    source = fill(tmp_path / "photos", {f"{n % 7}/{n:04}.png": image_files.png(size=(4, 4)) for n in range(1100)})
    async with TestClient(TestServer(app)) as client:
        command = ("push", source, directory, "--server", address(client))
        assert len((await transferred(*command, cache=tmp_path / "cache"))["sent"]) == 1100
        requests.clear()
        assert (await transferred(*command, cache=tmp_path / "cache"))["unchanged"] == 1100

    assert requests == ["GET", "GET"]


async def test_a_dry_run_changes_nothing(gateway: Client, directory: str, tmp_path: Path) -> None:
    """It prints what would be sent and deleted."""
    source = fill(tmp_path / "photos", {"a.png": image_files.png()})
    server = ("--server", address(gateway))
    await transferred("push", source, directory, *server, cache=tmp_path / "cache")
    (source / "a.png").rename(source / "b.png")
    done = await run("push", source, directory, *server, "--delete", "--dry-run")

    assert done.status == 0
    assert f"would be sent:\n  {directory}/b.png\nwould be deleted:\n  {directory}/a.png\n" in done.out
    received = await transferred("pull", directory, tmp_path / "copy", *server, cache=tmp_path / "cache")
    assert received["received"] == [f"{directory}/a.png"]


async def test_deleting_needs_a_confirmation(gateway: Client, directory: str, tmp_path: Path) -> None:
    """Without a terminal to ask on, nothing is sent or deleted; --yes is for scripts."""
    source = fill(tmp_path / "photos", {"a.png": image_files.png(), "b.png": image_files.png()})
    server = ("--server", address(gateway))
    await transferred("push", source, directory, *server, cache=tmp_path / "cache")
    (source / "a.png").unlink()
    refused = await run("push", source, directory, *server, "--delete")
    deleted = await transferred("push", source, directory, *server, "--delete", "--yes", cache=tmp_path / "cache")

    assert refused.status == 2
    assert "--yes" in refused.err
    assert deleted["deleted"] == [f"{directory}/a.png"]
    fill(tmp_path / "copy", {"old.png": image_files.png(), "notes.txt": b"words"})
    await transferred("pull", directory, tmp_path / "copy", *server, "--delete", "--yes", cache=tmp_path / "cache")
    assert sorted(tree(tmp_path / "copy")) == ["b.png", "notes.txt"]


async def test_an_interrupted_push_is_continued(gateway: Client, directory: str, tmp_path: Path) -> None:
    """The second call sends only what is missing."""
    source = fill(tmp_path / "photos", {f"{n:03}.png": image_files.png(size=(300, 300)) for n in range(300)})
    command = ("push", source, directory, "--server", address(gateway))
    process = await begin(*command)
    while not (await listed(gateway, directory)):
        assert process.returncode is None
    process.terminate()
    await process.wait()
    there = len(await listed(gateway, directory))
    result = await transferred(*command, cache=tmp_path / "cache")

    assert 0 < there < 300
    assert len(result["sent"]) + result["unchanged"] == 300
    assert result["unchanged"] >= there


async def listed(gateway: Client, directory: str) -> list[Any]:
    """Return the sources in *directory*."""
    query = {"directory": directory}
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with gateway.get("/images/sources", params=query, headers=headers) as response:
        return list((await response.json())["items"])


async def test_what_the_server_rejects_fails_alone(gateway: Client, directory: str, tmp_path: Path) -> None:
    """The others are sent; names that no source may have are listed too."""
    files = {"a.png": image_files.png(), "b.png": image_files.png()[:16], "c\n.png": image_files.png()}
    source = fill(tmp_path / "photos", files)
    result = await transferred(
        *("push", source, directory, "--server", address(gateway)), cache=tmp_path / "cache", status=1
    )

    assert result["sent"] == [f"{directory}/a.png"]
    assert [each["path"] for each in result["failed"]] == ["b.png", "c\n.png"]


async def test_pulling_nothing_is_an_error(gateway: Client, directory: str, tmp_path: Path) -> None:
    """A misspelt directory must not look like success, nor delete anything."""
    fill(tmp_path, {"a.png": image_files.png()})
    done = await ended(await begin("pull", directory, tmp_path, "--delete", "--yes", "--server", address(gateway)))

    assert (done.status, done.out) == (2, "")
    assert done.err == f"imageconverter: there are no sources below {directory}\n"
    assert (tmp_path / "a.png").exists()
