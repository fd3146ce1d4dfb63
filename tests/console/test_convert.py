"""The page *Convert*, from a dropped image to a downloaded one."""

import io
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image
from playwright.async_api import FileChooser, Page, Request, expect

from tests.console.accessibility import overflow, until, violations
from tests.console.conftest import Visit
from tests.console.convert_page import drop, ended, folder_of_photographs
from tests.testing import image_files

pytestmark = pytest.mark.usefixtures("worker")

# What a reader of each language sees.
WORDS = {
    "en": ("Drop images or folders here", "Download all 3 as ZIP", "Download: "),
    "de": ("Bilder oder Ordner hier ablegen", "Alle 3 als ZIP herunterladen", "Herunterladen: "),
}


@pytest.mark.parametrize("language", WORDS)
async def test_a_dropped_image_comes_back_in_all_formats(visit: Visit, language: str, tmp_path: Path) -> None:
    """Without a single choice: three formats are chosen, and each output can be downloaded, or all of them."""
    title, all_as_zip, save = WORDS[language]
    page = await visit(language=language)
    await expect(page.get_by_text(title)).to_be_visible()
    await drop(page, {"chair.jpg": image_files.jpeg((1200, 900))})
    await ended(page, 1)

    row = page.locator(".row")
    assert await row.locator(".tile-name").all_text_contents() == [
        "Original", "normal product", "thumbnail product", "large product",
    ]  # fmt: skip
    facts = await row.locator(".tile-facts").nth(1).inner_text()
    assert "800 \u00d7 600" in facts
    assert "JPEG" in facts

    async with page.expect_download() as downloading:
        await row.get_by_role("link", name=f"{save}thumbnail product: chair.jpg").click()
    file = tmp_path / "downloaded"
    await (await downloading.value).save_as(file)
    assert (await downloading.value).suggested_filename == "chair.jpg"
    with Image.open(file) as opened:
        assert opened.size == (200, 150)

    archive = await downloaded_archive(page, all_as_zip, tmp_path)
    assert sorted(archive.namelist()) == [f"products/{name}/chair.jpg" for name in ("large", "normal", "thumbnail")]
    assert Image.open(io.BytesIO(archive.read("products/normal/chair.jpg"))).size == (800, 600)


async def downloaded_archive(page: Page, button: str, folder: Path) -> ZipFile:
    """Click *button*; returns the archive that the browser has written to its disk."""
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name=button).click()
    download = await downloading.value
    file = folder / "images.zip"
    await download.save_as(file)
    return ZipFile(file)


async def test_a_folder_is_converted_with_all_that_is_in_it(visit: Visit, tmp_path: Path) -> None:
    """Images of one name in two directories do not replace each other, and what systems leave there is ignored."""
    photographs = {
        "a/chair.png": image_files.png((60, 40)),
        "b/chair.png": image_files.png((40, 60)),
        ".DS_Store": b"\0\0\0\1Bud1",
    }
    page = await visit()
    await page.set_input_files("[data-folder]", folder_of_photographs(tmp_path / "photos", photographs))
    await ended(page, 2)

    assert await page.locator(".row h3").all_text_contents() == ["photos/a/chair.png", "photos/b/chair.png"]
    await expect(page.get_by_text("Stored as chair-2.png")).to_be_visible()
    assert "60 \u00d7 40" in await page.locator(".row").first.locator(".tile-facts").nth(1).inner_text()
    assert "40 \u00d7 60" in await page.locator(".row").last.locator(".tile-facts").nth(1).inner_text()


async def test_a_dropped_folder_is_read_to_its_last_directory(visit: Visit, tmp_path: Path) -> None:
    """As an operating system drops it, with more files than browsers list at once."""
    photographs = {f"shop/summer/{number}.png": image_files.png((8, 8)) for number in range(120)}
    folder = folder_of_photographs(tmp_path / "drop", {**photographs, "shop/front.png": image_files.png((8, 8))})
    page = await visit()
    devtools = await page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(folder / "shop")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 500, "y": 300, "data": data})
    await expect(page.get_by_text("121 images done", exact=True)).to_be_visible(timeout=90_000)

    names = await page.locator(".row h3").all_text_contents()
    assert len(names) == 24
    assert all(name.startswith("shop/") for name in names)
    await expect(page.get_by_text("1 to 24 of 121")).to_be_visible()


async def test_an_image_can_be_pasted(visit: Visit) -> None:
    """Browsers call each of them `image.png`; here they get names of their own."""
    page = await visit()
    paste = """(data) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(data)], "image.png", { type: "image/png" }));
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
    }"""
    await page.evaluate(paste, list(image_files.png()))
    await ended(page, 1)
    assert (await page.locator(".row h3").inner_text()).startswith("pasted-20")


async def test_the_choice_of_formats_is_remembered(visit: Visit) -> None:
    """And a format that is chosen afterwards is added to the images that are there."""
    page = await visit()
    for name in ("normal product", "large product"):
        await page.get_by_label(name).uncheck()
    await page.reload()
    assert await page.locator("label:has(:checked) .format-name").all_text_contents() == ["thumbnail product"]
    await drop(page, {"table.png": image_files.png()})
    await ended(page, 1)
    assert await page.locator(".tile").count() == 2

    await page.get_by_role("checkbox", name="app up to").check()
    await page.get_by_role("button", name="Make the added formats").click()
    await expect(page.locator(".tile-name")).to_have_text(["Original", "thumbnail product", "app"])


