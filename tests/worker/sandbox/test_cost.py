"""Which images are expected to be expensive."""

import pytest

from services.worker.sandbox.cost import CostMemory, Traits, traits
from tests.testing import image_files


def image(identity: str, kind: str = "GIF") -> Traits:
    """Return the traits of an image."""
    return Traits(identity.encode(), (kind, 10, 20, 0))


def test_an_image_is_what_it_was() -> None:
    """Whatever others of its kind are."""
    memory = CostMemory()
    for name in ("a", "b", "c"):
        memory.add(image(name), expensive=True)
    memory.add(image("d"), expensive=False)

    assert [memory.is_expensive(image(name)) for name in ("a", "b", "c", "d")] == [True, True, True, False]


def test_images_like_those_that_were_all_expensive_are_expected_to_be() -> None:
    """Until one is not."""
    memory = CostMemory()
    expected = []
    for name, expensive in (("a", True), ("b", True), ("c", False), ("d", True), ("e", True)):
        expected.append(memory.is_expensive(image(name)))
        memory.add(image(name), expensive=expensive)

    assert expected == [False, False, True, False, False]
    assert memory.is_expensive(image("f"))
    assert not memory.is_expensive(image("f", kind="PNG"))


def test_an_image_counts_once_for_its_kind() -> None:
    """However often it comes."""
    memory = CostMemory()
    for _ in range(3):
        memory.add(image("a"), expensive=True)

    assert not memory.is_expensive(image("b"))


def test_memory_is_bounded() -> None:
    """The oldest images are forgotten."""
    memory = CostMemory()
    for number in range(5000):
        memory.add(image(str(number), kind=str(number)), expensive=True)

    assert not memory.is_expensive(image("0", kind="0"))
    assert memory.is_expensive(image("4999", kind="4999"))


@pytest.mark.parametrize("data", [b"", b"no image", image_files.jpeg()[:40], image_files.gif()[:7]])
def test_any_bytes_have_traits(data: bytes) -> None:
    """Broken ones too."""
    assert traits(data) == traits(data)


def test_scans_distinguish_images_of_one_size() -> None:
    """A photograph is no image of a hundred scans."""
    plain, progressive = (image_files.jpeg((300, 200), progressive=value) for value in (False, True))

    assert traits(plain).kind != traits(progressive).kind
    assert traits(plain).identity != traits(progressive).identity


def test_scans_are_counted_up_to_a_number() -> None:
    """So that a file of nothing but scans takes no time; those of ordinary progressive images are all counted."""
    head = image_files.jpeg((300, 200))
    few, many, more = (traits(head + b"\xff\xda" * n + bytes(80_000 - 2 * n)) for n in (10, 5_000, 40_000))

    assert few.kind < many.kind == more.kind
