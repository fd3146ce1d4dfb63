"""Runs over an image format that gets variants later: they are added, and nothing else is touched."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.images import directories
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.images.output_index import OutputIndex
from imageconverter.images.variants import belongs_to, variant_keys
from imageconverter.resources import Resources
from services.gateway.app import create_app
from tests.conftest import MakeSettings
from tests.testing import drawings, image_files
from tests.testing.runs import finished, put_sources, start

pytestmark = pytest.mark.usefixtures("no_run", "worker")

NAMES = [f"{number:02}.jpg" for number in range(18)]
VARIANTS = 'variants = ["avif", "webp"]\n'


def formats(directory: str) -> str:
    """Return a formats file without variants."""
    return f"""
[[format]]
id = "later"
name = "later"
type = "product"
targetDirectory = "{directory}"
maxWidth = 160
maxHeight = 160
output = "jpeg"
"""


async def indexed(resources: Resources, directory: str, record: str) -> None:
    """Wait until the output index has all outputs, with *record* in what it has of them."""
    async with asyncio.timeout(20):
        while True:
            found = await OutputIndex(resources.store).find(directory, NAMES)
            if len(found) == len(NAMES) and all(record in each.fingerprint for each in found.values()):
                return
            await asyncio.sleep(0.05)


async def test_a_run_adds_variants_to_what_is_there(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """The run after it skips everything by the index; a type that the format loses costs nothing."""
    directory, file = f"later {uuid4().hex}", tmp_path / "formats.toml"
    file.write_text(formats(directory))
    current = CurrentFormats(file)
    photos = {name: image_files.jpeg(image=drawings.photo(seed=number)) for number, name in enumerate(NAMES)}
    sources = await put_sources(resources, photos)

    async def outputs() -> dict[str, str]:
        pages = directories.files(resources.store, "target", directory)
        return {each.key: each.etag async for page in pages for each in page}

    counters, seen = [], []
    async with TestClient(TestServer(create_app(make_settings(), replace(resources, formats=current)))) as client:
        for options, record in (("", ""), (VARIANTS, "avif="), (VARIANTS, "avif="), ('variants = ["webp"]\n', "")):
            file.write_text(formats(directory) + options)
            current.refresh(at_once=True)
            await start(client, sources, "content.imageFormat.later")
            counters.append((await finished(client))["counter"])
            await indexed(resources, directory, record)
            seen.append(await outputs())

    assert [(each["success"], each["skipped"]) for each in counters] == [(18, 0), (18, 0), (0, 18), (0, 18)]
    assert len(seen[0]) == 18
    assert seen == [seen[0]] * 4
    output = await resources.store.head(keys.target(f"{directory}/{NAMES[0]}"))
    assert output is not None
    variants = [await resources.store.head(key) for key in variant_keys(output).values()]
    assert variants
    assert all(each is not None and belongs_to(each, output) for each in variants)
    await directories.remove(resources.store, "target", directory)
    await directories.remove(resources.store, "source", sources)
