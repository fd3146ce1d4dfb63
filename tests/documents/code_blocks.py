"""The code blocks of the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SHELL = ("sh", "bash")
_REASON = re.compile(r"<!-- not run: (.+) -->")


class CodeBlock(NamedTuple):
    """A block of code, with the reason for which it is not run, if there is one."""

    document: Path
    line: int
    language: str
    text: str
    not_run: str = ""

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def code_blocks(document: Path) -> Iterator[CodeBlock]:
    """Yield the blocks of *document*; an invisible comment before a block says why it is not run."""
    reason = ""
    for token in MarkdownIt("commonmark").parse(document.read_text(encoding="utf-8")):
        if token.type in {"fence", "code_block"} and token.map:
            yield CodeBlock(document, token.map[0] + 1, token.info.strip(), token.content, reason)
        found = _REASON.fullmatch(token.content.strip()) if token.type == "html_block" else None
        reason = found[1] if found else ""


def all_code_blocks() -> list[CodeBlock]:
    """Return the blocks of all documents."""
    return [block for document in DOCUMENTS for block in code_blocks(document)]
