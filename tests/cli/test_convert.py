"""`imageconverter convert`, run as a user does, against a real gateway and worker."""

import asyncio
import io
import os
import signal
import sys
import termios
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.stack.ports import free_ports
from tests.conftest import API_KEY, MakeSettings
from tests.testing import image_files
from tests.testing.commands import PRODUCT, THUMBNAIL, Process, address, begin, ended, fill, run
from tests.testing.faults import Mode, fault_proxy
from tests.testing.runs import Client, get

pytestmark = pytest.mark.usefixtures("no_run", "worker")


async def content(client: Client, path: str) -> tuple[int, bytes]:
    """Return status and body of a converted image."""
    async with client.get(f"/content/{path}") as answer:
        return answer.status, await answer.read()


async def test_a_folder_with_sub_folders_is_converted(gateway: Client, tmp_path: Path) -> None:
    """All of its images are converted to all formats; other files are skipped and listed."""
    files = {
        "top of tree.jpg": image_files.jpeg(size=(400, 300)),
        "a/leaf ü.png": image_files.png(),
        "a/b/deep leaf.txt": image_files.jpeg(),
        "a/notes.jpg": b"only words",
        "empty": b"",
    }
    ended_well = await run(
        "convert", fill(tmp_path, files), "--format", THUMBNAIL, "--format", PRODUCT, "--server", address(gateway)
    )

    assert ended_well.status == 0, ended_well
    assert "3 of 3 images converted, 0 up to date, 0 failed, 2 skipped" in ended_well.out
    assert "skipped, not an image:\n  empty\n  a/notes.jpg\n" in ended_well.out
    assert f"\n{address(gateway)}/content/products/thumbnail/leaf%20%C3%BC.png\n" in ended_well.out
    for path in ("products/thumbnail/leaf ü.png", "products/normal/deep leaf.txt.jpg"):
        assert (await content(gateway, path))[0] == 200
    _, thumbnail = await content(gateway, "products/thumbnail/top of tree.jpg")
    assert Image.open(io.BytesIO(thumbnail)).size == (200, 150)


async def test_many_images_become_one_run(gateway: Client, tmp_path: Path) -> None:
    """The history lists one run with its name."""
    image = image_files.png(size=(8, 8))
    fill(tmp_path, {f"{number:03}/many {number:03}.png": image for number in range(250)})
    done = await run(
        "convert", tmp_path, "--format", THUMBNAIL, "--server", address(gateway), "--action", "the spring folder"
    )
    _, history = await get(gateway, "/images/convert/runs")

    assert done.status == 0, done
    assert "250 of 250 images converted" in done.out
    assert [each["action"] for each in history["items"]] == ["the spring folder"]
    assert history["items"][0]["progress"]["total"] == 250


async def test_equal_names_are_distinguished_by_their_folders(gateway: Client, tmp_path: Path) -> None:
    """No image replaces another; the one at the top keeps its name; the new names are listed."""
    sizes = {"twin.png": 30, "red/twin.png": 40, "blue/sky/twin.png": 50, "red - twin.png": 60}
    fill(tmp_path, {name: image_files.png(size=(width, 20)) for name, width in sizes.items()})
    done = await run("convert", tmp_path, "--format", THUMBNAIL, "--server", address(gateway))

    assert done.status == 0, done
    assert "blue/sky/twin.png -> blue - sky - twin.png" in done.out
    assert "red/twin.png -> red - twin (2).png" in done.out
    expected = {"twin.png": 30, "red - twin (2).png": 40, "blue - sky - twin.png": 50, "red - twin.png": 60}
    for name, width in expected.items():
        _, data = await content(gateway, f"products/thumbnail/{name}")
        assert Image.open(io.BytesIO(data)).width == width


