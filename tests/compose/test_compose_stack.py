"""The stack of docker-compose.yml: conversion, loss of workers, isolation, secrets, documentation."""

import io
import json
import os
import re
import shlex
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tests.compose.stack import (
    ROOT,
    SECRETS,
    WORKERS,
    CommandError,
    Stack,
    docker,
    inspect,
    photograph,
    processes,
    run,
    until,
)

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("_engine")]  # the first one builds the image

GATEWAY_SECRETS = ("IMAGECONVERTER_API_KEY", "IMAGECONVERTER_ADMIN_PASSWORD", "IMAGECONVERTER_TOKEN_SECRET")


def assert_converts(stack: Stack, name: str) -> None:
    """Convert a photograph and check the result."""
    (row,) = stack.convert(photograph(1600, 1200), name)
    assert (row["status"], row["output"]) == ("success", f"products/normal/{name}")
    with Image.open(io.BytesIO(stack.download(row["output"]))) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", (800, 600))


# --- converting, and losing workers ---------------------------------------------------------------


def test_photograph_is_converted_and_served(stack: Stack) -> None:
    """The result is a JPEG that fits the box of the format."""
    assert_converts(stack, "first.jpg")


def test_a_report_is_created_in_a_read_only_container(stack: Stack) -> None:
    """Its temporary files are in a volume. An image that the catalog does not name is unused."""
    assert_converts(stack, "unused.jpg")
    stack.request("PUT", "images/catalog/products?as=csv", b"id,active,images\n1,true,absent.jpg\n")
    stack.request("POST", "images/report", b"{}")
    until(lambda: not stack.request("GET", "images/report/status")["running"], "the report is finished", seconds=60)

    report = stack.request("GET", "images/report")
    assert "absent.jpg" in {row["filename"] for row in report["missingImages"]}
    assert "products/normal/unused.jpg" in {row["path"] for row in report["unusedImages"]}


def test_a_photograph_becomes_a_png(stack: Stack) -> None:
    """By an encoder whose release may be another one than that of the tests: it depends on the version of Python."""
    rows = stack.convert(photograph(800, 600, "PNG"), "photograph.png", "normal", "thumbnailProduct")
    assert [row["status"] for row in rows] == ["success", "success"]


def test_conversion_continues_after_a_worker_is_killed(stack: Stack, workers: list[str]) -> None:
    """The remaining workers convert."""
    docker("kill", workers[0])
    for number in range(5):
        assert_converts(stack, f"after-kill-{number}.jpg")
    assert len(stack.containers("worker")) == WORKERS - 1


def test_a_conversion_survives_the_loss_of_its_worker(stack: Stack, workers: list[str]) -> None:
    """Another worker completes the job, and the client gets a success."""
    victim, *others = workers
    image = photograph(6000, 4000)
    with ThreadPoolExecutor(1) as clients:
        docker("pause", *others)  # so that the first worker claims the job
        try:
            conversion = clients.submit(stack.convert, image, "survives.jpg", "normal", "thumbnailProduct")
            until(stack.leases, "a worker has claimed the job", seconds=30)
            docker("kill", victim)
            assert stack.leases(), "the job was done before the worker died: nothing was tested"
            assert not conversion.done()
        finally:
            docker("unpause", *others)
        assert [row["status"] for row in conversion.result(timeout=60)] == ["success", "success"]


def test_worker_that_crashes_is_restarted(stack: Stack, workers: list[str]) -> None:
    """The restart policy restarts a worker that was not killed by the engine."""
    crashed = workers[0]
    before = inspect(crashed)["RestartCount"]
    os.kill(_host_pid(crashed), signal.SIGKILL)

    def is_restarted() -> bool:
        state = inspect(crashed)
        return bool(state["RestartCount"] > before and state["State"]["Health"]["Status"] == "healthy")

    assert_converts(stack, "during-restart.jpg")
    until(is_restarted, "the worker is healthy again", seconds=60)
    assert_converts(stack, "after-restart.jpg")


def _host_pid(container: str) -> int:
    """Return the first process of the container; skips the test if it is not on this machine."""
    pid = int(inspect(container)["State"]["Pid"])
    cgroup = Path(f"/proc/{pid}/cgroup")
    if os.geteuid() != 0 or not cgroup.exists() or container not in cgroup.read_text():
        pytest.skip("the engine's processes cannot be killed from here")
    return pid


