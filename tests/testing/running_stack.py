"""A stack that `imageconverter up` runs in a separate process."""

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.stack.ports import free_ports
from tests.testing import image_files

UP = [sys.executable, "-m", "services.cli.main", "up"]


class Stack:
    """A running stack."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], port: int) -> None:
        self.folder, self.process, self.port = folder, process, port
        self.output: list[str] = []
        self.ready_after = 0.0

    def get(self, path: str) -> tuple[int, bytes]:
        """Get *path* from the gateway; returns status and body, (0, b"") without a response."""
        return self.request(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def request(self, request: urllib.request.Request) -> tuple[int, bytes]:
        """Send *request*; returns status and body, (0, b"") without a response."""
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def convert(self, name: str) -> tuple[int, Any]:
        """Upload and convert a photograph under *name*."""
        body = {
            "fileName": name,
            "formats": ["content.imageFormat.thumbnailProduct"],
            "imageData": base64.b64encode(image_files.jpeg(size=(400, 300))).decode(),
        }
        return self.call("POST", "/images/upload/convert", body)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Call the images API with further *headers*; returns status and body, (0, None) without a response."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.api_key}", **headers},
            method=method,
        )
        status, data = self.request(request)
        return status, json.loads(data or b"null")

    @property
    def api_key(self) -> str:
        """The API key that `up` has generated."""
        text = (self.folder / "data" / "credentials.env").read_text()
        found = re.search(r"^IMAGECONVERTER_API_KEY=(.+)$", text, re.MULTILINE)
        assert found
        return found[1]

    def processes(self) -> dict[int, str]:
        """The command lines of all processes of this stack except the supervisor, by process id."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                marked = f"STACK_OF_TEST={self.folder}".encode() in (process / "environ").read_bytes()
                # Redis overwrites its environment with its title, but its working directory is its folder.
                inside = (process / "cwd").readlink().is_relative_to(self.folder)
                if (marked or inside) and int(process.name) != self.process.pid:
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def role(self, role: str) -> int:
        """Return the process id of *role*; waits until it is running."""
        found: list[int] = []

        def is_there() -> bool:
            found.extend(pid for pid, command in self.processes().items() if command.split()[-1:] == [role])
            return bool(found)

        self.until(is_there)
        return found[0]

    def wait_until_ready(self, seconds: float = 40) -> None:
        """Wait until the gateway is ready."""
        self.until(lambda: self.get("/health/ready")[0] == 200, seconds)

    def until(self, condition: Any, seconds: float = 20) -> None:
        """Wait until *condition* is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "timed out"
            assert self.process.poll() is None, "the stack ended"
            time.sleep(0.05)


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """Return the environment of a stack in *folder*."""
    return {
        **os.environ,
        "IMAGECONVERTER_PORT": str(port),
        "IMAGECONVERTER_DATA_DIR": str(folder / "data"),
        "STACK_OF_TEST": str(folder),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@contextmanager
def running_stack(folder: Path, **more: str) -> Iterator[Stack]:
    """Run a stack in *folder* until the end of the block."""
    (port,) = free_ports(1)
    log = folder / "up.log"
    with log.open("w") as out:
        began = time.monotonic()
        process = subprocess.Popen(
            UP, env=environment(folder, port, **more), stdout=out, stderr=out, text=True, start_new_session=True
        )
        stack = Stack(folder, process, port)
        try:
            stack.wait_until_ready()
            stack.until(lambda: "Ctrl-C stops it" in log.read_text())
            stack.ready_after = time.monotonic() - began
            yield stack
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
            process.kill()
            process.wait()
