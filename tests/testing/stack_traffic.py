"""All kinds of requests to a running stack, so that it sends all kinds of commands to its Redis."""

import base64
import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tests.testing import image_files
from tests.testing.running_stack import Stack
from tests.testing.webhook_receiver import SECRET

ADMIN_PASSWORD = "pw"
SETTINGS = {
    "IMAGECONVERTER_ADMIN_PASSWORD": ADMIN_PASSWORD,
    "IMAGECONVERTER_TOKEN_SECRET": "a-secret-for-tests-of-32-characters",
    "IMAGECONVERTER_START_SECONDS": "0",
    "IMAGECONVERTER_LOGIN_FAILURES": "2",
    "IMAGECONVERTER_PREVIEW_CONVERT_SECONDS": "2",
    "IMAGECONVERTER_PREVIEW_CLEANUP_SECONDS": "5",
    "IMAGECONVERTER_PREVIEW_MAX_KEYS": "2",
    "IMAGECONVERTER_REPORT_GRACE_DAYS": "0",
    "IMAGECONVERTER_REPORT_MAX_SHARE": "1",
    "IMAGECONVERTER_WEBHOOK_URLS": "http://127.0.0.1:1/",
    "IMAGECONVERTER_WEBHOOK_SECRET": SECRET,
}
"""Of the stack: small limits, so that exceeding them is soon done."""

_FORMATS = ["content.imageFormat.thumbnailProduct"]


def convert(stack: Stack) -> None:
    """Convert while the client waits, and in runs: one is completed after an outage of the store, one is canceled."""
    assert stack.convert("a.jpg")[0] == 200
    directory = _upload(stack, [f"{number}.jpg" for number in range(40)])
    with _stopped(stack, "weed"):
        _start(stack, directory, status=503)
    _start(stack, directory)
    with _stopped(stack, "weed"):
        stack.until(lambda: _log_has(stack, "job retried"))
    _wait_for_run(stack)
    for path in ("results", "runs", "status", "scan"):
        assert _call(stack, "GET", f"/images/convert/{path}")
    _start(stack, directory)
    _call(stack, "POST", "/images/convert/cancel", {})


@contextmanager
def waiting_jobs(stack: Stack) -> Iterator[None]:
    """Have a run wait for the worker during the block."""
    with _stopped(stack, "worker"):
        _start(stack, _upload(stack, ["waiting.jpg"]))
        yield


def report(stack: Stack) -> None:
    """Import a catalog, make two reports, clean up, restore and repair."""
    assert stack.convert("unused.jpg")[0] == 200
    catalog = {"id": "1", "active": True, "images": ["absent.jpg"]}
    for _ in range(2):
        _call(stack, "PUT", "/images/catalog/products", catalog)
        _call(stack, "POST", "/images/report", {})
        stack.until(lambda: not _call(stack, "GET", "/images/report/status")["running"], 60)
    moved = _call(stack, "DELETE", "/images/report/products/unused?dryRun=false")
    _call(stack, "POST", "/images/report/restore", {"trash": moved["trash"]})
    _call(stack, "POST", "/images/report/products/repair", {})
    assert stack.get("/metrics")[0] == 200


def webhooks(stack: Stack) -> None:
    """Retry the webhooks of what has happened; their endpoint has a private address."""

    def attempted() -> list[str]:
        (endpoint,) = _call(stack, "GET", "/images/webhooks")["items"]
        return [each["id"] for each in endpoint["deliveries"] if "127.0.0.1" in each["error"]]

    stack.until(lambda: len(attempted()) > 1, 30)
    _call(stack, "POST", f"/images/webhooks/{attempted()[0]}")