def test_a_stop_completes_accepted_conversions(stack: Stack, workers: list[str]) -> None:
    """Also queued ones: the gateway stops first, and the workers run until it has sent all responses."""
    count = 24  # twice the slots of all workers
    image = photograph(2000, 1500)
    with ThreadPoolExecutor(count) as clients:
        docker("pause", *workers)
        conversions = [clients.submit(stack.convert, image, f"late-{number}.jpg") for number in range(count)]
        until(lambda: stack.queued() == count, "all conversions are queued", seconds=30)
        docker("unpause", *workers)
        stack.compose("stop")
    stack.up()
    assert [row["status"] for each in conversions for row in each.result()] == ["success"] * count


def test_images_survive_the_removal_of_all_containers(stack: Stack) -> None:
    """They are stored in a volume, and the next containers serve them."""
    assert_converts(stack, "kept.jpg")
    kept = stack.download("products/normal/kept.jpg")
    stack.down()
    stack.up()
    assert stack.download("products/normal/kept.jpg") == kept
    assert_converts(stack, "after-removal.jpg")


# --- isolation -----------------------------------------------------------------------------------


def test_no_process_is_root(stack: Stack) -> None:
    """Every process of every container runs as an unprivileged user."""
    for container in stack.containers():
        users = processes(container, "uid")
        assert users
        assert "0" not in users, stack.service(container)


