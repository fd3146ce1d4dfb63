"""The output index on the real store: what is lost costs a look-up, and nothing in it is wrong."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.images.output_index import IndexedOutput, MadeOutput, OutputIndex
from imageconverter.resources import Resources

NAMES = [f"{number:03}.jpg" for number in range(100)]


@pytest.fixture
async def directory(resources: Resources) -> AsyncIterator[str]:
    """A target directory, without an index at first."""
    directory = f"indexed {uuid4().hex}"
    yield directory
    await resources.store.delete(await _objects(resources, directory))


@pytest.fixture
def index(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> OutputIndex:
    """An output index with segments of ten names, up to twenty."""
    monkeypatch.setattr("imageconverter.images.output_index._SEGMENT_NAMES", 10)
    monkeypatch.setattr("imageconverter.images.output_index.MIN_NAMES", 5)
    return OutputIndex(resources.store)


def _made(directory: str, names: Sequence[str], run: str = "first") -> list[MadeOutput]:
    return [MadeOutput(f"{directory}/{name}", _entry(name, run)) for name in names]


def _entry(name: str, run: str = "first") -> IndexedOutput:
    return IndexedOutput(f"fingerprint of {name} in {run}", f'"{name}"', run)


async def _objects(resources: Resources, directory: str) -> list[str]:
    return [each.key async for page in resources.store.list(keys.output_index(directory)) for each in page]


async def test_entries_are_found_in_their_directory(index: OutputIndex, directory: str) -> None:
    """Also if they are added in several parts and orders; other names and directories have none."""
    for names in (NAMES[50:], NAMES[:20], NAMES[10:60]):
        await index.add(_made(directory, names))

    assert await index.find(directory, [*NAMES, "100.jpg", "none.jpg"]) == {name: _entry(name) for name in NAMES}
    assert await index.find(f"{directory}/below", NAMES) == {}


async def test_an_entry_is_replaced(index: OutputIndex, directory: str) -> None:
    """Those beside it stay."""
    await index.add(_made(directory, NAMES[:30]))
    await index.add(_made(directory, NAMES[10:20], "second"))

    found = await index.find(directory, NAMES[:30])
    assert [found[name].run for name in NAMES[:30]] == ["first"] * 10 + ["second"] * 10 + ["first"] * 10


async def test_names_next_to_each_other_are_read_from_few_segments(
    resources: Resources, index: OutputIndex, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are."""
    for begin in range(0, 100, 10):
        await index.add(_made(directory, NAMES[begin : begin + 10]))
    assert len(await _objects(resources, directory)) >= 6
    read = []
    get = resources.store.get

    async def counted(key: str) -> object:
        read.append(key)
        return await get(key)

    monkeypatch.setattr(resources.store, "get", counted)
    assert len(await index.find(directory, NAMES[40:50])) == 10
    assert len(read) <= 3  # the contents, and two segments


async def test_names_from_all_over_a_directory_are_neither_read_nor_added(index: OutputIndex, directory: str) -> None:
    """Each of them would need a segment."""
    for begin in range(0, 100, 10):
        await index.add(_made(directory, NAMES[begin : begin + 10]))

    await index.add(_made(directory, NAMES[::10], "scattered"))

    assert await index.find(directory, NAMES[::10]) == {}
    assert {each.run for each in (await index.find(directory, NAMES)).values()} == {"first"}


async def test_few_entries_are_not_added(resources: Resources, index: OutputIndex, directory: str) -> None:
    """They are cheaper to look up."""
    await index.add(_made(directory, NAMES[:4]))
    assert await _objects(resources, directory) == []


@pytest.mark.parametrize("damage", [b"", b"{", b'{"000.jpg": ["only one"]}', b"\xff\xfe", b"[]", b'["later"]'])
async def test_a_damaged_index_is_read_as_an_incomplete_one(
    resources: Resources, index: OutputIndex, directory: str, damage: bytes
) -> None:
    """And completed by what is added."""
    await index.add(_made(directory, NAMES))
    for key in await _objects(resources, directory):
        await resources.store.put(key, damage or b" ", content_type="application/json")
        found = await index.find(directory, NAMES)
        assert all(found[name] == _entry(name) for name in found)

    await index.add(_made(directory, NAMES, "second"))

    assert await index.find(directory, NAMES) == {name: _entry(name, "second") for name in NAMES}


async def test_entries_added_at_once_are_right_if_they_are_not_lost(index: OutputIndex, directory: str) -> None:
    """Two processes may move results at a time."""
    await index.add(_made(directory, NAMES[:20]))
    await asyncio.gather(*(index.add(_made(directory, NAMES[begin : begin + 40])) for begin in range(0, 61, 20)))

    found = await index.find(directory, NAMES)
    assert found
    assert all(found[name] == _entry(name) for name in found)
