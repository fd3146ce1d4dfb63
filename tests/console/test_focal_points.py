"""The dialog for the focal point of a source."""

import io
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from tests.conftest import ADMIN
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.testing.runs import Client, get

pytestmark = pytest.mark.usefixtures("worker", "no_run")


@pytest.fixture
async def directory(gateway: Client) -> str:
    """A directory with one image, twice as wide as high: its left half is red."""
    directory = f"focal {uuid4().hex[:8]}"
    image = Image.new("RGB", (400, 200), "#00ff00")
    image.paste("#ff0000", (0, 0, 200, 200))
    image.save(data := io.BytesIO(), "PNG")
    async with gateway.put(f"/images/sources/{directory}/a.png", data=data.getvalue(), headers=ADMIN) as response:
        assert response.status == 200
    return directory


async def opened(page: Page, button: str = "Focal point") -> Locator:
    """Open the dialog of the image; returns it with its image loaded."""
    await page.get_by_role("option").first.click()
    await page.get_by_role("complementary").get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".images-point img")).to_have_js_property("naturalWidth", 400)
    return dialog


async def point(gateway: Client, directory: str) -> Any:
    """Return the focal point of the image."""
    status, body = await get(gateway, f"/images/focal-points/{directory}/a.png")
    return body if status == 200 else None


async def shown(crop: Locator) -> str:
    """Return which part of the image a crop shows."""
    return str(await crop.evaluate("each => getComputedStyle(each).objectPosition"))


async def test_it_is_set_by_a_click_and_removed(visit: Visit, gateway: Client, directory: str) -> None:
    """The crops in the dialog follow it."""
    page = await visit(f"/console/images?directory={directory}")
    dialog = await opened(page)
    drawn = dialog.locator(".images-point img")
    box = await drawn.bounding_box()
    assert box is not None
    assert await shown(dialog.locator(".images-crop-square")) == "50% 50%"
    await drawn.click(position={"x": box["width"] * 0.1, "y": box["height"] * 0.5})
    assert await shown(dialog.locator(".images-crop-square")) == "0% 50%"
    await dialog.get_by_role("button", name="Save").click()
    await page.get_by_text("The focal point is set.").wait_for()
    found = await point(gateway, directory)
    assert (found["x"], found["y"]) == pytest.approx((0.1, 0.5), abs=0.02)

    dialog = await opened(page)
    await expect(dialog.get_by_label("From the left")).to_have_value("10")
    await dialog.get_by_role("button", name="Remove").click()
    await page.get_by_text("The focal point is removed.").wait_for()
    assert await point(gateway, directory) is None


async def test_it_is_set_by_the_keyboard(visit: Visit, gateway: Client, directory: str) -> None:
    """In steps of a percent; Escape changes nothing."""
    page = await visit(f"/console/images?directory={directory}", language="de")
    dialog = await opened(page, "Fokuspunkt")
    await expect(dialog.get_by_label("Von links")).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Home")
    await page.keyboard.press("Escape")
    assert await point(gateway, directory) is None

    dialog = await opened(page, "Fokuspunkt")
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await page.get_by_text("Der Fokuspunkt ist gesetzt.").wait_for()
    assert await point(gateway, directory) == {"x": 0.99, "y": 0}


@pytest.mark.parametrize("width", [390, 1280])
async def test_everybody_can_use_the_dialog(visit: Visit, directory: str, width: int) -> None:
    """On a telephone as well."""
    page = await visit(f"/console/images?directory={directory}", width=width)
    await opened(page)

    assert await violations(page) == []
    assert await overflow(page) == []
