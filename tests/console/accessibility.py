"""What axe-core finds in a page that people with disabilities could not use."""

import asyncio

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page


async def violations(page: Page, *, within: str | None = None) -> list[str]:
    """Return the rules that *page*, or only the element *within*, violates, each with the elements concerned."""
    found = await Axe().run(page, context=within)
    return [
        f"{rule['id']}: {[node['html'][:200] for node in rule['nodes']]}" for rule in found.response["violations"]
    ]


async def until(page: Page, script: str, argument: object = None, *, seconds: float = 60) -> None:
    """Wait until *script*, a function, is true. Playwright's own wait evaluates text, which the policy forbids."""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(script, argument):
            await asyncio.sleep(0.05)


async def overflow(page: Page) -> list[str]:
    """Return the elements that are wider than the window, so that a page would scroll sideways."""
    found: list[str] = await page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
          [...document.querySelectorAll("main *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5).map((each) => each.outerHTML.slice(0, 200))"""
    )
    return found
