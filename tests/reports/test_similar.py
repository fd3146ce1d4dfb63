"""Groups of sources that look alike, beside comparing each with each."""

import asyncio
import base64
import random
from collections.abc import Iterator, Sequence

import pytest
from duckdb import DuckDBPyConnection

from imageconverter import keys
from imageconverter.engine.facts import Facts
from imageconverter.images.source_facts import StoredFacts, put_facts
from imageconverter.reports import list_reports, similar
from tests.testing.shop import Shop, make_format

_GRAY = (32, 31, 31)
"""An average color, as in the header of a ThumbHash."""


def _facts(bits: int, color: Sequence[int] = _GRAY, size: tuple[int, int] = (400, 300)) -> Facts:
    light, yellow, red = color
    header = (light | yellow << 6 | red << 12).to_bytes(3, "little")
    return Facts(
        width=size[0],
        height=size[1],
        frames=1,
        alpha=False,
        dominant_color="#808080",
        thumb_hash=base64.b64encode(header + bytes(15)).decode(),
        perceptual_hash=f"{bits:016x}",
    )


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of pairs that are made, span by span."""
    seen: list[int] = []
    members = similar._members

    def watched(database: DuckDBPyConnection, taken: bytearray) -> Iterator[tuple[int, int, int]]:
        seen.extend(database.execute("SELECT count(*) FROM pairs").fetchall()[0])
        return members(database, taken)

    monkeypatch.setattr(similar, "_members", watched)
    return seen


async def _has(shop: Shop, path: str, facts: Facts | None, *, etag: str = "") -> None:
    """Store a source with its *facts*; those of another source if there is an *etag*."""
    stored = await shop.store.put(keys.source(path), path.encode(), content_type="image/jpeg")
    await put_facts(shop.store, path, StoredFacts(etag=etag or stored, facts=facts, reason="" if facts else "None."))


async def _groups(shop: Shop) -> list[list[str]]:
    """Make a report; returns the names in its groups."""
    await shop.sells("a.jpg")
    report = await shop.report()
    groups: dict[int, list[str]] = {}
    for row in await shop.rows(report, "similar"):
        groups.setdefault(row["group"], []).append(row["path"].removeprefix("keep/"))
    totals = report.summary.similar
    assert (totals.groups, totals.images) == (len(groups), sum(map(len, groups.values())))
    return list(groups.values())


def _flipped(bits: int, *places: int) -> int:
    for place in places:
        bits ^= 1 << place
    return bits


async def test_sources_with_almost_the_same_hash_are_a_group(shop: Shop) -> None:
    """Up to six bits, wherever they are; the first one by name leads, and the nearest ones are next."""
    bits = 0x0123456789ABCDEF
    await _has(shop, "keep/a.jpg", _facts(bits))
    await _has(shop, "keep/b.jpg", _facts(_flipped(bits, 0, 11, 22, 33, 44, 63)))
    await _has(shop, "keep/c.jpg", _facts(_flipped(bits, 5)))
    await _has(shop, "keep/d.jpg", _facts(_flipped(bits, 0, 11, 22, 33, 44, 55, 63)))
    await _has(shop, "keep/below/e.jpg", _facts(bits))
    await _has(shop, "elsewhere/f.jpg", _facts(bits))

    assert await _groups(shop) == [["a.jpg", "below/e.jpg", "c.jpg", "b.jpg"]]


@pytest.mark.parametrize(
    "other",
    [_facts(7, (35, 31, 31)), _facts(7, (32, 28, 31)), _facts(7, (32, 31, 34)), _facts(7, size=(300, 400))],
    ids=["lighter", "bluer", "redder", "tall"],
)
async def test_another_color_or_shape_is_another_product(shop: Shop, other: Facts) -> None:
    """A red chair is no copy of a blue one, although both have the same lines."""
    await _has(shop, "keep/a.jpg", _facts(7))
    await _has(shop, "keep/b.jpg", other)
    assert await _groups(shop) == []


async def test_a_chain_of_similar_images_is_not_one_group(shop: Shop) -> None:
    """Each is like the one before, the last is not like the first."""
    for number, bits in enumerate((0, 0b1111, 0b11111111, 0b111111111111)):
        await _has(shop, f"keep/{number}.jpg", _facts(bits))
    assert await _groups(shop) == [["0.jpg", "1.jpg"], ["2.jpg", "3.jpg"]]


async def test_only_facts_of_sources_as_they_are_now_count(shop: Shop) -> None:
    """Neither those of a source before, nor of one that is gone, which are deleted, nor of one without contrast."""
    await _has(shop, "keep/a.jpg", _facts(7))
    await _has(shop, "keep/replaced.jpg", _facts(7), etag='"another"')
    await _has(shop, "keep/broken.jpg", None)
    await _has(shop, "keep/flat.jpg", _facts(7).model_copy(update={"perceptual_hash": ""}))
    for name in ("gone.jpg", 'gone, "too".jpg'):
        await put_facts(shop.store, f"keep/{name}", StoredFacts(etag='"x"', facts=_facts(7)))

    assert await _groups(shop) == []
    assert await shop.files("facts/keep/") == ["a.jpg", "broken.jpg", "flat.jpg", "replaced.jpg"]


async def test_many_copies_of_one_image_are_one_look(shop: Shop, pairs: list[int]) -> None:
    """Not pairs: of a placeholder in ten thousand places there would be fifty million."""
    await asyncio.gather(*(_has(shop, f"keep/{number}.jpg", _facts(7)) for number in range(50)))
    (group,) = await _groups(shop)

    assert len(group) == 50
    assert pairs == [0]


async def test_many_looks_that_are_alike_are_few_pairs(
    shop: Shop, pairs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the frames of an animation each is like each: of ten thousand there would be fifty million."""
    monkeypatch.setattr(similar, "_MAX_CANDIDATES", 200)
    frames = [0, *(1 << place for place in range(64))]
    await asyncio.gather(*(_has(shop, f"keep/{number:02}.jpg", _facts(bits)) for number, bits in enumerate(frames)))
    (group,) = await _groups(shop)

    assert len(group) == 65
    assert pairs == [64]


