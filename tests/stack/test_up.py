"""`imageconverter up` in a process of its own, as `make run` starts it."""

import asyncio
import base64
import contextlib
import io
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.stack.ports import free_ports
from tests.testing import image_files
from tests.testing.running_stack import UP, Stack, environment, running_stack
from tests.testing.webhook_receiver import SECRET


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for the tests that do not change it; the start of a run returns at once."""
    with running_stack(tmp_path_factory.mktemp("stack"), IMAGECONVERTER_START_SECONDS="0") as running:
        yield running


def run_up(folder: Path, port: int, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `up` with a configuration that makes it exit."""
    return subprocess.run(
        UP, env=environment(folder, port, **more), capture_output=True, text=True, check=False, timeout=60
    )


def test_a_photograph_is_converted(stack: Stack) -> None:
    """By gateway, S3, Redis, worker and sandbox, each a process of its own."""
    status, answer = stack.convert("first.jpg")
    _, image = stack.get("/content/products/thumbnail/first.jpg")

    assert status == 200
    assert answer["items"][0]["status"] == "success"
    assert Image.open(io.BytesIO(image)).size == (200, 150)


def test_every_process_is_identified_by_its_command_line(stack: Stack) -> None:
    """`ps` shows the role of each process and no password."""
    commands = list(stack.processes().values())

    for word in ("redis", "weed", "gateway", "worker", "reporter"):
        assert any(word in command for command in commands)
    for secret in (stack.folder / "data" / "credentials.env").read_text().splitlines():
        if "=" in secret:
            assert not any(secret.partition("=")[2] in command for command in commands)


