"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from imageconverter import errors
from imageconverter.errors import ImageConverterError
from services.gateway.auth.api_keys import PERMISSIONS
from services.gateway.routes import routes
from tests.documents import generated

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", generated.documents(), ids=_name)
def test_generated_parts_are_current(document: Path) -> None:
    """If this fails, run `make docs`."""
    assert document.read_text(encoding="utf-8") == generated.documents()[document]


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_has_a_target(document: Path) -> None:
    """Relative links name files that exist."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_anchor_has_a_heading(document: Path) -> None:
    """Links to sections name a heading as GitHub writes its anchor."""
    for target, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", document.read_text()):
        text = (document.parent / target).read_text() if target else document.read_text()
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}, (
            f"{target}#{anchor}"
        )


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_mentioned_path_exists(document: Path) -> None:
    """The text mentions no file that was moved or deleted."""
    for named in re.findall(r"`((?:services|shared|tests|bench|docs)/[\w./-]+)`", document.read_text()):
        assert (ROOT / named).exists(), named


def test_decisions_are_numbered_in_order() -> None:
    """No number is missing, and none is there twice."""
    numbers = re.findall(r"^## (\d+)\. ", (ROOT / "docs" / "decisions.md").read_text(), re.MULTILINE)

    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


def test_every_permission_is_explained() -> None:
    """The document on access contains all of them."""
    text = (ROOT / "docs" / "access.md").read_text()

    for permission in PERMISSIONS:
        assert permission in text or f".{permission.rpartition('.')[2]}`" in text


def test_the_tree_of_errors_is_complete() -> None:
    """The diagram in the module's docstring contains every class."""

    def subclasses(kind: type[ImageConverterError]) -> list[type[ImageConverterError]]:
        return [kind, *(below for each in kind.__subclasses__() for below in subclasses(each))]

    for kind in subclasses(ImageConverterError):
        assert kind.__name__ in str(errors.__doc__)


def test_the_url_table_is_complete() -> None:
    """README's tables contain every route that is no page, those of the images API with the short base."""
    text = (ROOT / "README.md").read_text()

    for route in routes():
        path = re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)
        if not path.startswith(("/admin", "/console", "/docs")) and not path.endswith("/"):
            assert f"`{route.method} {path}`" in text
