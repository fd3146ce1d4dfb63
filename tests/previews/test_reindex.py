"""Rebuilding the index of previews from the object store alone."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.previews import reindex as module
from imageconverter.previews.index import Group, PreviewIndex
from imageconverter.previews.reindex import reindex
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.storage.store import ObjectStore
from services.cli.main import main
from tests.conftest import MakeSettings, storage_settings
from tests.testing.stored_previews import LARGE, SMALL, generation_of, make_group, objects_of, store_group

pytestmark = pytest.mark.usefixtures("no_previews")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the store was put long ago."""
    monkeypatch.setattr(module, "_MIN_AGE", timedelta(hours=-1))


async def forget(resources: Resources) -> None:
    """Lose all that Redis knows of previews."""
    found = [name async for name in resources.redis.scan_iter("ic:preview*", count=1000)]
    await resources.redis.delete(*found)


async def groups(index: PreviewIndex) -> dict[str, Group | None]:
    """Return every group of the index."""
    return {key: await index.find(key) async for batch in index.keys("") for key in batch}


@pytest.mark.usefixtures("settled")
async def test_everything_is_as_it_was(resources: Resources, index: PreviewIndex) -> None:
    """Keys of both forms, contexts, sizes, formats and counters; nothing is deleted."""
    for number in range(150):
        await make_group(resources, index, sha256(b"%d" % number).hexdigest(), context=str(number % 3))
    await make_group(resources, index, "a-key.of_letters")
    before, totals = await groups(index), await index.totals()
    contexts = [await index.count(str(number)) for number in range(3)]
    await forget(resources)

    assert await reindex(index, resources.store) == 151
    after = await groups(index)
    assert {
        key: group and (group.generation, group.bytes, group.contexts, group.previews) for key, group in after.items()
    } == {
        key: group and (group.generation, group.bytes, group.contexts, group.previews)
        for key, group in before.items()
    }
    assert (await index.totals())[:2] == totals[:2]
    assert [await index.count(str(number)) for number in range(3)] == contexts == [50, 50, 50]
    assert all([len(await objects_of(resources, key)) == 5 for key in before])

    assert await reindex(index, resources.store) == 0
    assert (await index.totals())[:2] == totals[:2]


async def test_a_group_comes_back_with_what_its_file_says(resources: Resources, index: PreviewIndex) -> None:
    """All of its contexts, and when it was created; other fields of the file are ignored."""
    previews = await store_group(resources, "a", contexts=("17", "18"), created=1234.5)

    assert await reindex(index, resources.store) == 1
    found = await index.find("a")
    size = len(b"source") + sum(each.size for each in previews.values())
    assert found == Group("a", generation_of(b"source"), 1234.5, frozenset({"17", "18"}), size, previews)
    assert set(previews) == {SMALL, LARGE}


@pytest.mark.usefixtures("settled")
async def test_what_the_index_has_is_what_counts(resources: Resources, index: PreviewIndex) -> None:
    """A group is unchanged if the store has another generation, which is deleted."""
    await make_group(resources, index, "a")
    await store_group(resources, "a", b"another source")
    await resources.redis.zadd(keys.PREVIEW_IDS, {keys.preview_id("a"): 1000})

    assert await reindex(index, resources.store) == 0
    assert await resources.redis.zscore(keys.PREVIEW_IDS, keys.preview_id("a")) == 1000
    assert (await index.in_use("a")).generation == generation_of(b"source")
    assert {name.partition("/")[0] for name in await objects_of(resources, "a")} == {
        "group.json",
        generation_of(b"source"),
    }