async def test_failed_images_are_listed_and_the_others_converted(gateway: Client, tmp_path: Path) -> None:
    """Images that the gateway rejects, that cannot be decoded, and whose names are invalid."""
    whole = image_files.jpeg(size=(300, 200))
    files = {
        "good/one.jpg": whole,
        "good/two.png": image_files.png(),
        "bad/header only.png": image_files.png()[:16],
        "bad/fifth.jpg": whole[: len(whole) // 5],
        "bad/name\n.jpg": whole,
    }
    done = await run("convert", fill(tmp_path, files), "--format", THUMBNAIL, "--server", address(gateway))
    failed = done.out.partition("failed:\n")[2]

    assert done.status == 1, done
    assert "2 of 5 images converted, 0 up to date, 3 failed" in done.out
    assert "\n  bad/header only.png: " in f"\n{failed}"
    assert "\n  bad/fifth.jpg: " in f"\n{failed}"
    assert "\n  bad/name\\n.jpg: The name with special characters has a path separator or a control" in f"\n{failed}"
    assert (await content(gateway, "products/thumbnail/one.jpg"))[0] == 200


async def test_an_image_over_the_upload_limit_fails_alone(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """The others are converted."""
    small = image_files.png(size=(20, 20))
    noise = Image.frombytes("RGB", (1200, 1200), os.urandom(1200 * 1200 * 3))
    files = {f"small {number}.png": small for number in range(3)} | {"large.png": image_files.png(image=noise)}
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, max_upload_mb=1))
    async with TestClient(TestServer(create_app(settings, resources))) as narrow:
        done = await run("convert", fill(tmp_path, files), "--format", THUMBNAIL, "--server", address(narrow))

    assert done.status == 1, done
    assert "3 of 4 images converted, 0 up to date, 1 failed" in done.out
    assert "large.png: The request body is too large." in done.out


async def test_an_upload_whose_response_is_lost_is_retried(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """No image is missing and none is there twice."""
    uploads = 0

    async def cut_the_second(request: web.Request, _response: web.StreamResponse) -> None:
        nonlocal uploads
        uploads += request.method == "PUT"
        if uploads == 2 and proxy.mode is Mode.PASS:
            proxy.fail(Mode.REFUSE)
            asyncio.get_running_loop().call_later(0.2, proxy.fail, Mode.PASS)

    app = create_app(make_settings(), resources)
    app.on_response_prepare.append(cut_the_second)
    image = image_files.png(size=(8, 8))
    fill(tmp_path, {f"{number:03}.png": image for number in range(50)})
    async with TestClient(TestServer(app)) as client, fault_proxy(client.port or 0) as proxy:
        server = f"http://127.0.0.1:{proxy.port}"
        done = await run("convert", tmp_path, "--format", THUMBNAIL, "--server", server)
        _, status = await get(client, "/images/convert/status")

    assert done.status == 0, done
    assert uploads > 50
    assert status["progress"] == {"finished": 50, "percentage": 100, "total": 50}


async def test_ctrl_c_cancels_the_run(gateway: Client, tmp_path: Path) -> None:
    """The run has ended when the command ends; its exit status is 130."""
    image = image_files.jpeg(size=(2400, 1800))
    fill(tmp_path, {f"{number}.jpg": image for number in range(150)})
    process = await begin("convert", tmp_path, "--format", PRODUCT, "--server", address(gateway))
    await until_running(gateway, process)
    process.send_signal(signal.SIGINT)
    done = await ended(process)
    _, status = await get(gateway, "/images/convert/status")

    assert done.status == 130, done
    assert done.err == "imageconverter: the run was canceled\n"
    assert (status["running"], status["status"]) == (False, "canceled")


async def until_running(client: Client, process: Process) -> None:
    """Wait until the command's run has begun."""
    async with asyncio.timeout(30):
        while not (await get(client, "/images/convert/status"))[1]["running"]:
            assert process.returncode is None
            await asyncio.sleep(0.02)


async def test_plain_progress_lines_are_printed_at_most_once_a_second(gateway: Client, tmp_path: Path) -> None:
    """If stdout is not a terminal, there are no control characters."""
    fill(tmp_path, {f"{number}.png": image_files.png() for number in range(3)})
    done = await run("convert", tmp_path, "--format", THUMBNAIL, "--server", address(gateway))
    lines = [line for line in done.out.splitlines() if line.startswith(("uploading", "converting"))]

    assert "\r" not in done.out
    assert "\x1b" not in done.out
    assert lines[0].startswith("uploading: 3 of 3 images, ")
    assert lines[-1].startswith("converting: 3 of 3 images, ")
    assert lines[-1].endswith("/s, 0 errors")


@pytest.mark.parametrize("size", [(24, 100), (0, 0)])
async def test_on_a_terminal_there_is_a_bar(gateway: Client, tmp_path: Path, size: tuple[int, int]) -> None:
    """It shows count, rate and errors in one line, also if the terminal has no size."""
    fill(tmp_path, {f"{number}.png": image_files.png() for number in range(3)})
    controller, terminal = os.openpty()
    termios.tcsetwinsize(terminal, size)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cli.main", "convert", tmp_path),
            *("--format", THUMBNAIL, "--server", address(gateway), "--key", API_KEY),
            stdout=terminal,
        )
        assert await process.wait() == 0
        drawn = os.read(controller, 100_000).decode()
    finally:
        os.close(controller)
        os.close(terminal)

    assert "\ruploading: 100%|" in drawn
    assert "\rconverting: 100%|" in drawn
    assert "3/3 [" in drawn
    assert "images/s, 0 errors]" in drawn


