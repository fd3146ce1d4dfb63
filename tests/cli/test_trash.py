"""`imageconverter trash`, run as a user does."""

from uuid import uuid4

from imageconverter.images import sources
from imageconverter.resources import Resources
from tests.testing.commands import address, run
from tests.testing.runs import Client


async def test_deleted_sources_are_listed_and_restored(gateway: Client, resources: Resources) -> None:
    """By the items of the list; what is not there is an error."""
    path = f"cli {uuid4().hex}/a.png"
    await resources.store.put(f"source/{path}", b"image", content_type="image/png")
    item = await sources.delete(resources.store, path)
    server = ("--server", address(gateway))
    listed = await run("trash", "list", *server)
    restored = await run("trash", "restore", item, *server)
    again = await run("trash", "restore", item, *server)

    assert any(line.endswith(item) for line in listed.out.splitlines())
    assert restored == (0, "1 source restored\n", "")
    assert await resources.store.head(f"source/{path}") is not None
    assert (again.status, again.out) == (1, "0 sources restored\n")
    assert "There is no such item." in again.err
