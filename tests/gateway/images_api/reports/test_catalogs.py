"""`images/catalog/{typeId}`: imports of complete catalogs, validated line by line."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from imageconverter.catalog import pending_imports
from imageconverter.reports import commands
from tests.conftest import ADMIN
from tests.testing.shop_client import Shop

LINE = b'{"id": "4711", "active": true, "images": ["chair.jpg", "side.jpg"]}\n'


async def test_a_catalog_is_current_after_the_response(shop: Shop) -> None:
    """GET is a 404 before the first import; then it returns the newest catalog's numbers."""
    assert (await shop.ask("GET", "/catalog/products")).status == 404

    status, sent = await shop.ask("PUT", "/catalog/products", LINE)
    assert status == 200
    assert (sent["entries"], sent["images"], sent["lastImport"]["failure"]) == (1, 2, "")
    assert (await shop.ask("GET", "/catalog/products")).body == sent

    _, second = await shop.ask("PUT", "/catalog/products", LINE + LINE.replace(b"4711", b"4712"))
    assert second["entries"] == 2
    assert second["version"] > sent["version"]
    assert (await shop.ask("GET", "/catalog/categories")).status == 404


@pytest.mark.parametrize(
    ("headers", "query"), [({"Content-Type": "text/csv; charset=utf-8"}, ""), ({}, "?as=csv")], ids=["type", "query"]
)
async def test_csv_is_detected_by_content_type_or_parameter(shop: Shop, headers: dict[str, str], query: str) -> None:
    """By `Content-Type` or by the query."""
    text = b"id,active,images\n1,true,a.jpg|b.jpg\n2,0,c.jpg\n"
    status, sent = await shop.ask("PUT", f"/catalog/appImages{query}", text, **headers)

    assert (status, sent["entries"], sent["images"]) == (200, 2, 2)


async def test_a_gzipped_catalog_is_accepted(shop: Shop) -> None:
    """With `Content-Encoding: gzip`."""
    status, sent = await shop.ask("PUT", "/catalog/products", gzip.compress(LINE), **{"Content-Encoding": "gzip"})

    assert (status, sent["entries"]) == (200, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "1", "active": true}\n', "images: is missing"),
        (b'{"id": "1", "active": "yes", "images": []}\n', "active: is neither true nor false"),
        (b'{"id": "1", "active": true, "images": ["../a.jpg"]}\n', "images[0]"),
        (b"\xff\xfe{\n", "is not valid JSON encoded as UTF-8"),
        (b"[" * 600_000, "is longer than 512 KiB"),
        (LINE, "is already the id of line 1"),
    ],
    ids=["missing", "type", "name", "encoding", "long", "twice"],
)
async def test_an_invalid_line_is_named_and_the_previous_catalog_stays_current(
    shop: Shop, line: bytes, reason: str
) -> None:
    """The error is in the second line; GET returns it as well."""
    _, before = await shop.ask("PUT", "/catalog/products", LINE)

    status, refused = await shop.ask("PUT", "/catalog/products", LINE + line)

    assert (status, refused["type"]) == (400, "invalidValue")
    assert "ine 2" in refused["reason"]
    assert reason in f"{refused.get('field', '')} {refused['reason']}"
    _, now = await shop.ask("GET", "/catalog/products")
    assert now["version"] == before["version"]
    assert now["lastImport"]["failure"] == refused["reason"]
    assert [stored async for page in shop.resources.store.list("catalog/product/arriving/") for stored in page] == []


async def test_all_invalid_lines_are_listed(shop: Shop) -> None:
    """In the response, and afterwards as the outcome of the last import."""
    text = LINE + b'{"id": "1", "images": []}\n' + LINE + b"{\n" + LINE.replace(b"side", b"/")

    status, refused = await shop.ask("PUT", "/catalog/products", text)

    assert status == 400
    assert [(each["line"], each["field"]) for each in refused["lines"]] == [
        (2, "active"), (4, "column 1"), (5, "images[1]"),
    ]  # fmt: skip
    assert refused["lines"][0]["reason"] == "is missing."
    assert (await shop.ask("GET", "/catalog/products")).body["lastImport"]["lines"] == refused["lines"]

    _, twice = await shop.ask("PUT", "/catalog/products", LINE * 3 + LINE.replace(b"4711", b"1") * 2)
    assert [each["line"] for each in twice["lines"]] == [2, 5]


async def test_a_catalog_over_the_limit_is_rejected(shop: Shop) -> None:
    """By its Content-Length, or while it is received; the limit of this shop is 1 MiB."""
    many = LINE * 20_000
    assert (await shop.ask("PUT", "/catalog/products", many)).status == 413

    async def trickle() -> object:
        for start in range(0, len(many), 65536):
            yield many[start : start + 65536]

    async with shop.client.put("/images/catalog/products", data=trickle(), headers=ADMIN) as response:
        assert response.status == 413
    assert (await shop.ask("GET", "/catalog/products")).status == 404


async def test_an_empty_catalog_body_is_rejected(shop: Shop) -> None:
    """An accidental empty request does not replace the current catalog."""
    _, before = await shop.ask("PUT", "/catalog/products", LINE)
    status, refused = await shop.ask("PUT", "/catalog/products?as=csv", b"")

    assert (status, refused["reason"]) == (400, "The body is empty.")
    assert (await shop.ask("GET", "/catalog/products")).body == before


async def test_an_unknown_type_or_notation_is_rejected(shop: Shop) -> None:
    """The error has the name of the parameter."""
    assert (await shop.ask("PUT", "/catalog/nothing", LINE)).body["field"] == "typeId"
    assert (await shop.ask("PUT", "/catalog/products?as=xml", LINE)).body["field"] == "as"


async def test_a_new_catalog_does_not_affect_readers_of_the_previous(shop: Shop) -> None:
    """Ten concurrent catalogs: each response has that catalog or a later one, and one of them is current."""
    first = await shop.ask("PUT", "/catalog/products", LINE)
    sent = await asyncio.gather(*(shop.ask("PUT", "/catalog/products", LINE) for _ in range(10)))

    assert {response.status for response in sent} == {200}
    versions = {response.body["version"] for response in sent}
    assert first.body["version"] not in versions
    assert (await shop.ask("GET", "/catalog/products")).body["version"] in versions


async def test_a_later_catalog_stays_current(shop: Shop) -> None:
    """Even if an earlier one is processed later, because it is large or was retried."""

    async def chunks() -> AsyncIterator[bytes]:
        yield LINE

    older = await pending_imports.receive(shop.resources.store, "product", chunks(), "ndjson")
    _, newer = await shop.ask("PUT", "/catalog/products", LINE + LINE.replace(b"4711", b"4712"))
    order = commands.ImportCommand.of(older)
    await commands.run_command(shop.resources.queue, commands.IMPORT, order, seconds=20)

    _, counts = await shop.ask("GET", "/catalog/products")
    assert counts["version"] == newer["version"]
    _, shown = await shop.ask("GET", f"/catalog/products?import={older.id}")
    assert shown["lastImport"] == {"id": older.id, "failure": ""}
    _, unknown = await shop.ask("GET", "/catalog/products?import=nothing")
    assert unknown["lastImport"] == {"id": "", "failure": ""}


async def test_a_missing_catalog_has_no_version(shop: Shop) -> None:
    """`report run` asks with an empty import whether there is a catalog."""
    assert (await shop.ask("GET", "/catalog/categories")).status == 404
    status, response = await shop.ask("GET", "/catalog/categories?import=")

    assert (status, response["version"], response["entries"]) == (200, "", 0)