def test_containers_have_no_capabilities(stack: Stack) -> None:
    """No container has privileges of root or can gain them."""
    for container in stack.containers():
        host = inspect(container)["HostConfig"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert "no-new-privileges:true" in host["SecurityOpt"]


def test_file_systems_are_read_only_even_for_root(stack: Stack) -> None:
    """Only the volumes are writable."""
    roles = ("gateway", "worker", "reporter")  # which have no program but Python
    for container in stack.containers():
        write = ["python", "-c", "open('/new', 'w')"] if stack.service(container) in roles else ["touch", "/new"]
        attempt = run("docker", "exec", "--user", "0", container, *write)
        assert attempt.returncode != 0, stack.service(container)
        assert "Read-only file system" in attempt.stderr


def test_only_the_gateway_has_a_port_and_on_loopback(stack: Stack) -> None:
    """No other container can be reached from the host's network."""
    published = [
        (stack.service(container), binding["HostIp"], int(binding["HostPort"]))
        for container in stack.containers()
        for bindings in inspect(container)["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    ]
    assert published == [("gateway", "127.0.0.1", stack.port)]


def test_only_the_gateway_is_in_a_network_with_external_access(stack: Stack) -> None:
    """A compromised worker cannot send data to the outside."""
    external = {
        stack.service(container)
        for container in stack.containers()
        for network in inspect(container)["NetworkSettings"]["Networks"]
        if docker("network", "inspect", "--format", "{{.Internal}}", network).strip() != "true"
    }
    assert external == {"gateway"}


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", SECRETS)
def test_refuses_to_start_without_a_secret(tmp_path: Path, missing: str) -> None:
    """There are no default secrets; the message names the missing one."""
    stack = Stack(tmp_path, workers=1, without=missing)
    with pytest.raises(CommandError, match=rf"required variable {missing} is missing a value: see \.env\.example"):
        stack.compose("--dry-run", "up", "--detach", "--no-build", "--pull", "never")


def test_the_documented_command_generates_all_secrets(tmp_path: Path) -> None:
    """The command in .env.example fills in a copy of that file."""
    example = (ROOT / ".env.example").read_text()
    (command,) = re.findall(r"^# +(python3 -c .*)$", example, flags=re.MULTILINE)
    env_file = tmp_path / ".env"
    env_file.write_text(example)
    subprocess.run(shlex.split(command), cwd=tmp_path, check=True)
    values = dict(re.findall(r"^(\w+)=(.+)$", env_file.read_text(), flags=re.MULTILINE))
    assert set(values) == set(SECRETS)
    assert min(map(len, values.values())) >= 32
    assert len(set(values.values())) == len(SECRETS)
    docker("compose", "--env-file", str(env_file), "--file", "docker-compose.yml", "config", "--quiet")


def test_only_the_gateway_has_the_api_credentials(stack: Stack) -> None:
    """A worker, which decodes untrusted images, has neither the API key nor the password."""
    services = {
        stack.service(container)
        for container in stack.containers()
        for variable in inspect(container)["Config"]["Env"]
        if variable.startswith(
            ("IMAGECONVERTER_API_KEY=", "IMAGECONVERTER_ADMIN_PASSWORD=", "IMAGECONVERTER_TOKEN_SECRET=")
        )
    }
    assert services == {"gateway"}


def test_secrets_are_neither_logged_nor_among_arguments(stack: Stack) -> None:
    """Logs are collected, and every user of the host can read arguments."""
    arguments = [line for container in stack.containers() for line in processes(container, "args")]
    assert any("imageconverter worker" in line for line in arguments)
    output = "\n".join([stack.compose("logs"), *arguments])
    assert [name for name, value in stack.secrets.items() if value in output] == []


# --- documents ------------------------------------------------------------------------------------


def test_the_documented_override_replaces_the_object_store(tmp_path: Path) -> None:
    """With the file in docs/docker.md for another S3, MinIO is not started and the roles reach the other one."""
    document = (ROOT / "docs" / "docker.md").read_text()
    text, _ = re.findall(r"```yaml\n(# docker-compose\.override\.yml.*?)```", document, flags=re.DOTALL)
    override = tmp_path / "override.yml"
    override.write_text(text)
    stack = Stack(tmp_path, workers=1, files=["docker-compose.yml", str(override)])
    services = json.loads(stack.compose("config", "--format", "json"))["services"]
    assert set(services) == {"gateway", "worker", "reporter", "redis"}
    for role in ("gateway", "worker", "reporter"):
        assert set(services[role]["depends_on"]) == {"redis", *(["worker"] if role == "gateway" else [])}
        assert "edge" in services[role]["networks"]
        assert "minio" not in services[role]["environment"]["IMAGECONVERTER_S3_ENDPOINT"]


def test_the_documented_override_replaces_redis(tmp_path: Path) -> None:
    """With the other file in docs/docker.md, all roles use Sentinels and an authority of their own."""
    document = (ROOT / "docs" / "docker.md").read_text()
    _, text = re.findall(r"```yaml\n(# docker-compose\.override\.yml.*?)```", document, flags=re.DOTALL)
    override = tmp_path / "override.yml"
    override.write_text(text)
    stack = Stack(tmp_path, workers=1, files=["docker-compose.yml", str(override)])
    with (tmp_path / "env").open("a") as file:
        file.write("SENTINEL_PASSWORD=of-the-sentinels\n")
    services = json.loads(stack.compose("config", "--format", "json"))["services"]
    assert "redis" not in services
    for role in ("gateway", "worker", "reporter"):
        environment, mounted = services[role]["environment"], {each["target"] for each in services[role]["volumes"]}
        assert environment["IMAGECONVERTER_REDIS_URL"].startswith("rediss+sentinel://imageconverter:")
        assert environment["IMAGECONVERTER_REDIS_SENTINEL_PASSWORD"] == "of-the-sentinels"
        assert Path(environment["IMAGECONVERTER_REDIS_CA_FILE"]).parent.as_posix() in mounted
        assert "edge" in services[role]["networks"]


def test_the_documented_override_runs_seaweedfs(tmp_path: Path) -> None:
    """With the file in docs/s3-servers.md, in MinIO's place, with the commands of the stand-in of these tests."""
    document = (ROOT / "docs" / "s3-servers.md").read_text()
    (text,) = re.findall(r"```yaml\n(# docker-compose\.override\.yml.*?)```", document, flags=re.DOTALL)
    override = tmp_path / "override.yml"
    override.write_text(text)
    stack = Stack(tmp_path, workers=1, files=["docker-compose.yml", str(override)])
    services = json.loads(stack.compose("config", "--format", "json"))["services"]
    assert set(services) == {"gateway", "worker", "reporter", "redis", "minio", "minio-setup", "minio-volume"}
    store = services["minio"]
    assert (store["image"].partition(":")[0], store.get("command")) == ("chrislusf/seaweedfs", None)
    assert services["minio-setup"]["entrypoint"] == ["true"]
    stand_in = (ROOT / "docker-compose.ci.yml").read_text()
    (command,) = re.findall(r"exec weed .*?s3\.config=/tmp/s3\.json", stand_in)
    assert command in store["entrypoint"][-1]
