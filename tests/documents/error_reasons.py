"""All reasons of errors that the code contains, as the tables of docs/errors.md."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from imageconverter import errors
from imageconverter.errors import BrokenLine, ImageConverterError, ImageError, TooManyAttempts, Unsupported

_ROOT: Final = Path(__file__).parents[2]
_FOLDERS: Final = ("services/gateway", "services/reporter", "services/worker", "shared/imageconverter")
_GAP: Final = "…"
_CLASSES: Final = {
    name: each
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, ImageConverterError)
}


class Reason(NamedTuple):
    """A reason; what differs from request to request is an ellipsis in it."""

    kind: type[ImageConverterError]
    text: str


def responses_table() -> str:
    """Return the reasons of error responses."""
    rows = {
        (each.kind.status, each.kind.code, each.text, _retry(each.kind))
        for each in _reasons()
        if not issubclass(each.kind, ImageError)
    }
    lines = [
        f"| {status} | {f'`{code}`' if code else ''} | {text} | {retry} |"
        for status, code, text, retry in sorted(rows)
    ]
    return "\n".join(["| status | type | reason | `Retry-After` |", "|---|---|---|---|", *lines])


def results_table() -> str:
    """Return the reasons for which an image is not converted."""
    texts = {each.text for each in _reasons() if issubclass(each.kind, ImageError)}
    return "\n".join(["| reason |", "|---|", *(f"| {text} |" for text in sorted(texts))])


def _retry(kind: type[ImageConverterError]) -> str:
    return "yes" if kind.retry_seconds or issubclass(kind, TooManyAttempts) else ""


def _reasons() -> Iterator[Reason]:
    for folder in _FOLDERS:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = _assigned_texts(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    yield from _of_call(node, texts)


def _of_call(call: ast.Call, texts: dict[str, str]) -> Iterator[Reason]:
    match call.func:
        case ast.Name(id=name) if name in _CLASSES:
            kind = _CLASSES[name]
        case ast.Attribute(value=ast.Name(id="Unsupported"), attr="variant"):
            kind = Unsupported
        case _:
            return
    position = 2 if kind is BrokenLine else 0
    if len(call.args) <= position:
        return
    text = _text(call.args[position], texts)
    if not text.strip(f"{_GAP}: "):
        return
    if kind is BrokenLine:
        text = f"Line {_GAP}, {_GAP}: {text}"
    elif isinstance(call.func, ast.Attribute):
        text = f"The file is not supported: {text}."
    yield Reason(kind, text.replace("<", r"\<"))


def _assigned_texts(tree: ast.Module) -> dict[str, str]:
    """Return the texts that names of a module stand for; names that have several are left out."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                found.setdefault(name, set()).add(_text(value, {}))
    return {name: next(iter(texts)) for name, texts in found.items() if len(texts) == 1}


def _text(node: ast.expr, texts: dict[str, str]) -> str:
    """Return the text of an expression, with an ellipsis for what is not known before it is evaluated."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(each, texts) for each in values)
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.Name(id=name):
            return texts.get(name, _GAP)
        case _:
            return _GAP
