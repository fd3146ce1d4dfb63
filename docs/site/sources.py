"""The sources of the site: the documents of the repository in one folder, with links that work there.

Documents outside of docs/ keep their paths; other files that documents link to are copied below `files`. The folder
is plain Markdown, for any generator of sites.
"""

import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "shared/rare_formats/README.md")
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]+)(#[^)]*)?\)")


def write_sources(folder: Path) -> None:
    """Write all pages, images and linked files to *folder*, which is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("site", "*.md"))
    pages = {path: path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    pages |= {ROOT / name: Path(name) for name in PAGES}
    for path, name in pages.items():
        page = folder / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_with_links_of_site(path, name, folder), encoding="utf-8")


def _with_links_of_site(path: Path, name: Path, folder: Path) -> str:
    """Return the text of a document with the links of the site instead of those of the repository."""

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        linked = Path(os.path.normpath(path.parent / target))
        if linked.is_dir():
            return text
        return f"[{text}]({os.path.relpath(_name(linked, folder), name.parent)}{anchor})"

    return LINK.sub(link, path.read_text(encoding="utf-8"))


def _name(linked: Path, folder: Path) -> Path:
    """Return where the site has the file *linked*; one that is no document is copied."""
    if linked.is_relative_to(DOCS):
        return linked.relative_to(DOCS)
    name = linked.relative_to(ROOT)
    if name.as_posix() in PAGES:
        return name
    if name.as_posix() == "README.md":
        return Path("index.md")
    copy = folder / "files" / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(linked, copy)
    return Path("files") / name


if __name__ == "__main__":
    write_sources(Path(sys.argv[1]))
