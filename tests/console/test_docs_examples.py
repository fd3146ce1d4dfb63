"""The examples of the API documentation, each run as it is copied, against a whole stack."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, make_mocked_request
from PIL import Image

from services.gateway.console.docs_examples import DEFAULT_ORIGIN, LANGUAGES, SNIPPETS, TASKS, origin
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.testing import image_files
from tests.testing.running_stack import Stack, running_stack

pytestmark = pytest.mark.stack

_INTERPRETERS = {"sh": "sh", "py": sys.executable, "mjs": "node", "php": "php"}
_PROGRAMS = {"sh": "curl", "mjs": "node", "php": "php"}
# What each task must print, and the images that it must write with their sizes.
_PRINTS = {
    "login": "content.imageFormat.normalProduct",
    "convert": "success",
    "run": "products/photo.jpg",
    "srcset": "products/thumbnail/photo.jpg 200w",
    "report": "chair.jpg",
    "previews": "",
}
_WRITES = {
    "convert": {"normal.jpg": (800, 600), "thumbnail.jpg": (200, 150)},
    "previews": {"preview.jpg": (200, 150)},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole stack, as `make run` starts it."""
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


def test_there_is_an_example_of_each_task_in_each_language() -> None:
    """And no other file."""
    assert {path.name for path in SNIPPETS.iterdir() if path.is_file()} == {
        f"{task}.{suffix}" for task in TASKS for suffix in LANGUAGES.values()
    }


@pytest.mark.parametrize("suffix", LANGUAGES.values())
@pytest.mark.parametrize("task", TASKS)
async def test_an_example_works(stack: Stack, tmp_path: Path, task: str, suffix: str) -> None:
    """Beside photo.jpg, with the key in KEY."""
    if shutil.which(_PROGRAMS.get(suffix, "")) is None and suffix in _PROGRAMS:
        pytest.skip(f"{_PROGRAMS[suffix]} is not installed")
    code = (SNIPPETS / f"{task}.{suffix}").read_text(encoding="utf-8")
    script = tmp_path / f"example.{suffix}"
    script.write_text(code.replace(DEFAULT_ORIGIN, f"http://127.0.0.1:{stack.port}"), encoding="utf-8")
    (tmp_path / "photo.jpg").write_bytes(image_files.jpeg(size=(800, 600)))
    process = await asyncio.create_subprocess_exec(
        *([_INTERPRETERS[suffix], "-e"] if suffix == "sh" else [_INTERPRETERS[suffix]]),
        script,
        cwd=tmp_path,
        env={**os.environ, "KEY": stack.api_key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()

    assert process.returncode == 0, printed.decode()
    assert _PRINTS[task] in printed.decode()
    assert not any(word in printed for word in (b"Warning", b"Error"))
    for name, size in _WRITES.get(task, {}).items():
        with Image.open(tmp_path / name) as image:
            assert image.size == size


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_examples_can_be_read_by_everybody(visit: Visit, language: str, theme: str, width: int) -> None:
    """At each width, in both themes and languages."""
    page = await visit("/docs/examples", width=width, theme=theme, language=language, key=None)
    assert await violations(page) == []
    assert await overflow(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_example_is_copied_with_the_address_of_the_server(
    visit: Visit, gateway: TestClient[Any, Any], language: str
) -> None:
    """As it is in its file otherwise."""
    page = await visit("/docs/examples")
    await page.get_by_role("navigation", name="Programming language").get_by_text(language, exact=False).first.click()
    await page.get_by_role("region", name="Convert an image").get_by_role("button", name="Copy").click()
    await page.get_by_text("Copied").wait_for()

    file = (SNIPPETS / f"convert.{LANGUAGES[language]}").read_text(encoding="utf-8")
    expected = file.replace(DEFAULT_ORIGIN, str(gateway.make_url("/")).rstrip("/"))
    assert await page.evaluate("navigator.clipboard.readText()") == expected


@pytest.mark.parametrize(
    ("proxies", "headers", "expected"),
    [
        (0, {"Host": "shop.example"}, "http://shop.example"),
        (0, {"Host": "shop.example:8005"}, "http://shop.example:8005"),
        (0, {"Host": "[::1]:8005"}, "http://[::1]:8005"),
        (0, {"Host": "a.example", "X-Forwarded-Host": "b.example", "X-Forwarded-Proto": "https"}, "http://a.example"),
        (1, {"Host": "a.example", "X-Forwarded-Proto": "https"}, "https://a.example"),
        (1, {"Host": "a", "X-Forwarded-Host": "c, b.example", "X-Forwarded-Proto": "https"}, "https://b.example"),
        (2, {"Host": "a", "X-Forwarded-Host": "d, b.example, c"}, "http://b.example"),
        (2, {"Host": "a", "X-Forwarded-Host": "b.example"}, "http://b.example"),
        (0, {"Host": "a$(reboot)"}, DEFAULT_ORIGIN),
        (1, {"Host": "a", "X-Forwarded-Host": "b';reboot;'"}, DEFAULT_ORIGIN),
        (1, {"Host": "a", "X-Forwarded-Host": "<script>"}, DEFAULT_ORIGIN),
    ],
)
def test_the_address_is_the_one_that_the_reader_uses(proxies: int, headers: dict[str, str], expected: str) -> None:
    """Behind trusted proxies theirs; never anything that a shell would run."""
    assert origin(make_mocked_request("GET", "/docs/examples", headers), proxies) == expected


async def test_an_unknown_language_is_a_page_that_does_not_exist(gateway: TestClient[Any, Any]) -> None:
    """As everywhere in the console."""
    response = await gateway.get("/docs/examples/cobol")
    assert response.status == 404
    assert response.content_type == "text/html"