def test_generated_secrets_are_readable_only_by_their_owner(stack: Stack) -> None:
    """They are in a file of mode 0600 in a folder of mode 0700, which is named; an output that is kept has none."""
    data = stack.folder / "data"
    shown = (stack.folder / "up.log").read_text()

    assert stat.S_IMODE((data / "credentials.env").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "redis" / "redis.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert str(data / "credentials.env") in shown
    for secret in (data / "credentials.env").read_text().splitlines():
        if "=" in secret:
            assert secret.partition("=")[2] not in shown


def test_only_the_gateway_has_the_credentials_of_clients(stack: Stack) -> None:
    """A worker decodes files of strangers."""
    names = {b"IMAGECONVERTER_API_KEY", b"IMAGECONVERTER_ADMIN_PASSWORD", b"IMAGECONVERTER_TOKEN_SECRET"}
    found = {}
    for role in ("gateway", "worker", "reporter"):
        environment = Path(f"/proc/{stack.role(role)}/environ").read_bytes()
        found[role] = names & {each.partition(b"=")[0] for each in environment.split(b"\0")}

    assert found == {"gateway": names, "worker": set(), "reporter": set()}


def test_only_the_reporter_has_the_secrets_of_webhooks(tmp_path: Path) -> None:
    """The secret, and the URLs, which may contain tokens; neither do the embedded servers have them."""
    secrets = {"IMAGECONVERTER_WEBHOOK_URLS": "https://127.0.0.1:1/hooks", "IMAGECONVERTER_WEBHOOK_SECRET": SECRET}
    with running_stack(tmp_path, **secrets) as stack:
        having = {
            command
            for pid, command in stack.processes().items()
            if SECRET.encode() in Path(f"/proc/{pid}/environ").read_bytes()
            or b"https://127.0.0.1:1/hooks" in Path(f"/proc/{pid}/environ").read_bytes()
        }

    assert {command.split()[-1] for command in having} == {"reporter"}


def test_everything_listens_on_loopback_only(stack: Stack) -> None:
    """No process can be reached from another machine."""
    inodes = set()
    for pid in [*stack.processes(), stack.process.pid]:
        with contextlib.suppress(OSError):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    inodes |= set(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    listening = [
        fields[1]
        for table in ("tcp", "tcp6")
        for fields in (row.split() for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[9] in inodes
    ]

    assert len(listening) >= 10
    assert all(address.startswith("0100007F:") for address in listening)


@pytest.mark.parametrize("role", ["gateway", "worker", "reporter"])
def test_a_killed_role_is_restarted(stack: Stack, role: str) -> None:
    """The stack converts again."""
    killed = stack.role(role)
    os.kill(killed, signal.SIGKILL)
    stack.until(lambda: any(c.split()[-1:] == [role] for p, c in stack.processes().items() if p != killed))
    stack.wait_until_ready()

    stack.until(lambda: stack.convert(f"after-{role}.jpg")[0] == 200)


@pytest.mark.parametrize("word", ["redis-server", "weed"])
def test_a_killed_server_is_restarted_with_its_data(stack: Stack, word: str) -> None:
    """Stored images are kept."""
    stack.convert("kept.jpg")
    stack.role("worker")
    server = next(pid for pid, command in stack.processes().items() if word in command)
    os.kill(server, signal.SIGKILL)
    stack.until(lambda: any(word in c for p, c in stack.processes().items() if p != server))
    stack.wait_until_ready()

    # SeaweedFS responds before it has loaded all of its volumes.
    stack.until(lambda: stack.get("/content/products/thumbnail/kept.jpg")[0] == 200)
    stack.until(lambda: stack.convert("after.jpg")[0] == 200)


def test_a_conversion_succeeds_if_the_only_worker_is_killed(stack: Stack) -> None:
    """The next worker claims the job; the waiting client gets its image."""

    async def convert_and_kill() -> tuple[int, Any]:
        converting = asyncio.create_task(asyncio.to_thread(stack.convert, "survivor.jpg"))
        await asyncio.sleep(0.02)
        os.kill(stack.role("worker"), signal.SIGKILL)
        return await converting

    stack.until(lambda: stack.convert("before.jpg")[0] == 200)
    for _ in range(3):
        status, answer = asyncio.run(convert_and_kill())
        stack.wait_until_ready()
        assert (status, answer["items"][0]["status"]) == (200, "success")


def test_a_second_stack_runs_beside_the_first(stack: Stack, tmp_path: Path) -> None:
    """It needs only another port and another data folder."""
    with running_stack(tmp_path) as second:
        assert second.convert("second.jpg")[0] == 200
        assert second.api_key != stack.api_key
        assert stack.get("/content/products/thumbnail/second.jpg")[0] == 404
        assert stack.convert("first again.jpg")[0] == 200


def test_a_stop_leaves_no_process_and_keeps_the_data(tmp_path: Path) -> None:
    """By SIGINT or SIGTERM; the next start has the same key and the same images."""
    with running_stack(tmp_path) as stack:
        stack.convert("kept.jpg")
        key = stack.api_key
        assert stack.processes()
        stack.process.send_signal(signal.SIGINT)
        assert stack.process.wait(30) == 0
        assert stack.processes() == {}
    with running_stack(tmp_path) as again:
        assert again.api_key == key
        assert again.get("/content/products/thumbnail/kept.jpg")[0] == 200
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(30) == 0
        assert again.processes() == {}


def test_killing_the_supervisor_ends_all_processes(tmp_path: Path) -> None:
    """Even after SIGKILL no process keeps the ports in use."""
    with running_stack(tmp_path) as stack:
        stack.process.kill()
        stack.process.wait()
        deadline = time.monotonic() + 10
        while stack.processes() and time.monotonic() < deadline:
            time.sleep(0.05)

        assert stack.processes() == {}


def test_a_configured_key_is_used(tmp_path: Path) -> None:
    """No key is generated, and the configured one is not printed."""
    with running_stack(tmp_path, IMAGECONVERTER_API_KEY="set-by-the-operator") as stack:
        request = urllib.request.Request(
            f"http://127.0.0.1:{stack.port}/images/url/products?formatNodeId=content.imageFormat.normal",
            headers={"Authorization": "Bearer set-by-the-operator"},
        )
        assert stack.request(request)[0] == 200
        assert "set-by-the-operator" not in (tmp_path / "up.log").read_text()


def test_configured_servers_are_not_embedded(tmp_path: Path, servers: dict[str, str]) -> None:
    """With external Redis and S3 only the roles are started."""
    with running_stack(tmp_path, IMAGECONVERTER_S3_BUCKET="external", **servers) as stack:
        commands = stack.processes().values()

        assert stack.convert("external.jpg")[0] == 200
        assert not any("redis-server" in command or "weed" in command for command in commands)


def one_line(finished: subprocess.CompletedProcess[str]) -> str:
    """Return the error message of *finished*, which must be one line."""
    lines = [line for line in finished.stderr.splitlines() if line.startswith("imageconverter: ")]
    assert finished.returncode != 0
    assert "Traceback" not in finished.stderr
    assert len(lines) == 1
    return lines[0]


def test_a_port_in_use_is_an_error_of_one_line(stack: Stack, tmp_path: Path) -> None:
    """It names the variable and the port."""
    message = one_line(run_up(tmp_path, stack.port))

    assert "IMAGECONVERTER_PORT" in message
    assert str(stack.port) in message


def test_a_data_folder_in_use_is_an_error_of_one_line(stack: Stack) -> None:
    """Two stacks would corrupt the data."""
    assert "in use by another stack" in one_line(run_up(stack.folder, free_ports(1)[0]))


@pytest.mark.parametrize("damage", ["a file in its place", "credentials", "redis log"])
def test_a_damaged_data_folder_is_an_error_of_one_line(tmp_path: Path, damage: str) -> None:
    """It names the file."""
    data = tmp_path / "data"
    if damage == "a file in its place":
        data.write_text("")
    elif damage == "credentials":
        data.mkdir()
        (data / "credentials.env").write_bytes(b"\xff\xfe garbage")
    else:
        (data / "redis" / "appendonlydir").mkdir(parents=True)
        (data / "redis" / "appendonlydir" / "appendonly.aof.manifest").write_text("garbage\n")
        (data / "redis" / "appendonly.aof").write_text("garbage\n" * 100)
    message = one_line(run_up(tmp_path, free_ports(1)[0]))

    assert str(data) in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("IMAGECONVERTER_PORT", "http"),
        ("IMAGECONVERTER_MAX_MEGAPIXELS", "0"),
        ("IMAGECONVERTER_FORMATS_FILE", "nowhere.toml"),
        ("IMAGECONVERTER_API_KEYS_FILE", "nowhere.toml"),
    ],
)
def test_an_invalid_setting_is_an_error_of_one_line(tmp_path: Path, variable: str, value: str) -> None:
    """It names the variable or the value."""
    message = one_line(run_up(tmp_path, free_ports(1)[0], **{variable: value}))

    assert variable in message or value in message


@pytest.mark.parametrize("role", ["gateway", "worker", "reporter"])
def test_a_role_alone_does_not_start_without_credentials(role: str) -> None:
    """Each missing variable is named; there are no default credentials."""
    finished = subprocess.run(
        [sys.executable, "-m", "services.cli.main", role],
        env={**os.environ, "IMAGECONVERTER_REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert finished.returncode == 2
    for name in ("IMAGECONVERTER_S3_ENDPOINT", "IMAGECONVERTER_S3_ACCESS_KEY", "IMAGECONVERTER_S3_SECRET_KEY"):
        assert f"{name}: must be set" in finished.stderr


def test_a_gateway_alone_does_not_start_without_a_key(servers: dict[str, str]) -> None:
    """The message names the variable."""
    finished = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "gateway"],
        env={**os.environ, **servers},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert finished.returncode == 2
    assert "IMAGECONVERTER_API_KEY" in finished.stderr


def test_the_readme_s_commands_work(stack: Stack, tmp_path: Path) -> None:
    """They are run with another port and folder."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    found = re.search(r"## Convert an image\n.*?```sh\n(.*?)```", readme, re.DOTALL)
    assert found
    commands = (
        found[1].replace("127.0.0.1:8005", f"127.0.0.1:{stack.port}").replace(".data/", f"{stack.folder}/data/")
    )
    (tmp_path / "photo.jpg").write_bytes(image_files.jpeg(size=(1000, 750)))
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert finished.stdout.count('"status": "success"') == 2
    assert '"path": "products/photo.jpg"' in finished.stdout
    assert "/content/products/normal" in finished.stdout
    assert '"status": "ready"' in finished.stdout
    assert Image.open(io.BytesIO((tmp_path / "normal.jpg").read_bytes())).size == (800, 600)
    assert Image.open(io.BytesIO((tmp_path / "thumbnail.jpg").read_bytes())).size == (200, 150)


def test_a_run_completes_with_exact_counters_when_workers_are_killed(stack: Stack) -> None:
    """Each of thirty images has its row and is counted once."""
    image = base64.b64encode(image_files.jpeg(size=(1600, 1200))).decode()
    names = [f"run {number:02}.jpg" for number in range(30)]
    upload = {"fileName": names, "formats": ["content.imageFormat.app"], "imageData": [image] * len(names)}
    _, staged = stack.call("POST", "/images/upload", upload)
    formats = ["content.imageFormat.largeProduct", "content.imageFormat.thumbnailProduct"]
    request = {"source": "directory", "directory": staged["path"], "formatList": formats}
    _, status = stack.call("POST", "/images/convert/start", request)
    kills = 0
    while status["running"]:
        if kills < 3:
            with contextlib.suppress(StopIteration, ProcessLookupError):
                os.kill(stack.role("worker"), signal.SIGKILL)
                kills += 1
        time.sleep(0.7)
        _, status = stack.call("GET", "/images/convert/status")
    _, rows = stack.call("GET", "/images/convert/results")

    assert kills >= 1
    assert status["status"] == "finished"
    assert status["progress"] == {"finished": 30, "percentage": 100, "total": 30}
    assert sum(status["counter"].values()) == 30
    assert status["counter"]["error"] == 0
    assert sum(status["formatCounter"].values()) == 60
    assert sorted(row["sourceFilename"] for row in rows["items"]) == sorted(names * 2)


def test_memory_of_large_uploads_is_released(stack: Stack) -> None:
    """After ten uploads of 20 MB, five at a time, the gateway has grown by less than 100 MiB."""
    large = base64.b64encode(image_files.jpeg() + bytes(20_000_000)).decode()
    body = {"fileName": "large.jpg", "formats": ["content.imageFormat.app"], "imageData": large}

    def size() -> int:
        status = Path(f"/proc/{stack.role('gateway')}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) // 1024

    async def upload() -> list[tuple[int, Any]]:
        return await asyncio.gather(
            *(asyncio.to_thread(stack.call, "POST", "/images/upload", body) for _ in range(5))
        )

    before = size()
    statuses = [status for _ in range(2) for status, _ in asyncio.run(upload())]

    assert statuses == [200] * 10
    assert size() - before < 100