async def test_what_is_being_deleted_does_not_come_back(
    resources: Resources, index: PreviewIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while it is leaving, nor when it has left between the reading of its file and the restoring."""
    await make_group(resources, index, "a")
    await index.remove("a")
    assert await reindex(index, resources.store) == 0
    assert await index.count() == 0

    await index.confirm_deleted((await index.pending_deletes(10))[0])
    await index.remove("a")  # though the index has it no more
    assert await reindex(index, resources.store) == 0

    await index.confirm_deleted((await index.pending_deletes(10))[0])
    restore = PreviewIndex.restore

    async def too_late(self: PreviewIndex, group: Group) -> bool:
        async for page in resources.store.list(keys.preview_prefix(group.key)):
            await resources.store.delete(stored.key for stored in page)
        return await restore(self, group)

    monkeypatch.setattr(PreviewIndex, "restore", too_late)
    assert await reindex(index, resources.store) == 0
    assert await index.count() == 0


@pytest.mark.usefixtures("settled")
async def test_a_preview_without_extents_is_left_to_be_made_again(resources: Resources, index: PreviewIndex) -> None:
    """The rest of its group comes back."""
    await store_group(resources, "a")
    name = keys.preview_object("a", generation_of(b"source"), SMALL, ".jpg")
    await resources.store.put(name, b"x", content_type="image/jpeg")

    assert await reindex(index, resources.store) == 1
    found = await index.find("a")
    assert found is not None
    assert set(found.previews) == {LARGE}


@pytest.mark.usefixtures("settled")
async def test_a_file_of_a_generation_that_is_gone_means_the_one_there_is(
    resources: Resources, index: PreviewIndex
) -> None:
    """Who adds a context to the file may write it after the one who has replaced the group."""
    await store_group(resources, "a", b"old")
    old_file = await resources.store.get(keys.preview_group("a"))
    await make_group(resources, index, "a", b"new")
    assert old_file is not None
    await resources.store.put(keys.preview_group("a"), bytes(old_file.data), content_type="application/json")
    await resources.store.delete([keys.preview_source("a", generation_of(b"old"))])
    before = await index.find("a")
    await forget(resources)

    assert await reindex(index, resources.store) == 1
    after = await index.find("a")
    assert after is not None
    assert before is not None
    assert (after.generation, after.previews) == (generation_of(b"new"), before.previews)
    assert len(await objects_of(resources, "a")) == 5


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"key": "a"}', '{"key": "other", "generation": "g"}', '{"key": 1, "generation": "g"}']
)
@pytest.mark.usefixtures("settled")
async def test_an_invalid_file_is_left_alone(resources: Resources, index: PreviewIndex, text: str) -> None:
    """It may be of a newer version; the other groups come back all the same."""
    await store_group(resources, "a")
    await store_group(resources, "b")
    await resources.store.put(keys.preview_group("a"), text.encode() or b" ", content_type="application/json")

    assert await reindex(index, resources.store) == 1
    assert set(await groups(index)) == {"b"}
    assert len(await objects_of(resources, "a")) == 5


async def test_what_a_writer_has_put_just_now_stays(resources: Resources, index: PreviewIndex) -> None:
    """It has not come to the file yet, or is about to replace what there is."""
    await store_group(resources, "a")
    await store_group(resources, "b")
    await resources.store.delete([keys.preview_group("a")])
    await resources.store.put(keys.preview_source("b", "0" * 32), b"x", content_type="image/png")

    assert await reindex(index, resources.store) == 1
    assert len(await objects_of(resources, "a")) == 4
    assert len(await objects_of(resources, "b")) == 6


@pytest.mark.usefixtures("settled")
async def test_what_nothing_leads_to_is_deleted(resources: Resources, index: PreviewIndex) -> None:
    """Objects without a file, of other generations, without a source."""
    for key in "abcd":
        await store_group(resources, key)
    await resources.store.delete([keys.preview_group("a"), keys.preview_source("c", generation_of(b"source"))])
    await resources.store.put(keys.preview_source("b", "0" * 32), b"x", content_type="image/png")
    await index.mark_pending_write("d")
    await resources.store.put(keys.preview_source("d", "0" * 32), b"x", content_type="image/png")

    assert await reindex(index, resources.store) == 2
    assert [len(await objects_of(resources, key)) for key in "abcd"] == [0, 5, 0, 6]
    assert set(await groups(index)) == {"b", "d"}


async def test_it_works_while_traffic_goes_on(resources: Resources, index: PreviewIndex) -> None:
    """Groups are made, replaced and removed meanwhile, and a second reindex runs: the index is exact."""
    names = [f"key-{n:03}" for n in range(120)]
    await asyncio.gather(*(store_group(resources, name) for name in names))

    async def clear(name: str) -> None:
        await index.remove(name)
        async for page in resources.store.list(keys.preview_prefix(name)):
            await resources.store.delete(stored.key for stored in page)

    async def traffic() -> int:
        for number in range(0, 120, 4):
            await make_group(resources, index, names[number], b"new")
            await clear(names[number + 1])
        return 0

    counts = await asyncio.gather(
        reindex(index, resources.store), reindex(index, resources.store), traffic(), return_exceptions=False
    )
    found = await groups(index)

    assert sum(counts) <= 120
    assert set(names[2::4]) | set(names[3::4]) | set(names[0::4]) <= set(found)
    assert all(
        group is not None and group.generation == generation_of(b"new") for group in (found[n] for n in names[0::4])
    )
    for name, group in found.items():
        assert group is not None
        there = await resources.store.head(keys.preview_source(name, group.generation))
        assert there is not None, name
    assert (await index.totals()).bytes == sum(group.bytes for group in found.values() if group is not None)


async def test_it_is_a_command(
    servers: dict[str, str],
    resources: Resources,
    index: PreviewIndex,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It returns the number of restored keys, or raises that a server is unavailable."""
    await store_group(resources, "a")
    for name, value in {**servers, "IMAGECONVERTER_S3_BUCKET": "tests", "IMAGECONVERTER_LOG_LEVEL": "error"}.items():
        monkeypatch.setenv(name, value)

    assert await asyncio.to_thread(main, ["reindex"]) == 0
    assert capsys.readouterr().out == "1 keys were restored\n"
    assert set(await groups(index)) == {"a"}

    monkeypatch.setenv("IMAGECONVERTER_S3_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("IMAGECONVERTER_S3_TIMEOUT_SECONDS", "0.5")
    assert await asyncio.to_thread(main, ["reindex"]) == 1
    assert "run the command again" in capsys.readouterr().err


async def test_the_command_refuses_the_bucket_of_another_stack(
    servers: dict[str, str],
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It would delete the previews that are being written there."""
    bucket = f"foreign-{uuid4().hex[:12]}"
    async with open_resources(
        make_settings(storage=storage_settings(servers, bucket=bucket)), retry_timeout=20
    ) as own:
        await wait_for_bucket(own.store)
        await own.store.put(keys.OWNER, b"another-stack 1", content_type="text/plain")
    for name, value in {**servers, "IMAGECONVERTER_S3_BUCKET": bucket, "IMAGECONVERTER_LOG_LEVEL": "error"}.items():
        monkeypatch.setenv(name, value)

    assert await asyncio.to_thread(main, ["reindex"]) == 1
    assert "Another stack owns the bucket" in capsys.readouterr().err


async def test_many_requests_are_in_flight_and_memory_stays_small(
    resources: Resources, index: PreviewIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several files are read at a time, and never more folders are held than a batch has."""
    await asyncio.gather(*(store_group(resources, f"key-{n:03}") for n in range(100)))
    monkeypatch.setattr(module, "_BATCH", 16)
    running = most = 0
    get = ObjectStore.get

    async def counting(self: ObjectStore, key: str, **options: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await get(self, key, **options)
        finally:
            running -= 1

    monkeypatch.setattr(ObjectStore, "get", counting)
    assert await reindex(index, resources.store) == 100
    assert 8 <= most <= 16
