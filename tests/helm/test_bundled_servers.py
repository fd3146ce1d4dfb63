"""The commands of the bundled servers, run as in their containers, but with folders and ports of this test."""

import os
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.retry import Retry

from services.stack.ports import free_ports
from services.stack.servers import redis_server
from tests.helm.chart import CASES, named, render

_KEYS = {"S3_ACCESS_KEY": "access-key", "S3_SECRET_KEY": "secret-key"}


def test_redis_has_only_the_user_of_the_roles(tmp_path: Path) -> None:
    """With the rules of docker/redis.acl, and an append-only file on the volume."""
    (port,) = free_ports(1)
    acl = tmp_path / "redis.acl"
    acl.write_text(named(render(CASES["bundled"]), "ConfigMap", "-redis")["data"]["redis.acl"])
    binary = redis_server(tmp_path, tmp_path, {}, "unused").command.arguments[0]
    replaced = {
        "redis-server -": f"{binary} -",
        "dir /data": f"dir {tmp_path}\nport {port}\nbind 127.0.0.1",
        "/etc/imageconverter/redis.acl": str(acl),
    }
    retry = Retry(ConstantBackoff(0.1), 100)

    with _running("redis", replaced, {"REDISCLI_AUTH": "of-the-roles"}):
        with Redis(
            port=port,
            username="imageconverter",
            password="of-the-roles",
            retry=retry,
            retry_on_error=[OSError],
        ) as roles:
            roles.ping()
            roles.set("ic:test", "1")
            with pytest.raises(NoPermissionError):
                roles.config_get("*")
        with Redis(port=port) as default_user, pytest.raises(AuthenticationError):
            default_user.ping()
    assert list((tmp_path).rglob("*.aof"))


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_the_store_has_one_bucket(tmp_path: Path) -> None:
    """The roles may create theirs, and use it, and no other; nothing but the S3 API listens outside of the pod."""
    s3, grpc, *others = free_ports(8)
    internal = " ".join(
        f"-{name}.port={others[2 * i]} -{name}.port.grpc={others[2 * i + 1]}"
        for i, name in enumerate(("master", "volume", "filer"))
    )
    replaced = {
        "exec weed": f"exec {Path(sysconfig.get_path('scripts')) / 'weed'}",
        "/data": str(tmp_path),
        "/tmp/s3.json": str(tmp_path / "s3.json"),  # noqa: S108 - of the container
        "-s3.ip.bind=0.0.0.0": "-s3.ip.bind=127.0.0.1",
        "-s3.port=9000": f"-s3.port={s3} -s3.port.grpc={grpc} {internal}",
    }
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3}",
        aws_access_key_id=_KEYS["S3_ACCESS_KEY"],
        aws_secret_access_key=_KEYS["S3_SECRET_KEY"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )

    with _running("s3", replaced, _KEYS):
        while not _is_healthy(s3):  # until the timeout of the test
            time.sleep(0.2)
        client.create_bucket(Bucket="imageconverter")
        client.put_object(Bucket="imageconverter", Key="source/a", Body=b"a")
        assert client.get_object(Bucket="imageconverter", Key="source/a")["Body"].read() == b"a"
        with pytest.raises(ClientError, match="AccessDenied"):
            client.create_bucket(Bucket="other")


def _is_healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def _running(name: str, replaced: dict[str, str], variables: dict[str, str]) -> Iterator[None]:
    """Run the command of a server, in which the texts of *replaced* are replaced, during the block."""
    (container,) = named(render(CASES["bundled"]), "StatefulSet", f"-{name}")["spec"]["template"]["spec"][
        "containers"
    ]
    *shell, script = container["command"]
    for old, new in replaced.items():
        assert old in script
        script = script.replace(old, new)
    assert {each["name"] for each in container["env"]} == set(variables)
    process = subprocess.Popen([*shell, script], env={"PATH": os.defpath, **variables}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()  # SeaweedFS takes half a minute to stop
        process.wait()
