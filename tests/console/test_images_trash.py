"""The page of the trash."""

from urllib.parse import quote
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.conftest import ADMIN
from tests.console.accessibility import overflow, until, violations
from tests.console.conftest import Visit
from tests.console.test_images import HOSTILE, put, sources_in
from tests.testing import image_files
from tests.testing.runs import Client

pytestmark = pytest.mark.usefixtures("worker")

TRASH = "/console/images/trash"


@pytest.fixture
def directory() -> str:
    """A directory that no other test uses."""
    return f"trash {uuid4().hex[:8]}"


async def deleted(gateway: Client, directory: str, *names: str) -> None:
    """Store sources and delete them."""
    await put(gateway, directory, *names)
    for name in names:
        async with gateway.delete(f"/images/sources/{directory}/{quote(name)}", headers=ADMIN) as response:
            assert response.status == 200


async def test_sources_are_restored(visit: Visit, gateway: Client, directory: str) -> None:
    """Those that are selected; what has the place of one meanwhile stays, and the reason is shown."""
    await deleted(gateway, directory, "a.png", "b.png", "c.png")
    await put(gateway, directory, "b.png", data=image_files.png(size=(5, 5)))
    page = await visit(TRASH)
    for name in ("a.png", "b.png"):
        await page.get_by_label(f"{directory}/{name}").check()
    await page.get_by_text("2 selected").wait_for()
    await page.get_by_role("button", name="Restore").click()

    await page.get_by_text("1 restored.").wait_for()
    await page.get_by_text("b.png: There is a file of that name.").wait_for()
    await expect(page.get_by_label(f"{directory}/a.png")).to_have_count(0)
    await expect(page.get_by_label(f"{directory}/b.png")).to_have_count(1)
    assert await sources_in(gateway, directory) == ["a.png", "b.png"]


async def test_sources_are_deleted_permanently_after_a_question(
    visit: Visit, gateway: Client, directory: str
) -> None:
    """In German: those that are selected, then all."""
    await deleted(gateway, directory, "a.png", *HOSTILE)
    page = await visit(TRASH, language="de")
    for name in ("a.png", HOSTILE[0]):
        await page.get_by_label(f"{directory}/{name}", exact=True).check()
    await page.get_by_role("button", name="Endgültig löschen").click()
    await page.get_by_role("dialog").get_by_role("button", name="Abbrechen").click()
    await expect(page.get_by_label(f"{directory}/a.png")).to_have_count(1)
    await page.get_by_role("button", name="Endgültig löschen").click()
    await page.get_by_role("dialog").get_by_role("button", name="Löschen").click()
    await expect(page.get_by_label(f"{directory}/a.png")).to_have_count(0)

    await page.get_by_role("button", name="Papierkorb leeren").click()
    await page.get_by_role("dialog").get_by_role("button", name="Leeren").click()
    await page.get_by_text("Der Papierkorb ist leer").wait_for()
    assert await violations(page) == []


async def test_a_long_trash_has_pages(visit: Visit, gateway: Client, directory: str) -> None:
    """Of a hundred sources."""
    await deleted(gateway, directory, *(f"{number:03}.png" for number in range(101)))
    page = await visit(TRASH)
    await expect(page.get_by_role("row")).to_have_count(101)
    await page.get_by_role("link", name="Next page").click()
    await page.get_by_label(f"{directory}/000.png").wait_for()
    await page.get_by_role("link", name="First page").click()
    await page.get_by_label(f"{directory}/100.png").wait_for()
    await until(page, "() => document.querySelector('img.thumbnail[src]')?.naturalWidth > 0")


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "de")])
async def test_the_trash_can_be_used_by_everybody(
    visit: Visit, gateway: Client, directory: str, width: int, theme: str, language: str
) -> None:
    """At each width, in both themes and languages."""
    await deleted(gateway, directory, *HOSTILE)
    page = await visit(TRASH, width=width, theme=theme, language=language)
    assert await violations(page) == []
    assert await overflow(page) == []
