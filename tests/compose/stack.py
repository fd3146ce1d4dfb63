"""The stack of docker-compose.yml with a project name, a port and secrets of its own."""

import base64
import io
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sysconfig
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from PIL import Image

ROOT = Path(__file__).parents[2]
SECRETS = (
    "IMAGECONVERTER_API_KEY",
    "IMAGECONVERTER_ADMIN_PASSWORD",
    "IMAGECONVERTER_TOKEN_SECRET",
    "REDIS_PASSWORD",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "S3_ROOT_PASSWORD",
)

WORKERS = 3
IMAGE = "imageconverter:test"
OWN_FORMAT = """
[[format]]
id = "own"
name = "own"
type = "product"
targetDirectory = "products/own"
maxWidth = 64
maxHeight = 64
"""
"""An image format that the shipped file does not have."""

_FORMATS = ROOT / "shared" / "imageconverter" / "images" / "formats.toml"
_STAND_IN = "standin/s3:1"
# No other variables, because those of a developer must not change the stack.
_PASSED_VARIABLES = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT")


class CommandError(AssertionError):
    """A command has failed."""


def run(*command: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command in the root directory, with the classic builder and without the caller's variables."""
    environment = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "DOCKER_BUILDKIT": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def docker(*arguments: str, seconds: float = 300) -> str:
    """Run ``docker`` and return what it printed; raises CommandError with its output."""
    done = run("docker", *arguments, seconds=seconds)
    if done.returncode:
        raise CommandError(f"docker {' '.join(arguments)} exited with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stdout


def why_not() -> str:
    """Return the reason why containers cannot be run, "" if they can."""
    for command in (("docker", "version"), ("docker", "compose", "version")):
        try:
            done = run(*command, seconds=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {error}"
        if done.returncode:
            return f"{' '.join(command)}: {done.stderr.strip()}"
    return ""


def until(condition: Callable[[], object], what: str, *, seconds: float) -> None:
    """Wait until *condition* holds; raises AssertionError with *what* after *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def photograph(width: int, height: int, file_type: Literal["JPEG", "PNG"] = "JPEG") -> bytes:
    """Return an image with smooth areas and grain like a photograph."""
    slope = Image.linear_gradient("L").resize((width, height))
    grain = Image.blend(slope, Image.effect_noise((width, height), 60), 0.3)
    image = Image.merge("RGB", (slope, grain, slope.transpose(Image.Transpose.FLIP_TOP_BOTTOM)))
    file = io.BytesIO()
    image.save(file, file_type, quality=90)
    return file.getvalue()


class Stack:
    """A running stack. Containers are named by their ids."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int,
        gateways: int = 1,
        behind_proxy: bool = False,
        without: str = "",
        formats: bool = False,
        files: Sequence[str] = (),
    ) -> None:
        """Write the secrets, except *without*, and *formats* of its own to *folder*; nothing is started yet."""
        self.secrets = {name: secrets.token_hex(20) for name in SECRETS if name != without}
        self.port = _free_port()
        env_file = folder / "env"
        variables: dict[str, object] = {
            **self.secrets,
            "IMAGECONVERTER_PORT": self.port,
            "IMAGECONVERTER_IMAGE": IMAGE,
        }
        if formats:
            folder.chmod(0o755)  # the user of the containers reads it
            (folder / "formats.toml").write_text(_FORMATS.read_text() + OWN_FORMAT)
            variables["IMAGECONVERTER_FORMATS_FOLDER"] = str(folder)
        # Without the stand-ins, the images of the release are pulled and tested.
        self._pull = "never" if run("docker", "image", "inspect", _STAND_IN).returncode == 0 else "missing"
        default = ["docker-compose.yml", "docker-compose.ci.yml"] if self._pull == "never" else ["docker-compose.yml"]
        if behind_proxy:
            default.append("docker-compose.proxy.yml")
            if self._pull == "never":
                # Checks of so many roles at once, each of which starts a process, would take two cores.
                variables |= {"PROXY_IMAGE": proxy_stand_in(folder), "HEALTH_INTERVAL": "15s"}
        env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        self.project = f"imageconverter-{secrets.token_hex(4)}"
        self._options = ["--project-name", self.project, "--env-file", str(env_file)]
        self._options += [argument for file in files or default for argument in ("--file", str(ROOT / file))]
        scale = ("--scale", f"worker={workers}", "--scale", f"gateway={gateways}")
        self.up_options = ("--detach", "--no-build", "--pull", self._pull, *scale, "--wait")

    def compose(self, *arguments: str) -> str:
        """Run ``docker compose`` on this stack."""
        return docker("compose", *self._options, *arguments, seconds=600)

    def command(self, *arguments: str) -> str:
        """Return ``docker compose`` on this stack for a shell."""
        return shlex.join(["docker", "compose", *self._options, *arguments])

    def up(self) -> None:
        """Start all containers that are not running, and wait until all are healthy."""
        try:
            self.compose("up", *self.up_options, "--wait-timeout", "180")
        except CommandError as failure:
            raise CommandError(f"{failure}\n{self.compose('logs', '--tail', '30')}") from None

    def down(self, *options: str) -> None:
        """Stop and remove the containers."""
        self.compose("down", "--timeout", "10", *options)

    def containers(self, service: str = "") -> list[str]:
        """Return the running containers, of one *service* or of all."""
        labels = [f"com.docker.compose.project={self.project}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        return docker("ps", "--quiet", "--no-trunc", *(f"--filter=label={label}" for label in labels)).split()

    def service(self, container: str) -> str:
        """Return the service that *container* belongs to."""
        return str(inspect(container)["Config"]["Labels"]["com.docker.compose.service"])

    def leases(self) -> list[str]:
        """Return the ids of the jobs of clients that a worker has claimed."""
        waiting = self.redis("ZRANGE", "ic:lane:interactive", "0", "-1").split()
        return [job for job in waiting if self.redis("EXISTS", f"arq:in-progress:{job}").strip() == "1"]

    def redis(self, *command: str) -> str:
        """Run a command in Redis as the user of the roles."""
        (redis,) = self.containers("redis")
        return docker("exec", redis, "redis-cli", "--user", "imageconverter", *command)

    def queued(self) -> int:
        """Return the number of queued and running conversions."""
        with urllib.request.urlopen(self._address("metrics"), timeout=30) as response:
            metrics = response.read().decode()
        (depth,) = re.findall(r'^imageconverter_queue_jobs{lane="interactive"} (\d+)', metrics, re.MULTILINE)
        return int(depth)

    def convert(self, image: bytes, name: str, *formats: str) -> list[dict[str, Any]]:
        """Convert *image* to *formats* and wait; returns the results."""
        body = {
            "fileName": name,
            "imageData": base64.b64encode(image).decode(),
            "formats": [f"content.imageFormat.{each}" for each in formats or ("normal",)],
        }
        items: list[dict[str, Any]] = self.request("POST", "images/upload/convert", json.dumps(body).encode())[
            "items"
        ]
        return items

    def request(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Send a request with the API key; returns the body of the response."""
        headers = {"Authorization": f"Bearer {self.secrets['IMAGECONVERTER_API_KEY']}"}
        message = urllib.request.Request(self._address(path), data=body, headers=headers, method=method)
        with urllib.request.urlopen(message, timeout=60) as response:
            return json.load(response)

    def download(self, path: str) -> bytes:
        """Fetch a converted image."""
        with urllib.request.urlopen(self._address(f"content/{path}"), timeout=30) as response:
            return bytes(response.read())

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


def proxy_stand_in(folder: Path) -> str:
    """Build an image with the Caddy of the development environment in *folder*; returns its name.

    It has a `wget` that does what health checks need.
    """
    name = "standin/caddy:1"
    caddy = shutil.which("caddy", path=sysconfig.get_path("scripts"))
    assert caddy is not None
    context = folder / "proxy"
    context.mkdir()
    shutil.copy(caddy, context)
    fetch = "import sys, urllib.request; urllib.request.urlopen(sys.argv[-1])"
    (context / "wget").write_text(f"#!/usr/bin/env python3\n{fetch}\n")
    (context / "wget").chmod(0o755)
    (context / "Dockerfile").write_text(
        "FROM python:3.12-slim-bookworm\nCOPY caddy wget /usr/local/bin/\n"
        "ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data\n"
    )
    docker("build", "--quiet", "--tag", name, str(context))
    return name


def processes(container: str, column: str) -> list[str]:
    """Return one *column* of ``ps`` on the host for all processes in a container."""
    _, *lines = docker("top", container, "-eo", f"pid,{column}").splitlines()
    return [line.split(maxsplit=1)[1] for line in lines]


def inspect(container: str) -> Any:
    """Return the output of ``docker inspect`` for a container."""
    return json.loads(docker("inspect", container))[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
