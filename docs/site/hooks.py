"""Hooks of mkdocs: pages from outside of docs/, and links to files of the repository, for the site."""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
PAGES = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "shared/rare_formats/README.md")
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the documents that are elsewhere in the repository."""
    for name in PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Make the links of a page, which are those of the repository, links of the site."""
    here = page.file.src_uri
    folder = (ROOT / ("" if here in PAGES else "docs") / here).parent

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        path = Path(os.path.normpath(folder / target))
        if path.is_dir():
            return text
        uri = _uri(path, config, files)
        return f"[{text}]({os.path.relpath(uri, Path(here).parent)}{anchor})"

    return LINK.sub(link, markdown)


def _uri(path: Path, config: Any, files: Any) -> str:
    """Return where the site has *path*; files that are no documents are copied below `files`."""
    if path.is_relative_to(ROOT / "docs"):
        return path.relative_to(ROOT / "docs").as_posix()
    name = path.relative_to(ROOT).as_posix()
    if name in PAGES:
        return name
    if name == "README.md":
        return "index.md"
    uri = f"files/{name}"
    if files.get_file_from_path(uri) is None:
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    return uri
