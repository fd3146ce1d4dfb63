"""The site of the documents, which `make site` builds."""

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv" / "site"
MKDOCS = ENVIRONMENT / "bin" / "mkdocs"
# What a browser requests by itself; `a` is only followed by people.
LOADED = {"audio", "embed", "iframe", "img", "link", "object", "script", "source", "video"}

pytestmark = pytest.mark.skipif(not MKDOCS.exists(), reason="mkdocs is not installed: make site")


class Page(HTMLParser):
    """What a page loads, where it leads, and the ids in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect addresses and ids."""
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in {"href", "src", "data", "poster"} and value:
                (self.loads if tag in LOADED else self.links).append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """The pages of the site; a warning of mkdocs is an error."""
    folder = tmp_path_factory.mktemp("site")
    python, docs = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "docs"
    subprocess.run([python, "docs/site/sources.py", docs], cwd=ROOT, check=True)
    command: list[str | Path] = [MKDOCS, "build", "--quiet", "--strict", "--site-dir", folder]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    assert len(pages) > 25
    return pages


def test_no_page_loads_anything_from_another_host(site: dict[Path, Page]) -> None:
    """Neither fonts, nor scripts, nor images."""
    for path, page in site.items():
        assert page.loads
        assert [each for each in page.loads if urlsplit(each).netloc] == [], path

    (folder,) = {path.parent for path in site if path.name == "404.html"}
    for style in folder.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", style.read_text(encoding="utf-8")), style


def test_every_link_leads_to_a_file_and_an_id(site: dict[Path, Page]) -> None:
    """Links between pages, to files of the repository, images, styles and scripts."""
    checked = 0
    for path, page in site.items():
        if path.name == "404.html":  # its links are those of the first page, from the root of the host
            continue
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.name}: {link}"
            if parts.fragment and target in site:
                assert unquote(parts.fragment) in site[target].ids, f"{path.name}: {link}"
            checked += 1
    assert checked > 1000


def test_the_search_knows_both_languages(site: dict[Path, Page]) -> None:
    """The index contains the English and the German pages."""
    (folder,) = {path.parent for path in site if path.name == "404.html"}
    index = (folder / "search" / "search_index.json").read_text(encoding="utf-8")

    assert "Schonfrist" in index
    assert "reverse proxy" in index
