"""Redis, a Sentinel and an S3 server that speak TLS only."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from services.stack.ports import free_ports
from services.stack.program import Command
from services.stack.servers import Server, object_store, redis_server
from tests.testing.certificates import Authority

MASTER = "images"
_ACL = Path(__file__).parents[2] / "docker" / "redis.acl"


def redis_with_tls(folder: Path) -> Path:
    """Return a redis-server that has been built with TLS, unlike the embedded one; skips the test if there is none.

    Debian's package redis-tools has it under another name.
    """
    link = folder / "redis-server"
    if checker := shutil.which("redis-check-rdb"):
        link.symlink_to(checker)
    for program in (shutil.which("redis-server"), str(link)):
        if program and Path(program).exists():
            refused = subprocess.run([program, "--tls-port", "none"], capture_output=True, text=True, check=False)
            if "Bad directive" not in refused.stderr + refused.stdout:
                return Path(program)
    pytest.skip("no Redis with TLS is installed, as Debian's redis-tools")


def tls_redis(program: Path, folder: Path, authority: Authority, password: str) -> Server:
    """Return a Redis with the user of docker/redis.acl, which asks its clients for certificates too."""
    server = redis_server(folder, folder, dict(os.environ), "of-the-administrator")
    rules = " ".join(line for line in _ACL.read_text().splitlines() if not line.startswith("#"))
    with (folder / "redis.conf").open("a") as config:
        config.write(_tls(authority, server.port) + f"user imageconverter reset on >{password} {rules}\n")
    return replace(server, command=replace(server.command, arguments=[str(program), str(folder / "redis.conf")]))


def tls_sentinel(program: Path, folder: Path, authority: Authority, master: int) -> Server:
    """Return a Sentinel that watches the Redis on port *master*."""
    (port,) = free_ports(1, avoid=[master])
    config = folder / "sentinel.conf"
    watched = f"sentinel monitor {MASTER} 127.0.0.1 {master} 1\nsentinel auth-pass {MASTER} of-the-administrator\n"
    config.write_text(f'bind 127.0.0.1\ndir "{folder}"\n{_tls(authority, port)}{watched}')
    command = Command(
        "sentinel", [str(program), str(config), "--sentinel"], dict(os.environ), folder / "sentinel.log"
    )
    return Server(command, {}, f"127.0.0.1:{port}", port)


def tls_store(folder: Path, authority: Authority) -> Server:
    """Return an S3 server."""
    server = object_store(folder, folder, dict(os.environ), ("access", "secret-of-s3"))
    files = authority.issue("store", names="IP:127.0.0.1")
    arguments = [*server.command.arguments, f"-s3.cert.file={files.certificate}", f"-s3.key.file={files.key}"]
    endpoint = server.settings["IMAGECONVERTER_S3_ENDPOINT"].replace("http://", "https://")
    settings = {**server.settings, "IMAGECONVERTER_S3_ENDPOINT": endpoint}
    return replace(server, command=replace(server.command, arguments=arguments), settings=settings)


def _tls(authority: Authority, port: int) -> str:
    files = authority.issue(f"server-{port}", names="IP:127.0.0.1")
    return (
        f"port 0\ntls-port {port}\ntls-cert-file {files.certificate}\ntls-key-file {files.key}\n"
        f"tls-ca-cert-file {authority.files.certificate}\ntls-auth-clients yes\ntls-replication yes\n"
    )
