"""Every code block of the documents is read as what it is, run by tests/stack, or says why not."""

import ast
import csv
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from imageconverter.images.formats_file import load_formats, parse_formats
from imageconverter.images.subshops_file import parse_subshops
from services.gateway.auth.api_keys import read_keys
from tests.documents import code_blocks
from tests.documents.code_blocks import SHELL, CodeBlock

BLOCKS = code_blocks.all_code_blocks()


class _Loader(yaml.SafeLoader):
    """Reads the tags of Compose files as well."""


_Loader.add_constructor("!reset", lambda _loader, _node: None)
_Loader.add_constructor("!override", lambda _loader, _node: None)


def _read_toml(text: str) -> object:
    tables = tomllib.loads(text)
    if "format" in tables:
        return parse_formats(text, "block")
    if "subshop" in tables:
        return parse_subshops(text, "block", load_formats(None))
    assert set(tables) in ({"key"}, {"notification"})
    return tables


def _read_python(text: str) -> object:
    return ast.parse(text)


def _read_csv(text: str) -> object:
    rows = list(csv.reader(io.StringIO(text), csv.Sniffer().sniff(text, ",;")))
    assert {len(each) for each in rows} == {3}
    return rows


READERS: dict[str, Callable[[str], object]] = {
    "csv": _read_csv,
    "json": json.loads,
    "python": _read_python,
    "toml": _read_toml,
    "yaml": lambda text: yaml.load(text, _Loader),  # noqa: S506 - a SafeLoader
}
SHOWN = ("text",)  # output of commands, and drawings


def test_every_block_is_run_or_read_or_says_why_not() -> None:
    """A block in another language has a comment `not run: REASON` before it."""
    handled = {*READERS, *SHELL, *SHOWN}

    assert [f"{each}: {each.language}" for each in BLOCKS if each.language not in handled and not each.not_run] == []
    assert len(BLOCKS) > 120
    assert len([each for each in BLOCKS if each.language in SHELL and not each.not_run]) > 20


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language in READERS], ids=str)
def test_a_block_is_what_it_says(block: CodeBlock) -> None:
    """Each is read by the reader of its language, formats files by that of the project."""
    assert READERS[block.language](block.text)


def test_the_keys_file_of_the_document_is_read(tmp_path: Path) -> None:
    """With a digest in place of the ellipsis."""
    (block,) = [each for each in BLOCKS if each.language == "toml" and "[[key]]" in each.text]
    (tmp_path / "keys.toml").write_text(block.text.replace("…", "0" * 64), encoding="utf-8")

    (key,) = read_keys(tmp_path / "keys.toml")
    assert key.name == "shop"
