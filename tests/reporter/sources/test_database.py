"""Catalogs from a database: a real PostgreSQL."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from imageconverter.catalog import Entry, read_entries
from imageconverter.errors import ImageConverterError, SourceRefused, SourceUnavailable
from imageconverter.settings import SettingsError
from services.reporter.sources.database import open_query
from services.reporter.sources.source import SourceLimits
from tests.testing.postgres import PASSWORD, postgres

ROWS = (
    "SELECT i AS id, i % 2 = 0 AS active, ARRAY[i || '.jpg'] AS images FROM (SELECT generate_series(1, {}) AS i) AS s"
)

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def folder() -> Iterator[str]:
    """Run a server; the value is where its socket is."""
    with postgres() as folder:
        yield folder


@pytest.fixture(scope="module")
def address(folder: str) -> str:
    """Return the address of a database on it."""
    return f"postgresql://shop:{quote(PASSWORD, safe='')}@/postgres?host={folder}"


@pytest.fixture
def shop(folder: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection that sees what the others do."""
    with psycopg.connect(
        host=folder, user="shop", password=PASSWORD, dbname="postgres", autocommit=True
    ) as connection:
        yield connection


async def entries(address: str, query: str, limits: SourceLimits | None = None) -> list[Entry]:
    """Read all entries."""
    async with open_query(address, query, limits or SourceLimits()) as source:
        return [entry async for page in read_entries(source.chunks, source.notation) for entry in page]


async def others(shop: psycopg.Connection[Any], count: int) -> None:
    """Wait until so many other connections are open."""
    async with asyncio.timeout(20):
        while True:
            found = shop.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
            if found == (count,):
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "images",
    [
        "ARRAY['a.jpg', 'ü%.png']",
        '\'["a.jpg", "ü%.png"]\'::json',
        '\'["a.jpg", "ü%.png"]\'::jsonb',
        '\' ["a.jpg", "ü%.png"]\'',
        "'a.jpg|ü%.png|'",
        "ARRAY['a.jpg', NULL, 'ü%.png']",
    ],
)
async def test_images_may_be_an_array_or_json_or_text_with_bars(address: str, images: str) -> None:
    """All of them give the same names."""
    (entry,) = await entries(address, f"SELECT 4711 AS id, 1 AS active, {images} AS images WHERE 'b' LIKE '%b'")
    assert entry == Entry(1, "4711", active=True, images=("a.jpg", "ü%.png"))


async def test_rows_of_one_id_become_one_entry(address: str) -> None:
    """Those that follow each other; NULL is no image."""
    query = (
        "SELECT * FROM (VALUES ('a', true, '1.jpg'), ('a', true, '2.jpg'), ('b', false, NULL), "
        "('c', true, 'x|y.jpg')) AS rows (id, active, image)"
    )
    found = [(entry.id, entry.active, entry.images) for entry in await entries(address, query)]
    assert found == [("a", True, ("1.jpg", "2.jpg")), ("b", False, ()), ("c", True, ("x|y.jpg",))]


async def test_a_uuid_is_an_id(address: str) -> None:
    """Many shops have no other."""
    text = "5f0c9b9e-58a4-4f0a-9a52-6e1d5d8a2f11"
    (entry,) = await entries(address, f"SELECT '{text}'::uuid AS id, 0 AS active, NULL AS image")
    assert (entry.id, entry.active) == (text, False)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT 1 AS active, '' AS image", "no column id"),
        ("SELECT 1 AS id, '' AS image", "no column active"),
        ("SELECT 1 AS id, 1 AS active", "either a column images or a column image"),
        ("SELECT 1.5 AS id, 1 AS active, '' AS image", "column id has a value of type Decimal"),
        ("SELECT NULL AS id, 1 AS active, '' AS image", "column id has NULL"),
        ("SELECT true AS id, 1 AS active, '' AS image", "column id has a value of type bool"),
        ("SELECT 1 AS id, 2 AS active, '' AS image", "column active has a value of type int for id '1'"),
        ("SELECT 1 AS id, 'yes' AS active, '' AS image", "column active has a value of type str"),
        ("SELECT 1 AS id, 1 AS active, 5 AS image", "column image has a value of type int"),
        ("SELECT 1 AS id, 1 AS active, ARRAY[1] AS images", "column images has a value of type list"),
        ("SELECT 1 AS id, 1 AS active, '{}'::json AS images", "column images has a value of type dict"),
        ("SELECT 1 AS id, 1 AS active, '[\"a' AS images", "start like JSON"),
        (
            "SELECT 7 AS id, i AS active, 'a' AS image FROM generate_series(0, 1) AS i",
            "id '7' have different values",
        ),
        ("SELECT 7 AS id, 1 AS active, repeat('a', 600000) AS image", "more than 512 KiB"),
        ("SELECT nothing", '"nothing" does not exist'),
        ("SELEKT 1", "syntax error"),
        ("CREATE TABLE written (i int)", "syntax error"),
        ("WITH w AS (SELECT lo_create(0)) SELECT 1 AS id, 1 AS active, '' AS image FROM w", "read-only transaction"),
    ],
)
async def test_what_cannot_become_a_catalog_is_refused(address: str, query: str, reason: str) -> None:
    """With a sentence that says which column or what the database says."""
    with pytest.raises(SourceRefused) as error:
        await entries(address, query)
    assert reason in error.value.reason


