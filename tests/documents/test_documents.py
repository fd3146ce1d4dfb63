"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from imageconverter import errors
from imageconverter.errors import ImageConverterError
from imageconverter.settings import settings_table
from services.gateway.auth.access import PERMISSIONS
from services.gateway.routes import routes

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_settings_table_is_current() -> None:
    """The operations document contains what `imageconverter settings` prints."""
    text = (ROOT / "docs" / "operations.md").read_text()
    found = re.search(r"<!-- settings -->\n(.*)\n<!-- /settings -->", text, re.DOTALL)

    assert found
    assert found[1].strip() == settings_table().strip()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_has_a_target(document: Path) -> None:
    """Relative links name files that exist."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_mentioned_path_exists(document: Path) -> None:
    """The text mentions no file that was moved or deleted."""
    for named in re.findall(r"`((?:services|shared|tests|bench|docs)/[\w./-]+)`", document.read_text()):
        assert (ROOT / named).exists(), named


def test_every_permission_is_explained() -> None:
    """The operations document contains all of them."""
    text = (ROOT / "docs" / "operations.md").read_text()

    for permission in PERMISSIONS:
        assert permission in text or f".{permission.rpartition('.')[2]}`" in text


def test_the_tree_of_errors_is_complete() -> None:
    """The diagram in the module's docstring contains every class."""

    def subclasses(kind: type[ImageConverterError]) -> list[type[ImageConverterError]]:
        return [kind, *(below for each in kind.__subclasses__() for below in subclasses(each))]

    for kind in subclasses(ImageConverterError):
        assert kind.__name__ in str(errors.__doc__)


def test_the_url_table_is_complete() -> None:
    """README's tables contain every route, those of the images API with the short base."""
    text = (ROOT / "README.md").read_text()

    for route in routes():
        path = re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)
        if not path.startswith("/admin") and not path.endswith("/"):
            assert f"`{route.method} {path}`" in text
