"""Automatic conversion where there are several subshops."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imageconverter import keys
from imageconverter.images.current_formats import CurrentFormats
from tests.automatic.conftest import Shop

pytestmark = pytest.mark.usefixtures("worker")


async def test_a_source_is_converted_for_all_subshops(
    shop: Shop, image: Callable[[int], bytes], tmp_path: Path
) -> None:
    """By one run, in the automatic formats of each."""
    file = tmp_path / "subshops.toml"
    prefix = f"outdoor-{shop.directory}"
    file.write_text(
        '[[subshop]]\nid = "main"\nname = "Main"\n\n[[subshop]]\nid = "sale"\nname = "Sale"\n\n'
        f'[[subshop]]\nid = "outdoor"\nname = "Outdoor"\ntargetPrefix = "{prefix}"\n'
    )
    formats = CurrentFormats(shop.resources.formats.path, file)
    both = Shop(replace(shop.resources, formats=formats), shop.client, shop.directory)
    store = shop.resources.store
    await store.put(keys.source(f"{shop.directory}/a.png"), image(1), content_type="image/png")
    await both.scan()

    outputs = [f"{each}{shop.directory}/small/a.png" for each in ("", f"{prefix}/")]
    assert [await store.head(keys.target(path)) is not None for path in outputs] == [True, True]
    (run,) = await both.runs()
    assert (run.sources.success, run.outputs.success) == (1, 2)

    await both.scan()
    assert len(await both.runs()) == 1
