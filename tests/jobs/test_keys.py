"""The table in the docstring of `imageconverter.keys` and its functions."""

import inspect
import re

import pytest

from imageconverter import keys
from imageconverter.jobs import job_key

_PLACEHOLDERS = {
    "run_id": "<run>",
    "job_id": "<id>",
    "pending_id": "<id>",
    "trash_id": "<id>",
    "path": "<path>",
    "kind": "<type>",
    "context": "<context>",
    "generation": "<generation>",
    "version": "<version>",
    "folder": "<folder>",
    "role": "<role>",
    "number": "<minute>",
    "address": "<address>",
    "endpoint": "<endpoint>",
    "login_id": "<login>",
    "request_hash": "<hash>",
    "task": "<task>",
    "start": 0,
    "counts": "<counts>",
    "item": "<n>-<h>/<path>",
    "base_id": "<base>",
    "difference": "<difference>",
    "part": 0,
    "failed_at": 0,
    "key": "a key",
    "documented": "format",
    "extension": ".extension",
    "identity": b"<id>",
    "directory": "<d>",
    "first": "<s>",
    "output": "<file type>",
}
_NAMES = {
    "queue": "<queue>",
    "wake": "<queue>",
    "dedup_key": "<name>",
    "catalog_part": "entries-<n>.parquet",
    "report_rows": "<table>-<n>.ndjson",
}
# Keys of the table that other modules put together, from the functions and names here.
_ELSEWHERE = {
    keys.EPOCH_COPY,
    keys.OWNER,
    keys.REPORT_SCHEDULE,
    keys.RUN_SCHEDULE,
    keys.WRITE_CHECK,
    job_key("<id>"),
    "source/upload/<12 hex>/<name>",
    "catalog/<type>/arriving/<id>/<n>",
}
_HASH = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}")


def _table() -> set[str]:
    """Return the keys of the table."""
    found = set()
    for line in re.findall(r"^    (\S.*?)(?: {2,}.*)?$", keys.__doc__ or "", re.MULTILINE):
        first, *others = line.split(", ")
        found |= {first, *(f"{first.rpartition('/')[0]}/{each}" for each in others)}
    return found


def _built() -> set[str]:
    """Return what the functions and constants give, with the placeholders of the table."""
    found = {value for name, value in vars(keys).items() if name.isupper() and str(value).startswith("ic:")}
    for name, function in inspect.getmembers(keys, inspect.isfunction):
        if function.__module__ != keys.__name__ or str(function.__doc__).startswith("Return "):
            continue
        given = {**_PLACEHOLDERS, "name": _NAMES.get(name, "")}
        built = function(*(given[parameter] for parameter in inspect.signature(function).parameters))
        text = built.decode() if isinstance(built, bytes) else built
        found.add(_HASH.sub("<hh>/<h>", text).replace("0" * 12, "<n>").replace("format.ext", "<format>.<ext"))
    return {re.sub("<extension$", "<extension>", key) for key in found}


def test_table_contains_each_key_that_is_built() -> None:
    """A prefix is part of the keys that begin with it; a constant may be one of a family of keys."""
    families = [re.compile(re.sub("<.+?>", ".+", key)) for key in _table()]
    missing = {
        key
        for key in _built()
        if not any(each.startswith(key) for each in _table()) and not any(each.fullmatch(key) for each in families)
    }

    assert missing == set()


@pytest.mark.parametrize("key", sorted(_table() - _ELSEWHERE))
def test_each_key_of_the_table_is_built(key: str) -> None:
    """By a function, or from a prefix that a function gives."""
    family = re.compile(re.sub("<.+?>", ".+", key))
    prefixes = tuple(each for each in _built() if each.endswith("/") and "<" in each)

    assert key in _built() or any(map(family.fullmatch, _built())) or key.startswith(prefixes)
