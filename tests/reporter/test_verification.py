"""What `imageconverter verify` finds when Redis and the store differ."""

from datetime import UTC, datetime
from pathlib import Path

from imageconverter import keys
from imageconverter.catalog.store import publish
from imageconverter.catalog.version import CatalogVersion, part_name
from imageconverter.previews.index import Preview
from imageconverter.previews.reindex import GroupFile, reindex
from imageconverter.resources import Resources
from imageconverter.verification import Difference, verify
from services.reporter.redis_recovery import advance_epoch, rebuild
from tests.reporter.test_redis_recovery import begun

PREVIEW = Preview("image/jpeg", 3, '"etag"', 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def states(resources: Resources) -> dict[str, str]:
    """Return the state of each comparison."""
    return {each.subject: each.state async for each in verify(resources)}


async def found(resources: Resources, subject: str) -> Difference:
    """Return the result of one comparison."""
    (result,) = [each async for each in verify(resources) if each.subject == subject]
    return result


async def store_preview(resources: Resources, key: str) -> None:
    """Store a group as a worker does."""
    file = GroupFile(key=key, generation="g").model_dump_json().encode()
    await resources.store.put(keys.preview_source(key, "g"), b"source", content_type="image/jpeg")
    await resources.store.put(keys.preview_group(key), file, content_type="application/json")
    await resources.previews.publish_generation(key, "g", context="", source_bytes=1, previews={"jpg:1x1": PREVIEW})


async def test_all_is_well_in_a_stack_that_works(own: Resources) -> None:
    """With nothing in it, and with a run, a preview and a catalog."""
    assert set((await states(own)).values()) == {"ok"}
    await begun(own, 2)
    await store_preview(own, "a key")
    await advance_epoch(own)

    assert set((await states(own)).values()) == {"ok"}


async def test_a_redis_that_has_lost_everything(own: Resources) -> None:
    """And is well again when a reporter has restored it."""
    await begun(own, 2)
    await store_preview(own, "a key")
    await advance_epoch(own)
    await own.redis.flushdb()
    lost = await states(own)

    assert (lost["state of Redis"], lost["runs"], lost["previews"]) == ("error", "error", "warning")
    await rebuild(own)
    assert set((await states(own)).values()) == {"ok"}


async def test_groups_that_lack_their_source_or_are_not_indexed(own: Resources) -> None:
    """With their numbers; the second are restored by `reindex`."""
    await store_preview(own, "whole")
    await store_preview(own, "incomplete")
    await own.store.delete([keys.preview_source("incomplete", "g")])
    assert "1 lack their source" in (await found(own, "previews")).text
    await own.redis.flushdb()
    assert "1 are not in the index, 1 lack their source" in (await found(own, "previews")).text

    await reindex(own.previews, own.store)
    result = await found(own, "previews")
    assert "0 are not in the index, 1 lack their source" in result.text
    assert "reindex" not in result.advice


async def test_groups_that_are_in_the_index_only(own: Resources) -> None:
    """As after an older backup of the bucket was restored; they are there again when they are stored again."""
    await store_preview(own, "lost")
    await own.store.delete([keys.preview_group("lost"), keys.preview_source("lost", "g")])
    assert (await found(own, "previews")).text.endswith("1 in the index only")

    await store_preview(own, "lost")
    assert (await found(own, "previews")).state == "ok"


async def test_a_bucket_of_another_stack(own: Resources) -> None:
    """As after a Redis of another stack was connected."""
    await own.ownership.claim()
    assert (await found(own, "owner of the bucket")).state == "ok"
    await own.redis.set(keys.STACK, "another")

    assert (await found(own, "owner of the bucket")).state == "error"


async def test_a_catalog_without_its_parts(own: Resources, tmp_path: Path) -> None:
    """As after a backup that was made while a catalog was imported."""
    (tmp_path / part_name(0)).write_bytes(b"parquet")
    version = CatalogVersion(version="v", entries=7, images=7, at=NOW, received_at=NOW, bytes=7, parts=1)
    await publish(own.store, "product", version, tmp_path)
    assert (await found(own, "catalogs")).text.startswith("7 entries")
    await own.store.delete([keys.catalog_part("product", "v", part_name(0))])

    assert (await found(own, "catalogs")).state == "error"
