"""The generated parts of documents and code. `make docs` writes them; a test compares them with their sources."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from imageconverter.settings import settings_table
from release import licenses
from services.gateway.routes import IMAGECONVERTER, IMAGES, LOGIN, PLAIN
from tests.documents import cookbook, error_reasons
from tests.documents.client_types import response_types
from tests.documents.command_reference import command_reference
from tests.documents.component_schemas import with_schemas
from tests.documents.metrics_reference import metrics_table
from tests.monitoring.dashboard import dashboard

_ROOT = Path(__file__).parents[2]
_CHART_FILES = _ROOT / "helm" / "imageconverter" / "files"  # a chart can read no file outside of it
_METHODS = ("get", "post", "put", "patch", "delete")


def documents() -> dict[Path, str]:
    """Return the documents with generated parts, as they should be."""
    names = (
        "README.md",
        "docs/operations.md",
        "docs/monitoring.md",
        "docs/errors.md",
        "docs/cli.md",
        "docs/licenses.md",
    )
    readme, operations, monitoring, errors, cli, licensing = (_ROOT / each for each in names)
    recipes = cookbook.DOCUMENT.read_text(encoding="utf-8")
    contracts = {
        each: with_schemas(each.read_text(encoding="utf-8")) for each in sorted((_ROOT / "openapi").glob("*.yaml"))
    }
    return {
        readme: _replace(
            readme.read_text(encoding="utf-8"), images=_api("images"), imageconverter=_api("imageconverter")
        ),
        operations: _replace(operations.read_text(encoding="utf-8"), settings=settings_table()),
        monitoring: _replace(monitoring.read_text(encoding="utf-8"), metrics=metrics_table()),
        _ROOT / "docker" / "observe" / "dashboard.json": dashboard(),
        cli: _replace(cli.read_text(encoding="utf-8"), cli=command_reference()),
        licensing: _replace(licensing.read_text(encoding="utf-8"), licenses=licenses.document()),
        cookbook.DOCUMENT: _replace(recipes, **cookbook.tables(recipes)),
        errors: _replace(
            errors.read_text(encoding="utf-8"),
            responses=error_reasons.responses_table(),
            results=error_reasons.results_table(),
        ),
        **{
            _CHART_FILES / each.name: each.read_text(encoding="utf-8")
            for each in (_ROOT / "docker" / "redis.acl", _ROOT / "docker" / "observe" / "alerts.yml")
        },
        **contracts,
        _ROOT / "services" / "client" / "responses.py": response_types(contracts[_ROOT / "openapi" / "images.yaml"]),
    }


def _replace(text: str, **parts: str) -> str:
    """Return *text* with *parts* between the comments that name them."""
    for name, part in parts.items():
        begin, end = f"<!-- {name}, by `make docs` -->\n", f"<!-- /{name} -->\n"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"there is no place for {name}")
        text = f"{before}{begin}{part.strip()}\n{end}{after}"
    return text


def _api(name: str) -> str:
    """Return the operations of a contract as a table."""
    paths = yaml.safe_load((_ROOT / "openapi" / f"{name}.yaml").read_text(encoding="utf-8"))["paths"]
    rows = [
        f"| {requests} | {summary} | {needs} |"
        for path, item in paths.items()
        for requests, summary, needs in _rows(path, item)
    ]
    return "\n".join(["| request | description | needs |", "|---|---|---|", *rows])


def _rows(path: str, item: dict[str, dict[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each operation of a path; methods that do the same share one."""
    summaries: dict[str, list[str]] = {}
    for method in _METHODS:
        if method in item:
            summaries.setdefault(item[method]["summary"], []).append(method.upper())
    for summary, methods in summaries.items():
        yield ", ".join(f"`{method} {path}`" for method in methods), summary, _needs(methods[0], path)


def _needs(method: str, path: str) -> str:
    """Return what the route table requires of a caller."""
    for base, table in (("/images", IMAGES), ("/imageconverter", IMAGECONVERTER), ("", (*LOGIN, *PLAIN))):
        for route in table:
            if method in route.methods and base + re.sub(r":[^}]*\}", "}", route.path) == path:
                if route.requires.basic_auth:
                    return "admin password"
                permission = route.requires.permission.format(area="TYPE")
                return f"`{permission}`" if permission else ""
    raise ValueError(f"{method} {path} has no route")


if __name__ == "__main__":
    cookbook.write_images()
    for document, expected in documents().items():
        document.write_text(expected, encoding="utf-8")
