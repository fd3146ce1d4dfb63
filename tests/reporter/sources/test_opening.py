"""Sources by their addresses, and those in a real object store."""

import gzip
import uuid

import pytest

from imageconverter.errors import SourceRefused, SourceUnavailable
from imageconverter.resources import Resources
from imageconverter.settings import SettingsError
from services.reporter.sources import SourceLimits, check_address, open_source

NDJSON = b'{"id": "1", "active": true, "images": ["a.jpg"]}\n'


@pytest.mark.parametrize(
    ("suffix", "body", "notation"),
    [
        (".csv", b"id,active,images\n", "csv"),
        (".csv.gz", gzip.compress(b"id,active,images\n", mtime=0), "csv"),
        (".NDJSON", NDJSON, "ndjson"),
        (".jsonl.gz", gzip.compress(NDJSON, mtime=0), "ndjson"),
        ("", NDJSON, "ndjson"),
        (".csv", b"", "csv"),
    ],
)
async def test_an_object_is_read_in_the_notation_of_its_suffix(
    resources: Resources, suffix: str, body: bytes, notation: str
) -> None:
    """Uncompressed where it is compressed."""
    key = f"imports/{uuid.uuid4()}{suffix}"
    await resources.store.put(key, body, content_type="application/octet-stream")
    async with open_source(f"s3:{key}", store=resources.store) as source:
        assert source.notation == notation
        text = b"".join([chunk async for chunk in source.chunks])
    assert text == (gzip.decompress(body) if suffix.endswith(".gz") else body)


async def test_an_object_that_does_not_exist_is_refused_with_its_key(resources: Resources) -> None:
    """So that a slip of the pen is seen."""
    with pytest.raises(SourceRefused, match=r"imports/none\.csv"):
        async with open_source("s3:imports/none.csv", store=resources.store):
            pass


async def test_an_object_over_the_limit_is_refused(resources: Resources) -> None:
    """Of bytes that come out of it."""
    key = f"imports/{uuid.uuid4()}.gz"
    await resources.store.put(key, gzip.compress(bytes(2**21)), content_type="application/gzip")
    with pytest.raises(SourceRefused, match="more than 1 MiB"):  # noqa: PT012 - it comes while reading
        async with open_source(f"s3:{key}", store=resources.store, limits=SourceLimits(max_bytes=2**20)) as source:
            async for _ in source.chunks:
                pass


async def test_a_feed_by_its_address_is_held_to_public_hosts(resources: Resources) -> None:
    """Unless its host is listed; then it is asked, and here does not answer."""
    with pytest.raises(SourceRefused):
        async with open_source("http://127.0.0.1:9/feed", store=resources.store):
            pass
    with pytest.raises(SourceUnavailable):
        async with open_source("http://127.0.0.1:9/feed", store=resources.store, private_hosts=["127.0.0.1"]):
            pass


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_a_database_by_its_address_is_asked(resources: Resources, scheme: str) -> None:
    """And here does not answer."""
    address = f"{scheme}://shop:secret@127.0.0.1:9/shop"
    with pytest.raises(SourceUnavailable) as error:  # noqa: PT012 - it comes while reading
        async with open_source(address, store=resources.store, query="SELECT 1") as source:
            assert source.notation == "ndjson"
            await anext(source.chunks)
    assert "secret" not in error.value.reason


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("s3:imports/shop.csv", ""),
        ("http://shop.example/feed", ""),
        ("https://user:secret@shop.example:8443/feed?token=secret#part", ""),
        ("postgresql://shop:secret@db/shop", "SELECT 1"),
        ("postgresql:///shop?host=/run/postgresql", "SELECT 1"),
        ("mysql://shop:secret@db:3307/shop", "SELECT 1"),
    ],
)
def test_a_right_address_is_taken(address: str, query: str) -> None:
    """Nothing is looked up for it."""
    check_address(address, query)


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("", ""),
        ("shop.csv", ""),
        ("s3:", ""),
        ("s3://bucket/secret", ""),
        ("s3:/secret", ""),
        ("http:///secret", ""),
        ("https:secret", ""),
        ("http://[secret/feed", ""),
        ("http://shop.example:secret/feed", ""),
        ("http://shop.example/feed secret", ""),
        ("ftp://user:secret@shop.example/feed", ""),
        ("file:///etc/secret", ""),
        ("postgresql+psycopg://shop:secret@db/shop", "SELECT 1"),
        ("postgresql://shop:secret@db", "SELECT 1"),
        ("postgresql://shop:secret@db/shop", ""),
        ("mysql://shop:secret@db/shop", "  "),
        ("mysql://shop:secret@db:port/shop", "SELECT 1"),
        ("sqlite:///secret.db", "SELECT 1"),
    ],
)
def test_a_wrong_address_is_a_fault_of_the_settings_and_not_repeated(address: str, query: str) -> None:
    """It may have a password in it."""
    with pytest.raises(SettingsError) as error:
        check_address(address, query)
    assert "secret" not in str(error.value)
