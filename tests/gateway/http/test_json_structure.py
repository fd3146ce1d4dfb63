"""What the scan rejects before a JSON body is parsed."""

import json
import random
from typing import Any

import pytest

from imageconverter.errors import MalformedBody
from services.gateway.http.json_structure import MAX_DEPTH, MAX_FIELDS, MAX_VALUES, check_structure

GOOD = [
    b"{}",
    b"",
    b'{"a": "b", "b": "a"}',
    b'{"a": {"a": [{"a": "a"}, {"a": 1}]}, "b": {"a": 1}}',
    b'{"a": "\\"", "b": "\\\\", "c": "\\\\\\"", "d": "a:{[\\"NaN\\":"}',
    b'{"NaN": "Infinity", "a\\"": 1, "a": 2}',
    b'{"a": "a", "b" : "a"}',
    '{"\u00fc": 1, "u\u0308": 1}'.encode(),
    b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
    b'{"a": [' + b",".join([b'"[[["'] * (MAX_VALUES - 2)) + b"]}",
    json.dumps({str(number): number for number in range(MAX_FIELDS)}).encode(),
    b"[" + b",".join([json.dumps({str(n): n for n in range(MAX_FIELDS)}).encode()] * 9) + b"]",
]

BAD = [
    b'{"a": 1, "a": 1}',
    b'{"a": 1, "\\u0061": 1}',
    b'{"\\/": 1, "/": 1}',
    b'{"a": {"b": [1, {"c": 1, "d": "c", "c": 1}]}}',
    b'{"a": {"b": 1}, "a": 1}',
    b'{"a":\n1, "b": [[]], "a" \r\n\t : 1}',
    b'{"": 1, "": 1}',
    b'{"a": NaN}',
    b'{"a": -Infinity, "b": ""}',
    b"[" * (MAX_DEPTH + 1),
    b'{"a":' * MAX_DEPTH + b"[1]" + b"}" * MAX_DEPTH,
    b'{"a": [' + b"1," * MAX_VALUES + b"1]}",
    b"[" + b"[]" * MAX_VALUES,
    json.dumps({str(number): number for number in range(MAX_FIELDS + 1)}).encode(),
    b'{"' + b"a" * 5000 + b'": 1}',
    b'{"a": "b',
    b'{"a": "b\\"',
    b"]",
    b'"a": 1',
    b'["a": 1]',
    b'{"\\x": 1}',
    b'{"\xff": 1}',
    b" " * 9_000_000,
    b'""' * 1_000_000,
    b'{"a": "' + b'\\"' * 1_000_000 + b'"}',
]


def _named(text: bytes) -> str:
    return repr(text[:40])


@pytest.mark.parametrize("text", GOOD, ids=_named)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_valid_structures_pass_the_scan(text: bytes, kind: type[bytes]) -> None:
    """Equal keys in different objects, brackets and literals in strings, up to all limits."""
    check_structure(kind(text))


@pytest.mark.parametrize("text", BAD, ids=_named)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_expensive_and_ambiguous_bodies_are_rejected(text: bytes, kind: type[bytes]) -> None:
    """With a message that does not quote the body."""
    with pytest.raises(MalformedBody) as caught:
        check_structure(kind(text))
    assert len(caught.value.reason) < 60


def _anything(rng: random.Random, depth: int) -> Any:
    match rng.randrange(6 if depth else 4):
        case 0 | 1:
            return "".join(rng.choices('\\"/:,[]{}NIa\u00fc\n', k=rng.randrange(6)))
        case 2:
            return rng.choice([None, True, 1.5, -7])
        case 3:
            return {}
        case 4:
            return [_anything(rng, depth - 1) for _ in range(rng.randrange(4))]
        case _:
            return {_anything_text(rng): _anything(rng, depth - 1) for _ in range(rng.randrange(4))}


def _anything_text(rng: random.Random) -> str:
    return "".join(rng.choices('\\"/:,{}a\u00fc', k=rng.randrange(4)))


def _has_duplicates(text: str) -> bool:
    found = False

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found |= len(dict(pairs)) < len(pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=note)
    return found


def test_keys_are_recognized_as_by_a_parser() -> None:
    """Of three thousand documents, those with a duplicate key according to the standard library are rejected."""
    rng = random.Random(7)  # noqa: S311 - the same every time
    seen = set()
    for _ in range(3000):
        text = json.dumps(
            {"a": _anything(rng, 4), "b": _anything(rng, 3)},
            ensure_ascii=rng.random() < 0.5,
            indent=rng.choice([None, 1]),
        )
        if rng.random() < 0.5:
            key = json.dumps(_anything_text(rng))
            text = text.replace("{", f"{{{key}: 1, ", rng.randrange(3)).replace(", }", "}")
        try:
            expected = _has_duplicates(text)
        except ValueError:
            continue  # the piece was inserted into a string, or is not followed by a value
        try:
            check_structure(text.encode())
            refused = False
        except MalformedBody:
            refused = True
        assert refused == expected, text
        seen.add(expected)
    assert seen == {True, False}
