"""The hash by which the body of a request is compared with that of an earlier one."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.idempotency.fingerprint import BodyHash


def digest(body: bytes, boundary: str, cuts: list[int]) -> str:
    """Return the hash of *body*, which arrives in pieces."""
    found = BodyHash(boundary)
    places = sorted(min(cut, len(body)) for cut in cuts)
    for begin, end in zip([0, *places], [*places, len(body)], strict=True):
        found.update(body[begin:end])
    return found.hexdigest()


@given(
    cuts=st.lists(st.integers(0, 60)),
    other_cuts=st.lists(st.integers(0, 60)),
    parts=st.lists(st.binary(max_size=8), min_size=1, max_size=4),
)
def test_a_form_has_one_hash_whatever_its_boundary(
    cuts: list[int], other_cuts: list[int], parts: list[bytes]
) -> None:
    """And wherever it is cut: also inside of a boundary."""
    one, other = "--first--boundary", "x7"
    bodies = [boundary.encode().join(part.replace(b"x", b"y") for part in parts) for boundary in (one, other)]

    assert digest(bodies[0], one, cuts) == digest(bodies[1], other, other_cuts)


@given(cuts=st.lists(st.integers(0, 60)), one=st.binary(max_size=60), other=st.binary(max_size=60))
def test_other_bodies_have_another_hash(cuts: list[int], one: bytes, other: bytes) -> None:
    """With a boundary or without."""
    for boundary in ("", "b"):
        assert (digest(one, boundary, cuts) == digest(other, boundary, [])) == (one == other)