async def test_nothing_can_be_written(address: str, shop: psycopg.Connection[Any]) -> None:
    """Not behind a semicolon either."""
    shop.execute("CREATE TABLE products (id int)")
    for query in (
        "SELECT 1; COMMIT; DROP TABLE products",
        "SELECT 1 AS id; COMMIT; BEGIN; DROP TABLE products; COMMIT",
    ):
        with pytest.raises(SourceRefused):
            await entries(address, query)
    assert shop.execute("SELECT to_regclass('products')::text").fetchone() == ("products",)


async def test_memory_does_not_grow_with_the_rows(address: str) -> None:
    """Neither with those that are read nor with those that the server has ready, which together have 120 MB."""
    seen, largest = 0, 0
    async with open_query(
        address, ROWS.format(300_000).replace("'.jpg'", "repeat('x', 200)"), SourceLimits()
    ) as source:
        before = resident()
        async for chunk in source.chunks:
            assert len(chunk) < 100_000
            seen += chunk.count(b"\n")
            largest = max(largest, resident())
    assert seen == 300_000
    assert largest - before < 40_000_000


def resident() -> int:
    """Return the memory that this process has now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def test_leaving_early_ends_thread_and_connection(address: str, shop: psycopg.Connection[Any]) -> None:
    """A reader may stop early."""
    async with open_query(address, ROWS.format(3_000_000), SourceLimits()) as source:
        assert await anext(source.chunks)
        await others(shop, 1)
    await others(shop, 0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("source")]


@pytest.mark.slow
async def test_being_canceled_ends_a_query_that_gives_nothing(address: str, shop: psycopg.Connection[Any]) -> None:
    """The thread is not waited for until the query is done."""
    reading = asyncio.create_task(entries(address, "SELECT 1 AS id, 1 AS active, pg_sleep(60)::text AS image"))
    await others(shop, 1)
    reading.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("source")]
    await others(shop, 0)


async def test_a_statement_over_its_time_may_be_tried_again(address: str, shop: psycopg.Connection[Any]) -> None:
    """The server itself ends it."""
    with pytest.raises(SourceUnavailable, match="statement timeout"):
        await entries(
            address, "SELECT 1 AS id, 1 AS active, pg_sleep(60)::text AS image", SourceLimits(statement_seconds=0.2)
        )
    await others(shop, 0)


async def test_a_reading_over_its_time_ends(address: str) -> None:
    """However many rows come meanwhile."""
    with pytest.raises(SourceUnavailable, match="in time"):
        await entries(address, ROWS.format(100_000_000), SourceLimits(seconds=1))


async def test_more_than_the_limit_is_refused(address: str) -> None:
    """Of bytes as they are in NDJSON."""
    with pytest.raises(SourceRefused, match="more than 1 MiB"):
        await entries(address, ROWS.format(100_000), SourceLimits(max_bytes=1024 * 1024))


async def test_a_connection_that_is_cut_may_be_tried_again(address: str, shop: psycopg.Connection[Any]) -> None:
    """As when the database is restarted."""
    with pytest.raises(SourceUnavailable):  # noqa: PT012 - it happens between two chunks
        async with open_query(address, ROWS.format(1_000_000), SourceLimits()) as source:
            await anext(source.chunks)
            shop.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            async for _ in source.chunks:
                pass


async def test_a_database_that_is_away_may_be_tried_again(address: str) -> None:
    """Nothing listens there."""
    with pytest.raises(SourceUnavailable):
        await entries(address.replace("host=/tmp", "host=/nowhere"), "SELECT 1")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_a_server_that_never_greets_is_left(scheme: str) -> None:
    """It takes the connection and says nothing."""
    leaving = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await leaving.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(30):
            with pytest.raises(SourceUnavailable):
                await entries(
                    f"{scheme}://shop:secret@127.0.0.1:{port}/shop", "SELECT 1", SourceLimits(connect_seconds=2)
                )
        leaving.set()


@pytest.mark.parametrize(
    "change",
    [("shop:", "shop:wrong"), ("/postgres?", "/nothing?"), ("//shop", "//stranger"), ("host=", "nonsense=1&host=")],
)
async def test_a_failed_login_is_refused_without_the_password(
    address: str, change: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the reason, nor in what led to it, nor in the log."""
    with pytest.raises(SourceRefused) as error:
        await entries(address.replace(*change, 1), "SELECT 1")
    assert_without_password(error.value, caplog.text)


async def test_a_password_in_an_error_of_the_database_is_removed(address: str) -> None:
    """As in a query with a slip of the pen."""
    with pytest.raises(SourceRefused, match="not exist") as error:
        await entries(address, f'SELECT "{PASSWORD}"')
    assert_without_password(error.value, "")


def assert_without_password(error: ImageConverterError, log: str) -> None:
    """Look for it in every spelling."""
    for spelling in (PASSWORD, quote(PASSWORD, safe="")):
        assert spelling not in error.reason + repr(error) + repr(error.__cause__) + log


async def test_an_address_that_cannot_be_read_is_a_fault_of_the_settings() -> None:
    """SQLAlchemy is the judge."""
    with pytest.raises(SettingsError) as error:
        await entries("postgresql://shop:secret@host:port/database", "SELECT 1")
    assert "secret" not in str(error.value)
