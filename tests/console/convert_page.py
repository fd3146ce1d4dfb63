"""What tests do on the page *Convert*."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Page

from tests.console.accessibility import until

DROP = """(files) => {
  const transfer = new DataTransfer();
  for (const [name, data] of files) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  for (const type of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector(".drop").dispatchEvent(event);
  }
}"""


async def drop(page: Page, files: Mapping[str, bytes]) -> None:
    """Drop *files*, by name, on the page."""
    await page.evaluate(DROP, [[name, base64.b64encode(data).decode()] for name, data in files.items()])


async def ended(page: Page, count: int) -> None:
    """Wait until *count* images of the list, on its first page, have ended."""
    await until(
        page,
        "(count) => ['.row', '.row.ended'].every((each) => document.querySelectorAll(each).length === count)",
        count,
    )


async def module(page: Page, name: str) -> str:
    """Return the address of a script of the console, for `import()`."""
    address = await page.locator("script[src$='console.js']").get_attribute("src") or ""
    return re.sub(r"console\.js$", name, address)


def folder_of_photographs(folder: Path, photographs: Mapping[str, bytes]) -> Path:
    """Write *photographs* into *folder*, by their paths in it."""
    for name, data in photographs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
