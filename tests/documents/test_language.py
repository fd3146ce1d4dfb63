"""Code and documents use the terms of docs/glossary.md, not the words that these replaced."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_FOLDERS = (".ci", ".github", "bench", "docs", "helm", "openapi", "release", "services", "shared", "tests")
_SUFFIXES = {".py", ".lua", ".md", ".yaml", ".yml", ".tpl", ".toml", ".example", ""}

# What to write instead: image, catalog, queue, dead letter, expensive, frame, store, index, needs refill, requeue,
# retry timeout, fix, print or show, none, anyone, failure.
_WORDS = re.compile(
    r"pictures?|catalogues?|lanes?|epitaphs?|exhum\w+|bury|burie[ds]|dear(er|est)?|parcels?|ledgers?|shel(f|ves)|hungry"
    r"|revive[ds]?|patience|mend(s|ed|ing)?|tell(s|ing)?|told|nobody|somebody|who(m)?ever|trouble|behaviours?|colours?"
    r"|neighbours?|of ours|of theirs|what became of|pass(ed|es|ing)? over|given up|turn(s|ed)? away"
    r"|put(s)? back|known as alive"
)
# The names of bounds begin with max and min.
_BOUNDS = re.compile(r"(?<![A-Za-z_])_*(?:most|least|longest)_\w+", re.IGNORECASE)

# Names that keep such a word.
_PUBLIC = re.compile(
    r"pictures_per_child|revive-(?:run|imports)"  # settings and tasks
    r"|passed_?over|\blane[:=]|id, lane,|[\"'`{(]lane[\"'`,}=)]|myPicture"  # JSON, labels
    r"|</?picture>|/shelf|shelf\.json|ic:lane|import_catalogue|[\"'.]catalogue[\"']|least_side"  # stored data
    r"|least_recently_used|\.most_common|(?:\.|def )tell\(",  # terms, methods of Python
    re.IGNORECASE,
)
# A metafile of GKSM consists of pictures, a drawing of XFIG may contain one.
_FILES_WITH_PICTURES = re.compile(r"gksm|xfig|/fig_files|rare_formats/README")


def _words(path: Path) -> Iterator[str]:
    """Yield the words of *path* to replace: in names, comments, docstrings and texts."""
    text = _PUBLIC.sub("", path.read_text(encoding="utf-8"))
    yield from _BOUNDS.findall(text)
    spaced = re.sub(r"(?<=[a-z\d])(?=[A-Z])|[_\s#\"]+", " ", text)
    has_pictures = _FILES_WITH_PICTURES.search(path.as_posix())
    for found in re.finditer(rf"\b(?:{_WORDS.pattern})\b", spaced, re.IGNORECASE):
        if not (has_pictures and found[0].lower().startswith("picture")):
            yield found[0]


def _groups() -> dict[str, list[Path]]:
    """Return all files of the project by their room."""
    groups: dict[str, list[Path]] = {".": [_ROOT / ".env.example", *filter(_is_checked, _ROOT.glob("[!.]*"))]}
    for folder in _FOLDERS:
        for path in filter(_is_checked, (_ROOT / folder).rglob("*")):
            parts = path.relative_to(_ROOT).parts[:-1]
            groups.setdefault("/".join(parts[: 3 if parts[0] in ("services", "shared") else 2]), []).append(path)
    return groups


def _is_checked(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.suffix in _SUFFIXES and path != Path(__file__)


@pytest.mark.parametrize("room", sorted(_groups()))
def test_a_room_uses_the_terms_of_the_glossary(room: str) -> None:
    """Each word found is named with its file."""
    found = [f"{path.relative_to(_ROOT)}: {word}" for path in _groups()[room] for word in _words(path)]

    assert found == []
