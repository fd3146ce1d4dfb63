"""The stack of docker-compose.yml under a name, a port and secrets of its own, and what tests do with it."""

import base64
import io
import json
import os
import re
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[2]
SECRETS = (
    "IMAGECONVERTER_API_KEY",
    "IMAGECONVERTER_ADMIN_PASSWORD",
    "IMAGECONVERTER_TOKEN_SECRET",
    "REDIS_PASSWORD",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
)

_STAND_IN = "standin/s3:1"
_IMAGE = "imageconverter:test"
# Nothing else of the environment: a developer's own variables must not become part of the stack.
_PASSED_ON = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT")


class CommandError(AssertionError):
    """A command that should have worked."""


def run(*command: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command at the project's root, with the classic builder and without the caller's variables."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
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
    """Run ``docker`` and return what it printed; raises CommandError with what it said."""
    done = run("docker", *arguments, seconds=seconds)
    if done.returncode:
        raise CommandError(f"docker {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stdout


def why_not() -> str:
    """Return why no container can be run here; "" where they can."""
    for command in (("docker", "version"), ("docker", "compose", "version")):
        try:
            done = run(*command, seconds=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {error}"
        if done.returncode:
            return f"{' '.join(command)}: {done.stderr.strip()}"
    return ""


def until(condition: Callable[[], object], what: str, *, seconds: float) -> None:
    """Wait until *condition* holds; raises AssertionError that says *what* did not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def photograph(width: int, height: int) -> bytes:
    """Return a JPEG with smooth areas and grain, as a camera would make it."""
    slope = Image.linear_gradient("L").resize((width, height))
    grain = Image.blend(slope, Image.effect_noise((width, height), 60), 0.3)
    image = Image.merge("RGB", (slope, grain, slope.transpose(Image.Transpose.FLIP_TOP_BOTTOM)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


class Stack:
    """A running stack. Containers are named by their ids."""

    def __init__(self, folder: Path, *, workers: int, without: str = "", files: Sequence[str] = ()) -> None:
        """Prepare a stack whose secrets, but one *without*, lie in *folder*; nothing is started yet."""
        self.secrets = {name: secrets.token_hex(20) for name in SECRETS if name != without}
        self.port = _free_port()
        self._workers = workers
        env_file = folder / "env"
        variables = {**self.secrets, "IMAGECONVERTER_PORT": self.port, "IMAGECONVERTER_IMAGE": _IMAGE}
        env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        # Where there is no stand-in, the image that users get is pulled and tested.
        self._pull = "never" if run("docker", "image", "inspect", _STAND_IN).returncode == 0 else "missing"
        ours = ["docker-compose.yml", "docker-compose.ci.yml"] if self._pull == "never" else ["docker-compose.yml"]
        self._project = f"imageconverter-{secrets.token_hex(4)}"
        self._options = ["--project-name", self._project, "--env-file", str(env_file)]
        self._options += [argument for file in files or ours for argument in ("--file", file)]

    def compose(self, *arguments: str) -> str:
        """Run ``docker compose`` on this stack."""
        return docker("compose", *self._options, *arguments, seconds=600)

    def up(self) -> None:
        """Start what does not run, and wait until all of it is healthy."""
        options = ("--detach", "--no-build", "--pull", self._pull, "--scale", f"worker={self._workers}")
        try:
            self.compose("up", *options, "--wait", "--wait-timeout", "180")
        except CommandError as failure:
            raise CommandError(f"{failure}\n{self.compose('logs', '--tail', '30')}") from None

    def down(self, *options: str) -> None:
        """Stop and remove the containers."""
        self.compose("down", "--timeout", "10", *options)

    def containers(self, service: str = "") -> list[str]:
        """Return the running containers, of one *service* or of all."""
        labels = [f"com.docker.compose.project={self._project}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        return docker("ps", "--quiet", "--no-trunc", *(f"--filter=label={label}" for label in labels)).split()

    def service(self, container: str) -> str:
        """Return the service that *container* belongs to."""
        return str(inspect(container)["Config"]["Labels"]["com.docker.compose.service"])

    def leases(self) -> list[str]:
        """Return the jobs that a worker holds at the moment."""
        (redis,) = self.containers("redis")
        return docker("exec", redis, "redis-cli", "--scan", "--pattern", "arq:in-progress:*").split()

    def queued(self) -> int:
        """Return how many conversions wait or run."""
        with urllib.request.urlopen(self._address("metrics"), timeout=30) as answer:
            metrics = answer.read().decode()
        (depth,) = re.findall(r'^imageconverter_queue_jobs{lane="interactive"} (\d+)', metrics, re.MULTILINE)
        return int(depth)

    def convert(self, image: bytes, name: str, *formats: str) -> list[dict[str, Any]]:
        """Convert *image* to *formats* while waiting; returns the rows of the answer."""
        body = {
            "fileName": name,
            "imageData": base64.b64encode(image).decode(),
            "formats": [f"content.imageFormat.{each}" for each in formats or ("normal",)],
        }
        items: list[dict[str, Any]] = self.ask("POST", "images/upload/convert", json.dumps(body).encode())["items"]
        return items

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Send a request with the stack's key; returns the answer."""
        headers = {"Authorization": f"Bearer {self.secrets['IMAGECONVERTER_API_KEY']}"}
        request = urllib.request.Request(self._address(path), data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def download(self, path: str) -> bytes:
        """Fetch a converted image."""
        with urllib.request.urlopen(self._address(f"content/{path}"), timeout=30) as answer:
            return bytes(answer.read())

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


def processes(container: str, what: str) -> list[str]:
    """Return one column of ``ps``, seen from outside, of all processes in a container."""
    _, *lines = docker("top", container, "-eo", f"pid,{what}").splitlines()
    return [line.split(maxsplit=1)[1] for line in lines]


def inspect(container: str) -> Any:
    """Return what the engine knows of a container."""
    return json.loads(docker("inspect", container))[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