async def test_addresses_and_code_can_be_copied(visit: Visit) -> None:
    """With what a page needs to embed the outputs."""
    page = await visit()
    await drop(page, {"a & b.jpg": image_files.jpeg((1000, 500))})
    await ended(page, 1)
    base = f"{page.url.split('/console')[0]}/content/products"

    async def copied(menu: str, item: str) -> str:
        await page.locator(f"summary[aria-label^='{menu}']").click()
        await page.get_by_role("button", name=item, exact=True).click()
        return str(await page.evaluate("navigator.clipboard.readText()"))

    assert await copied("Copy: thumbnail product", "Copy address") == f"{base}/thumbnail/a%20%26%20b.jpg"
    assert await copied("Copy code", "Copy srcset") == ", ".join(
        f"{base}/{name}/a%20%26%20b.jpg {width}w"
        for name, width in (("thumbnail", 200), ("normal", 800), ("large", 1000))
    )
    tag = await copied("Copy code", "Copy <img> with srcset")
    assert tag.startswith(f'<img src="{base}/large/a%20%26%20b.jpg" srcset="')
    assert tag.endswith(' sizes="100vw" width="1000" height="500" alt="">')


@pytest.mark.parametrize("name", ["photo.jpg", "scan.tiff"])
async def test_the_original_and_an_output_are_compared(visit: Visit, name: str) -> None:
    """With the slider by keyboard, at several scales; of what the browser cannot show there is a preview."""
    page = await visit()
    await drop(page, {name: image_files.jpeg((900, 600)) if name == "photo.jpg" else image_files.tiff((900, 600))})
    await ended(page, 1)
    await page.get_by_role("button", name="Compare with the original: normal product").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("img").first.wait_for()
    slider = dialog.get_by_role("slider")
    await expect(slider).to_be_focused()
    shown = "() => getComputedStyle(document.querySelector('.compare-before')).clipPath"
    before = await page.evaluate(shown)
    await page.keyboard.press("ArrowLeft")
    assert await page.evaluate(shown) != before

    await until(page, "() => [...document.querySelectorAll('.compare img')].every((each) => each.naturalWidth > 0)")
    preview = dialog.get_by_text("The browser cannot show this type")
    await expect(preview).to_be_visible(visible=name == "scan.tiff")
    await dialog.get_by_role("button", name="200%").click()
    width = await page.locator(".compare-after").evaluate("(each) => each.getBoundingClientRect().width")
    assert width == pytest.approx(1600)
    await dialog.get_by_role("button", name="Side by side").click()
    await expect(slider).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "de")])
async def test_everybody_can_use_the_page(visit: Visit, width: int, theme: str, language: str) -> None:
    """At each width, in both themes and languages: empty, with results and errors, and with the comparison."""
    page = await visit(width=width, theme=theme, language=language)
    assert await violations(page) == []
    await drop(
        page,
        {"chair.jpg": image_files.jpeg((900, 600)), "كرسي " * 20 + ".png": image_files.png(), "a.pdf": b"%PDF-1.7"},
    )
    await ended(page, 3)
    assert await violations(page) == []
    assert await overflow(page) == []
    for menu in await page.locator(".row summary").all():
        await menu.click()
        items = await menu.locator("xpath=following-sibling::*").bounding_box()
        assert items is not None
        assert items["x"] >= 0
        assert items["x"] + items["width"] <= width
        await menu.click()
    await page.locator("button.tile-image").first.click()
    await page.get_by_role("dialog").locator("img").first.wait_for()
    assert await violations(page) == []
    assert await overflow(page) == []


async def test_an_image_is_converted_by_keyboard_only(visit: Visit) -> None:
    """The first stop in the content is the choice of files; Enter opens the one of the system."""
    page = await visit()

    async def choose(chooser: FileChooser) -> None:
        await chooser.set_files({"name": "k.png", "mimeType": "image/png", "buffer": image_files.png()})

    page.on("filechooser", choose)
    await page.locator("main").focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Choose images")).to_be_focused()
    await page.keyboard.press("Enter")
    await ended(page, 1)
    await page.get_by_role("button", name="Compare with the original: thumbnail product").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("slider")).to_be_focused()


async def test_the_first_page_is_small(visit: Visit) -> None:
    """At most 8 requests and 120 kB as they are transferred; what few people need is loaded when they do."""
    page = await visit("about:blank")
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)

    page.on("requestfinished", note)
    await page.goto("/console/", wait_until="networkidle")
    sizes = [await each.sizes() for each in requests if not each.url.startswith("data:")]

    assert 1 < len(sizes) <= 8
    assert sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes) <= 120_000


async def test_two_tabs_do_not_disturb_each_other(visit: Visit) -> None:
    """Each has its own list, and both convert at once."""
    first = await visit()
    second = await first.context.new_page()
    await second.goto("/console/")
    for page, name in ((first, "one.png"), (second, "two.png")):
        await drop(page, {name: image_files.png()})
    for page, name in ((first, "one.png"), (second, "two.png")):
        await ended(page, 1)
        assert await page.locator(".row h3").all_text_contents() == [name]
