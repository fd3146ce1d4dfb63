"""Uploads on the page of images."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Page, Route, expect

from imageconverter.resources import Resources
from imageconverter.settings import MEGABYTE
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.console.test_images import entry, put, sources_in
from tests.testing import image_files
from tests.testing.runs import Client

pytestmark = pytest.mark.usefixtures("worker")

# Makes a drop of files in directories, as browsers do.
DROP = """async (files) => {
  const transfer = new DataTransfer();
  for (const [name, size] of files) transfer.items.add(new File([new Uint8Array(size)], name));
  const options = {dataTransfer: transfer, bubbles: true, cancelable: true};
  const page = document.getElementById("images");
  for (const type of ["dragover", "drop"]) page.dispatchEvent(new DragEvent(type, options));
}"""


@pytest.fixture
def directory() -> str:
    """A directory that no other test uses."""
    return f"uploads {uuid4().hex[:8]}"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of images, one of them broken."""
    for name in ("a.png", "<b>&.png", "ü 100%.png"):
        (tmp_path / name).write_bytes(image_files.png())
    (tmp_path / "broken.png").write_bytes(b"this is no image")
    return tmp_path


async def choose(page: Page, *paths: Path, button: str = "Upload") -> None:
    """Choose files to upload."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name=button, exact=True).click()
    await (await chooser.value).set_files(list(paths))


@pytest.mark.parametrize(("language", "button", "text"), [
    ("en", "Upload", "3 images uploaded."), ("de", "Hochladen", "3 Bilder hochgeladen."),
])  # fmt: skip
async def test_chosen_images_are_uploaded(
    visit: Visit, gateway: Client, directory: str, files: Path, language: str, button: str, text: str
) -> None:
    """Into the directory that is shown, and are shown."""
    page = await visit(f"/console/images?directory={directory}", language=language)
    await choose(page, files / "a.png", files / "<b>&.png", files / "ü 100%.png", button=button)
    await page.get_by_text(text).wait_for()
    await entry(page, "ü 100%.png").wait_for()
    assert await sources_in(gateway, directory) == ["<b>&.png", "a.png", "ü 100%.png"]


async def test_a_folder_is_uploaded_with_its_directories(
    visit: Visit, gateway: Client, directory: str, tmp_path: Path
) -> None:
    """As it is chosen."""
    (tmp_path / "shop" / "below").mkdir(parents=True)
    for name in ("a.png", "below/b.png"):
        (tmp_path / "shop" / name).write_bytes(image_files.png())
    page = await visit(f"/console/images?directory={directory}")
    await choose(page, tmp_path / "shop", button="Upload a folder")
    await page.get_by_text("2 images uploaded.").wait_for()
    assert await sources_in(gateway, directory) == ["shop/a.png", "shop/below/b.png"]


async def test_each_error_is_shown_beside_its_file(
    visit: Visit, gateway: Client, directory: str, files: Path
) -> None:
    """What is no image, and what is there already, which can be replaced; the others are stored."""
    await put(gateway, directory, "a.png", data=image_files.png(size=(5, 5)))
    page = await visit(f"/console/images?directory={directory}")
    await choose(page, files / "a.png", files / "broken.png", files / "<b>&.png")
    uploads = page.get_by_role("region", name="Uploads")
    await uploads.get_by_text("1 of 3 uploaded · 2 failed").wait_for()
    await uploads.get_by_text("The file is not of a supported image format.").wait_for()
    assert await violations(page) == []
    assert await overflow(page) == []

    await uploads.get_by_role("button", name="Replace").click()
    await uploads.get_by_text("2 of 3 uploaded · 1 failed").wait_for()
    await uploads.get_by_role("button", name="Close").click()
    await entry(page, "a.png").click()
    await expect(page.get_by_role("complementary")).not_to_contain_text("5 \N{MULTIPLICATION SIGN} 5")
    assert await sources_in(gateway, directory) == ["<b>&.png", "a.png"]


async def test_an_upload_continues_when_the_server_is_back(
    visit: Visit, gateway: Client, directory: str, files: Path
) -> None:
    """Nothing is stored twice, and nothing is lost."""
    page = await visit(f"/console/images?directory={directory}")
    failures = 2

    async def interrupt(route: Route) -> None:
        nonlocal failures
        if route.request.method == "PUT" and failures > 0:
            failures -= 1
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route("**/sources/**", interrupt)
    await choose(page, files / "a.png")
    await page.get_by_text("Waiting for the server").wait_for()
    await page.get_by_text("1 image uploaded.").wait_for()
    assert await sources_in(gateway, directory) == ["a.png"]


async def test_an_upload_whose_response_is_lost_is_stored_once(
    visit: Visit, gateway: Client, directory: str, files: Path
) -> None:
    """And is not taken for an image that was there before."""
    page = await visit(f"/console/images?directory={directory}")
    interrupted = False

    async def lose(route: Route) -> None:
        nonlocal interrupted
        if route.request.method == "PUT" and not interrupted:
            interrupted = True
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route("**/sources/**", lose)
    await choose(page, files / "a.png")
    await page.get_by_text("1 image uploaded.").wait_for()
    assert await sources_in(gateway, directory) == ["a.png"]


async def test_a_file_that_is_too_large_is_not_sent(visit: Visit, directory: str) -> None:
    """The browser knows its size."""
    page = await visit(f"/console/images?directory={directory}")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.method))
    await page.evaluate(DROP, [["empty.png", 0], ["large.png", 65 * MEGABYTE]])
    await page.get_by_text("The file is empty.").wait_for()
    await page.get_by_text("The image has more than 67.1 MB.").wait_for()
    assert "PUT" not in requests


async def test_ten_thousand_files_can_be_dropped_at_once(visit: Visit, resources: Resources, directory: str) -> None:
    """The page shows some of them, responds meanwhile, and stops when that is requested."""
    page = await visit(f"/console/images?directory={directory}")
    await page.evaluate(DROP, [[f"{number:05}.png", 8] for number in range(10_000)])
    uploads = page.get_by_role("region", name="Uploads")
    await uploads.get_by_text("of 10,000 uploaded").wait_for()
    await asyncio.sleep(0.5)
    await uploads.get_by_role("button", name="Cancel").click()
    await uploads.get_by_role("button", name="Close").wait_for()
    assert await uploads.get_by_role("listitem").count() <= 100
    assert [stored async for page_ in resources.store.list(f"source/{directory}/") for stored in page_] == []
