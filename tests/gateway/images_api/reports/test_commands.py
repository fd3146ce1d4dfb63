"""`imageconverter catalog` and `imageconverter report`, run as a user does."""

import asyncio
import gzip
from pathlib import Path

import pytest

from tests.testing import image_files
from tests.testing.commands import Finished, address, run
from tests.testing.shop_client import NORMAL, Shop

CSV = "id,active,images\n4711,true,chair.png|table.png\n"


async def command(shop: Shop, *arguments: str | Path) -> Finished:
    """Run a command against the shop's gateway."""
    return await run(*arguments, "--server", address(shop.client))


async def test_a_catalog_is_imported_from_a_file(shop: Shop, tmp_path: Path) -> None:
    """CSV by its extension, also compressed."""
    plain, packed = tmp_path / "shop.csv", tmp_path / "shop.csv.gz"
    plain.write_text(CSV)
    packed.write_bytes(gzip.compress(CSV.encode()))

    for file in (plain, packed):
        done = await command(shop, "catalog", "import", file)
        assert done == (0, "products: entries 1, images 2\n", "")


async def test_an_invalid_catalog_reports_the_line(shop: Shop, tmp_path: Path) -> None:
    """The error is one line, and the previous catalog stays current."""
    file = tmp_path / "shop.ndjson"
    file.write_text('{"id": "1", "active": true, "images": []}\n{"id": "2"}\n')

    done = await command(shop, "catalog", "import", file)
    assert done.status == 2
    assert "Line 2, active: is missing." in done.err

    absent = await command(shop, "catalog", "import", tmp_path / "nothing")
    assert (absent.status, absent.out) == (2, "")
    assert "there is no such file" in absent.err


@pytest.mark.slow
async def test_the_report_commands_work_together(shop: Shop, tmp_path: Path) -> None:
    """Import, report, clean, restore and repair."""
    assert "there is no report on products yet" in (await command(shop, "report", "show")).out
    nothing = await command(shop, "report", "run")
    assert (nothing.status, "There is no catalog" in nothing.err) == (1, True)

    file = tmp_path / "shop.csv"
    file.write_text(CSV)
    await command(shop, "catalog", "import", file)
    await shop.put_everywhere("chair.png")
    await shop.put(f"{NORMAL}/old.png")
    await shop.resources.store.put("source/new/table.png", image_files.png(), content_type="image/png")
    first = await command(shop, "report", "run")
    assert first.status == 0, first
    assert f"  {NORMAL}/table.png\n" in first.out
    assert f"unused    1, 0.0 MiB\n  {NORMAL}/old.png\n" in first.out

    cleaned = await command(shop, "report", "clean")
    assert (cleaned.status, "No report is at least" in cleaned.out) == (0, True)
    await asyncio.sleep(0.01)
    await command(shop, "report", "run")
    plan = await command(shop, "report", "clean")
    assert plan.status == 0
    assert plan.out.startswith("to be moved: 1 file, ")
    done = await command(shop, "report", "clean", "--yes", "--share", "0.9")
    trash = done.out.split()[-1]
    assert trash in (await command(shop, "report", "trash")).out
    assert await command(shop, "report", "restore", trash) == (0, "1 file restored\n", "")

    repaired = await command(shop, "report", "repair")
    assert repaired.out == "1 missing image: converting 1 source\n"
    async with asyncio.timeout(20):
        while await shop.resources.store.head(f"target/{NORMAL}/table.png") is None:
            await asyncio.sleep(0.05)
