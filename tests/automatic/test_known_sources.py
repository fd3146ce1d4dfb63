"""The known sources, compared with a sorted list."""

import random
from bisect import bisect_right
from collections.abc import Callable
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.automatic import known_sources
from imageconverter.automatic.known_sources import KnownSources
from imageconverter.resources import Resources

ORDERS: dict[str, Callable[[str], str]] = {"by bytes": str, "by directory": lambda key: key.replace("/", "\0")}


@pytest.mark.parametrize("order", ORDERS)
async def test_known_sources_are_those_of_all_replacements(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """Whatever the segments are, and read anew each time; names contain characters before and behind the slash."""
    monkeypatch.setattr(known_sources, "_SEGMENT_NAMES", 4)
    place, chance, directory = ORDERS[order], random.Random(5), f"known-{uuid4().hex}"  # noqa: S311 - a test
    names = [
        "".join(chance.choices("a/.-é", k=chance.randint(1, 5))).strip("/").replace("//", "/") for _ in range(99)
    ]
    universe = sorted({keys.source(f"{directory}/x{name}y") for name in names}, key=place)
    probe = [keys.source(f"{directory}/{name}") for name in ("a/z", "a.b")]
    assert await KnownSources(resources.store, directory).is_ordered("", sorted(probe, key=place))

    expected: list[str] = []
    for _ in range(40):
        known = KnownSources(resources.store, directory)
        low, high = sorted(chance.sample(range(len(universe)), 2))
        after, last = universe[low] if low else "", universe[high]
        begin = low + 1 if low else 0
        within = [each for each in universe[begin : high + 1] if chance.random() < 0.7]
        await known.replace(after, last, within)
        expected = sorted({*expected} - {*universe[begin : high + 1]} | {*within}, key=place)
        added, removed = chance.sample(universe, 3), chance.sample(universe, 3)
        await known.add(added)
        await known.discard(removed)
        expected = sorted({*expected, *added} - {*removed}, key=place)
        assert await known.between("", universe[-1]) == expected
        places = [place(each) for each in expected]
        between = expected[bisect_right(places, place(after)) : bisect_right(places, place(last))]
        assert await known.between(after, last) == between
    assert await walked(KnownSources(resources.store, directory)) == expected


async def walked(known: KnownSources) -> list[str]:
    """Return all known sources, step by step."""
    found: list[str] = []
    while step := await known.next_after(found[-1] if found else ""):
        found += step
    return found


async def test_an_order_that_is_neither_is_noticed(resources: Resources) -> None:
    """Nothing can be said of what is not listed then."""
    known = KnownSources(resources.store, f"known-{uuid4().hex}")
    assert not await known.is_ordered("", ["b", "a"])
    assert await known.is_ordered("", ["a", "b"])


@pytest.mark.parametrize("text", [b"{", b'{"firsts": 3}', b"[]"])
async def test_what_cannot_be_read_is_not_known(resources: Resources, text: bytes) -> None:
    """It is seen again."""
    directory = f"known-{uuid4().hex}"
    await resources.store.put(keys.known_sources_contents(directory), text, content_type="application/json")
    known = KnownSources(resources.store, directory)
    assert await known.next_after("") == []
    await known.add([keys.source(f"{directory}/a")])
    assert await KnownSources(resources.store, directory).next_after("") == [keys.source(f"{directory}/a")]