async def test_a_wrong_key_is_an_error_of_one_line(gateway: Client, tmp_path: Path) -> None:
    """Nothing is uploaded."""
    fill(tmp_path, {"a.png": image_files.png()})
    done = await run("convert", tmp_path, "--format", THUMBNAIL, "--server", address(gateway), key="wrong")

    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("imageconverter: the server rejected the API key")
    assert done.err.count("\n") == 1


async def test_an_unreachable_server_is_an_error_of_one_line(tmp_path: Path) -> None:
    """It is printed at once and contains the URL."""
    fill(tmp_path, {"a.png": image_files.png()})
    server = f"http://127.0.0.1:{free_ports(1)[0]}"
    done = await run("convert", tmp_path, "--format", THUMBNAIL, "--server", server)

    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"imageconverter: {server} does not respond")
    assert done.err.count("\n") == 1


async def test_an_unknown_format_is_an_error_of_one_line(gateway: Client, tmp_path: Path) -> None:
    """No image is listed as failed."""
    fill(tmp_path, {"a.png": image_files.png(), "b.png": image_files.png()})
    done = await run("convert", tmp_path, "--format", "content.imageFormat.none", "--server", address(gateway))

    assert done.status == 2
    assert "failed" not in done.out
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("server", ["127.0.0.1:8005", "ftp://127.0.0.1", "http://", "http://[", ""])
async def test_an_invalid_url_is_an_error_of_one_line(tmp_path: Path, server: str) -> None:
    """It names the option."""
    done = await run("convert", tmp_path, "--format", THUMBNAIL, "--server", server)

    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "--server" in done.err


async def test_a_missing_folder_is_an_error_of_one_line(tmp_path: Path) -> None:
    """So is a pattern that nothing matches."""
    for path in (tmp_path / "nowhere", tmp_path / "*.jpg"):
        done = await run("convert", path, "--format", THUMBNAIL)
        assert (done.status, done.err) == (2, f"imageconverter: {path}: there is no such file or folder\n")


async def test_a_folder_without_images_is_an_error(gateway: Client, tmp_path: Path) -> None:
    """Its files are listed; no run is started."""
    done = await run("convert", fill(tmp_path, {"a.txt": b"a"}), "--format", THUMBNAIL, "--server", address(gateway))

    assert done.status == 2
    assert "  a.txt\n" in done.out
    assert "there are no images" in done.err
    assert (await get(gateway, "/images/convert/runs"))[1] == {"items": []}


@pytest.mark.parametrize("location", ["data folder", "nowhere"])
async def test_the_key_generated_by_up_is_the_default(gateway: Client, tmp_path: Path, location: str) -> None:
    """If there is none either, that is an error."""
    fill(tmp_path / "images", {"a.png": image_files.png()})
    if location == "data folder":
        (tmp_path / "credentials.env").write_text(f"# by up\nIMAGECONVERTER_API_KEY={API_KEY}\nEMBEDDED=1\n")
    done = await run(
        *("convert", tmp_path / "images", "--format", THUMBNAIL, "--server", address(gateway)),
        key=None,
        IMAGECONVERTER_DATA_DIR=str(tmp_path),
    )

    assert done.status == (0 if location == "data folder" else 2)
    assert ("no API key" in done.err) == (location == "nowhere")
