"""The catalogs of the console's texts: `python -m tests.console.catalogs` adds new messages and removes old ones.

Each page has its own, with the messages of the files whose names begin with its name; `console.po` has all others.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po, write_po

import services.gateway.console

CONSOLE: Final = Path(services.gateway.console.__file__).parent
LOCALES: Final = CONSOLE / "locale"
SHARED: Final = "console"
_METHODS: Final = {".html": "jinja2.ext:babel_extract", ".js": "javascript", ".py": "python"}
_OPTIONS: Final[dict[str, object]] = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false"}
_NO_PAGES: Final = ("base", "parts", "error")
_WIDTH: Final = 110


def languages() -> list[str]:
    """Return the languages that have catalogs."""
    return sorted(path.name for path in LOCALES.iterdir() if path.is_dir())


def extracted() -> dict[str, Catalog]:
    """Return the messages in the sources, by catalog."""
    pages = {path.stem for path in (CONSOLE / "templates").glob("*.html")} - {*_NO_PAGES}
    catalogs: dict[str, Catalog] = {}
    for path in _sources():
        name = path.relative_to(CONSOLE).as_posix()
        page = path.stem.replace("_", "-").partition("-")[0]
        keywords = {**DEFAULT_KEYWORDS, "N_": None}
        for line, message, comments, _ in extract_from_file(
            _METHODS[path.suffix], path, keywords=keywords, options=_OPTIONS if path.suffix == ".html" else None
        ):
            catalog = catalogs.setdefault(page if page in pages else SHARED, Catalog())
            catalog.add(message, None, [(name, line)], auto_comments=comments)
    return _without_shared(catalogs)


def _without_shared(catalogs: dict[str, Catalog]) -> dict[str, Catalog]:
    """Leave out of the catalogs of pages what `console.po` has, except where only a script of the page needs it."""
    shared = catalogs.get(SHARED, Catalog())
    for name, catalog in catalogs.items():
        for message in list(catalog) if name != SHARED else ():
            if message.id and message.id in shared:
                shared[message.id].locations.extend(message.locations)
                catalog.delete(message.id)
    return catalogs


def _sources() -> Iterator[Path]:
    for path in sorted(CONSOLE.rglob("*")):
        if path.suffix in _METHODS and "vendor" not in path.parts and path.is_file():
            yield path


def read(language: str, name: str) -> Catalog:
    """Return a catalog; an empty one if there is no file."""
    path = LOCALES / language / f"{name}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update() -> None:
    """Write the messages of the sources into the catalogs, whose translations stay."""
    sources = extracted()
    for language in languages():
        for path in (LOCALES / language).glob("*.po"):
            if path.stem not in sources:
                path.unlink()
        for name, template in sources.items():
            catalog = read(language, name)
            catalog.update(template, no_fuzzy_matching=True)
            catalog.obsolete.clear()
            with (LOCALES / language / f"{name}.po").open("wb") as file:
                write_po(file, catalog, width=_WIDTH, omit_header=True, include_lineno=False, sort_by_file=True)
            missing = [message.id for message in catalog if message.id and not all(_strings(message.string))]
            for each in missing:
                print(f"{language}/{name}.po: to be translated: {each}")  # noqa: T201 - a command


def _strings(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(each) for each in text] if isinstance(text, tuple) else [""]


if __name__ == "__main__":
    update()
