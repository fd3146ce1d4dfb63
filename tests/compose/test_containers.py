"""The containers of docker-compose.yml: their limits, their rights at Redis and the store, health, formats."""

import io
import json
import re
from typing import Any

import pytest
from PIL import Image

from imageconverter.settings import WorkerSettings
from services.worker.memory_limit import needed_mb
from tests.compose.stack import Stack, docker, inspect, photograph, run, until

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("_engine")]

ROLES = ("gateway", "worker", "reporter")
MEBIBYTE = 1024 * 1024
MAKE_BUCKET = (
    "from imageconverter.settings import load_settings\n"
    "from imageconverter.storage import bucket\n"
    "bucket.ensure_bucket(load_settings().storage.model_copy(update={'bucket': 'another-bucket'}))"
)


@pytest.fixture(scope="module")
def services(stack: Stack) -> Any:
    """The services as Compose reads them, those that exit at once included."""
    return json.loads(stack.compose("config", "--format", "json"))["services"]


def variables(container: str) -> dict[str, str]:
    """Return the environment of a container."""
    return dict(line.split("=", 1) for line in inspect(container)["Config"]["Env"])


# --- limits ---------------------------------------------------------------------------------------


def test_every_service_is_limited_and_unprivileged(services: Any) -> None:
    """In memory and processes; read-only, without capabilities but the one that changes an owner."""
    assert set(services) == {*ROLES, "redis", "minio", "minio-setup", "minio-volume"}
    for name, service in services.items():
        assert int(service["mem_limit"]) > 0, name
        assert int(service["pids_limit"]) > 0, name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == (["CHOWN"] if name == "minio-volume" else []), name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_the_kernel_has_the_limits(stack: Stack) -> None:
    """They are those of the containers that run."""
    for container in stack.containers():
        host = inspect(container)["HostConfig"]
        assert host["Memory"] > 0, stack.service(container)
        assert host["PidsLimit"] > 0, stack.service(container)


def test_a_worker_has_as_much_memory_as_its_images_may_need(stack: Stack) -> None:
    """Otherwise it would log a warning; it reads its limit from the control group."""
    for worker in stack.containers("worker"):
        children = int(variables(worker)["IMAGECONVERTER_WORKER_CHILDREN"])
        needed = needed_mb(WorkerSettings(children=children))
        assert inspect(worker)["HostConfig"]["Memory"] == needed * MEBIBYTE
        check = (
            "from imageconverter.settings import WorkerSettings\n"
            "from services.worker.memory_limit import check_memory_limit\n"
            f"check_memory_limit(WorkerSettings(children={children}, memory_mb=1025))"
        )
        assert f"limit_mib={needed}" in docker("exec", worker, "python", "-c", check)
    assert "memory limit too small" not in stack.compose("logs", "worker")


# --- Redis ----------------------------------------------------------------------------------------


def test_redis_refuses_writes_before_it_loses_jobs(stack: Stack) -> None:
    """It has a bound, and never evicts."""
    memory = dict(re.findall(r"^(maxmemory\w*):([^\r\n]*)", stack.redis("INFO", "memory"), re.MULTILINE))

    assert (memory["maxmemory"], memory["maxmemory_policy"]) == (str(512 * MEBIBYTE), "noeviction")


@pytest.mark.parametrize("command", [("CONFIG", "GET", "*"), ("FLUSHALL",), ("KEYS", "*"), ("GET", "other")])
def test_the_user_of_the_roles_is_no_administrator_of_redis(stack: Stack, command: tuple[str, ...]) -> None:
    """It has the rules of docker/redis.acl, which tests/stack/test_redis_acl.py judges."""
    assert "NOPERM" in stack.redis(*command)


def test_redis_has_no_other_user(stack: Stack) -> None:
    """The default one is off."""
    (redis,) = stack.containers("redis")
    attempt = run("docker", "exec", redis, "redis-cli", "PING")

    assert "NOAUTH" in attempt.stdout
    assert "PONG" not in attempt.stdout


# --- the store ------------------------------------------------------------------------------------


def test_the_roles_may_use_one_bucket_only(stack: Stack) -> None:
    """They cannot create another one. In CI, SeaweedFS has the same two identities as MinIO."""
    for role in ROLES:
        attempt = run("docker", "exec", stack.containers(role)[0], "python", "-c", MAKE_BUCKET)
        assert "The bucket cannot be used" in attempt.stderr, role


def test_only_the_store_and_its_setup_have_the_administrators_password(stack: Stack, services: Any) -> None:
    """Not the roles, whose decoders read untrusted images."""
    password = stack.secrets["S3_ROOT_PASSWORD"]

    assert {name for name, each in services.items() if password in str(each.get("environment"))} == {
        "minio",
        "minio-setup",
    }


# --- health ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["worker", "reporter"])
def test_a_role_that_cannot_write_to_the_store_is_unhealthy(stack: Stack, role: str) -> None:
    """Its health check says why; it is healthy again as soon as the store is."""
    container = stack.containers(role)[0]
    check = inspect(container)["Config"]["Healthcheck"]["Test"][1:]
    (store,) = stack.containers("minio")
    docker("pause", store)
    try:
        failed = run("docker", "exec", container, *check)
    finally:
        docker("unpause", store)
    assert (failed.returncode, failed.stderr) == (1, "imageconverter: the object store is down\n")
    until(lambda: run("docker", "exec", container, *check).returncode == 0, f"the {role} is healthy", seconds=60)


# --- formats --------------------------------------------------------------------------------------


def test_a_formats_file_is_mounted_into_every_role(stack: Stack) -> None:
    """By one variable. The gateway accepts a format of it, a worker converts to it, all roles run with it."""
    (row,) = stack.convert(photograph(320, 240), "own.jpg", "own")
    with Image.open(io.BytesIO(stack.download(row["output"]))) as image:
        assert (row["output"], image.size) == ("products/own/own.jpg", (64, 48))
    for role in ROLES:
        for container in stack.containers(role):
            file = variables(container)["IMAGECONVERTER_FORMATS_FILE"]
            assert 'id = "own"' in docker("exec", container, "python", "-c", f"print(open({file!r}).read())")
            assert inspect(container)["RestartCount"] == 0
    assert "problems" not in stack.request("GET", "health/ready")
