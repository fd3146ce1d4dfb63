"""The licenses of what is shipped or installed with the project: requirements/licenses.toml, as a document."""

import ast
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("runtime", "embedded", "heic", "faces", "tracing", "sentry")
"""The lock files of what runs, as opposed to what tests and checks."""

_VENDORED = ROOT / "services" / "gateway" / "console" / "assets" / "vendor" / "vendored.toml"
_TERM = re.compile(r"\b(?!AND\b|OR\b)\w[\w.+-]*(?: WITH [\w.-]+)?")


@dataclass(frozen=True)
class Licenses:
    """Licenses as SPDX expressions, by name."""

    accepted: list[str]
    because: dict[str, str]
    packages: dict[str, str]
    programs: dict[str, dict[str, str]]
    libraries: dict[str, dict[str, str]]

    def permits(self, expression: str) -> bool:
        """Whether *expression* can be satisfied by accepted licenses, those with a reason included."""
        permitted = {*self.accepted, *self.because}
        terms = _TERM.sub(lambda found: str(found[0] in permitted), " ".join(expression.split()))
        return _value(ast.parse(terms.replace("AND", "and").replace("OR", "or"), mode="eval").body)


@dataclass(frozen=True)
class Asset:
    """A package whose files the console serves."""

    name: str
    version: str
    license: str


def load() -> Licenses:
    """Return the reviewed licenses."""
    return Licenses(**tomllib.loads((ROOT / "requirements" / "licenses.toml").read_text(encoding="utf-8")))


def terms(expression: str) -> list[str]:
    """Return the licenses of an SPDX expression, with their exceptions."""
    return _TERM.findall(" ".join(expression.split()))


def locked(lock: str) -> dict[str, list[str]]:
    """Return the packages of a lock file; versions may differ by Python version."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", text):
        found.setdefault(name, []).append(version)
    return found


def assets() -> list[Asset]:
    """Return the packages whose files are vendored."""
    packages = tomllib.loads(_VENDORED.read_text(encoding="utf-8"))["package"]
    return [Asset(each["name"], each["version"], each["licence"]) for each in packages]


def document() -> str:
    """Return the tables of docs/licenses.md."""
    licenses, locks = load(), {lock: locked(lock) for lock in LOCKS}
    names = sorted({name for packages in locks.values() for name in packages})
    versions = {
        name: sorted({version for packages in locks.values() for version in packages.get(name, [])}) for name in names
    }
    first = {name: next(lock for lock in LOCKS if name in locks[lock]) for name in names}
    libraries: dict[str, dict[str, list[str]]] = {}
    for package, contents in licenses.libraries.items():
        for library, expression in contents.items():
            libraries.setdefault(package, {}).setdefault(expression, []).append(library)
    return "\n\n".join(
        [
            "## Python packages",
            _table(
                ("package", "version", "license", "lock"),
                ((name, " or ".join(versions[name]), licenses.packages[name], first[name]) for name in names),
            ),
            "## Files of the console",
            _table(("package", "version", "license"), ((each.name, each.version, each.license) for each in assets())),
            "## Programs inside of packages",
            _table(
                ("package", "program", "license"),
                ((package, *each) for package, contents in licenses.programs.items() for each in contents.items()),
            ),
            "## Shared libraries inside of packages",
            _table(
                ("package", "license", "libraries"),
                (
                    (package, expression, ", ".join(contents))
                    for package, by_license in libraries.items()
                    for expression, contents in sorted(by_license.items())
                ),
            ),
            "## Licenses with conditions",
            _table(("license", "why it is accepted"), licenses.because.items()),
        ]
    )


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head, *lines = (f"| {' | '.join(row)} |" for row in (columns, *rows))
    return "\n".join([head, re.sub(r" [^|]+ ", "---", head), *lines])


def _value(tree: ast.expr) -> bool:
    """Evaluate an expression of True, False, `and` and `or`."""
    if isinstance(tree, ast.BoolOp):
        return (all if isinstance(tree.op, ast.And) else any)(map(_value, tree.values))
    return isinstance(tree, ast.Constant) and tree.value is True