def previews(stack: Stack) -> None:
    """Store, read, list and remove previews; two clients wait for the same one in vain; the oldest are evicted."""
    keys = [uuid4().hex for _ in range(5)]
    for key in keys:
        assert _send_image(stack, f"cacheImage/{key}?context=1") == 200
    assert _send_image(stack, f"cacheImage/{keys[0]}?context=2", width=80) == 200
    for path in (f"getImage/{keys[0]}/auto:200x150", "getKeyCount?context=1", "getKeyCount", "status?metrics=yes"):
        assert stack.get(f"/imageconverter/{path}")[0] == 200
    for path in ("getKeys?context=1", "getKeys", f"clearImagesByKey/{keys[0]}"):
        assert _as_administrator(stack, path) == 200
    with _stopped(stack, "worker"), ThreadPoolExecutor(2) as clients:
        path = f"cacheAndGetImage/{uuid4().hex}/auto:200x150?context=1"
        assert list(clients.map(_send_image, [stack] * 2, [path] * 2)) == [504, 504]
    stack.until(lambda: json.loads(stack.get("/imageconverter/getKeyCount")[1])["count"] <= 2, 30)
    assert _as_administrator(stack, "clearImages?context=1") == 200


def dead_letters(stack: Stack, jobs: list[str]) -> None:
    """List the dead letters, retry the first of *jobs*, drop the others."""
    stack.until(lambda: {each["id"] for each in _call(stack, "GET", "/images/jobs/dead")["items"]} >= set(jobs))
    _call(stack, "POST", f"/images/jobs/dead/{jobs[0]}")
    for job in jobs[1:]:
        _call(stack, "DELETE", f"/images/jobs/dead/{job}")


def logins(stack: Stack) -> None:
    """Log in, refresh and log out; then guess passwords until the address is locked out."""
    path = "/admin/api/v1/login"
    tokens = _call(stack, "POST", path, {"email": "admin", "password": ADMIN_PASSWORD})
    tokens = _call(stack, "POST", path, {"refreshToken": tokens["refreshToken"]})
    _call(stack, "DELETE", path, {"refreshToken": tokens["refreshToken"]})
    guesses = [stack.call("POST", path, {"email": "admin", "password": "wrong"})[0] for _ in range(4)]
    assert guesses[-1] == 429


def _upload(stack: Stack, names: list[str]) -> str:
    image = base64.b64encode(image_files.jpeg(size=(1600, 1200))).decode()
    body = {"fileName": names, "imageData": [image] * len(names), "formats": _FORMATS}
    key = {"Idempotency-Key": uuid4().hex}
    (first, answer), again = (stack.call("POST", "/images/upload", body, **key) for _ in range(2))
    assert (first, answer) == again, answer
    assert first == 200, answer
    return str(answer["path"])


def _start(stack: Stack, directory: str, *, status: int = 200) -> None:
    body = {"action": "manual", "source": "directory", "formatList": _FORMATS, "directory": directory}
    assert stack.call("POST", "/images/convert/start", body)[0] == status


def _wait_for_run(stack: Stack) -> None:
    stack.until(lambda: not _call(stack, "GET", "/images/convert/status")["running"], 60)


def _call(stack: Stack, method: str, path: str, body: Any = None) -> Any:
    """Return the body of a response, which must be a success."""
    status, answer = stack.call(method, path, body)
    assert status in (200, 201, 202), answer
    return answer


def _send_image(stack: Stack, path: str, *, width: int = 400) -> int:
    """Send an image to the ImageConverter API; returns the status."""
    head = b'--b\r\nContent-Disposition: form-data; name="sourceImage"; filename="a.jpg"\r\n\r\n'
    data = head + image_files.jpeg(size=(width, 300)) + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    url = f"http://127.0.0.1:{stack.port}/imageconverter/{path}"
    return stack.request(urllib.request.Request(url, data=data, headers=headers))[0]


def _as_administrator(stack: Stack, path: str) -> int:
    credentials = base64.b64encode(f"admin:{ADMIN_PASSWORD}".encode()).decode()
    url = f"http://127.0.0.1:{stack.port}/imageconverter/{path}"
    return stack.request(urllib.request.Request(url, headers={"Authorization": f"Basic {credentials}"}))[0]


@contextmanager
def _stopped(stack: Stack, word: str) -> Iterator[None]:
    """Stop the role or the program *word* during the block."""
    commands = {pid: command.split() for pid, command in stack.processes().items()}
    pids = [pid for pid, command in commands.items() if command[-1] == word or command[0].endswith(word)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _log_has(stack: Stack, event: str) -> bool:
    return event in (stack.folder / "up.log").read_text()