@pytest.mark.parametrize("at_once", [1, 2000, similar._MAX_CANDIDATES])
async def test_all_pairs_are_found_that_comparing_each_with_each_finds(
    shop: Shop, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of hashes near a few centers, at all distances around the limit."""
    monkeypatch.setattr(similar, "_MAX_CANDIDATES", at_once)
    chance = random.Random(5)  # noqa: S311 - for a test
    centers = [chance.getrandbits(64) for _ in range(4)]
    hashes = [_flipped(chance.choice(centers), *chance.sample(range(64), chance.randint(0, 8))) for _ in range(120)]
    names = [f"{number:03}.jpg" for number in range(len(hashes))]
    await asyncio.gather(
        *(_has(shop, f"keep/{name}", _facts(bits)) for name, bits in zip(names, hashes, strict=True))
    )

    expected: list[set[str]] = []
    left = list(range(len(hashes)))
    while left:
        first = left[0]
        group = [each for each in left if (hashes[first] ^ hashes[each]).bit_count() <= similar.MAX_BITS]
        left = [each for each in left if each not in group]
        if len(group) > 1:
            expected.append({names[each] for each in group})
    assert [set(group) for group in await _groups(shop)] == expected
    assert len(expected) > 4


async def test_a_source_in_two_directories_of_formats_is_compared_once(shop: Shop) -> None:
    """One below the other."""
    formats = [make_format("keep"), make_format("b", source_directory="keep/below")]
    shop.formats = type(shop.formats)(formats)
    await _has(shop, "keep/below/a.jpg", _facts(7))
    assert await _groups(shop) == []


async def test_a_report_without_groups_is_better_than_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing and unused does not depend on them."""
    await _has(shop, "keep/a.jpg", _facts(7))
    await _has(shop, "keep/b.jpg", _facts(7))
    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg")
    monkeypatch.setattr(similar, "_ROWS", f"{similar._ROWS} LIMIT error('no space left')")
    report = await shop.report()

    assert await list_reports(shop.store, "product") == [report]
    assert await shop.missing(report) == ["jpeg/a.jpg", "keep/a.jpg"]
    assert await shop.unused(report) == ["keep/x.jpg"]
    assert await shop.rows(report, "similar") == []
