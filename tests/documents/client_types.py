"""The types of the client library, made from the schemas of the images API."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import yaml

_WIDTH: Final = 116
_HEAD: Final = '''"""The responses of the images API as types, made from its OpenAPI document by `make docs`."""

from typing import Any, Literal, NotRequired, TypedDict, final
'''
_TYPES: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def response_types(document: str) -> str:
    """Return a module with a type for each response of the OpenAPI *document*."""
    schemas = yaml.safe_load(document)["components"]["schemas"]
    order: list[str] = []
    for name in schemas:
        if not name.endswith("Body"):
            _add(name, schemas, order)
    texts = _texts(order, schemas)
    return _HEAD + "".join(f"\n\n{text}" if text.startswith("@") else f"\n{text}" for text in texts)


def _texts(order: list[str], schemas: dict[str, Any]) -> Iterator[str]:
    """Yield the definitions of *order*, those that are no classes first."""
    yield from (f"{name} = {_type(schemas[name])}\n" for name in order if not _is_object(schemas[name]))
    yield from (_class(name, schemas[name]) for name in order if _is_object(schemas[name]))


def _add(name: str, schemas: dict[str, Any], order: list[str]) -> None:
    """Append *name* to *order* behind the types that it refers to."""
    for reference in _references(schemas[name]):
        if reference != name:
            _add(reference, schemas, order)
    if name not in order:
        order.append(name)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _is_object(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "object"


def _class(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    lines = ["@final", f"class {name}(TypedDict):", *_docstring(schema.get("description", f"{name}."))]
    for key, value in schema.get("properties", {}).items():
        kind = _type(value).replace(f"[{name}]", f'["{name}"]')
        lines += _field(key, kind if key in required else f"NotRequired[{kind}]")
        lines += _docstring(value["description"]) if "description" in value else []
    if schema.get("properties"):
        lines.insert(2 + len(_docstring(schema.get("description", f"{name}."))), "")
    return "\n".join(lines) + "\n"


def _field(name: str, kind: str) -> list[str]:
    line = f"    {name}: {kind}"
    if len(line) <= _WIDTH + 2:
        return [line]
    outer, _, inner = kind.partition("[")
    return [f"    {name}: {outer}[", f"        {inner.removesuffix(']')}", "    ]"]


def _docstring(text: str) -> list[str]:
    paragraph = " ".join(text.split())
    if len(paragraph) + 6 <= _WIDTH - 4:
        return [f'    """{paragraph}"""']
    first, _, rest = paragraph.partition(". ")
    if rest and len(first) + 4 <= _WIDTH - 4:
        body = textwrap.wrap(rest, _WIDTH - 4)
        return [f'    """{first}.', "", *(f"    {line}" for line in body), '    """']
    wrapped = textwrap.wrap(paragraph, _WIDTH - 8)
    return [f'    """{wrapped[0]}', *(f"    {line}" for line in wrapped[1:]), '    """']


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(json.dumps(each) for each in schema.get('enum', [schema.get('const')]))}]"
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["anyOf"])).replace("] | Literal[", ", ")
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"dict[str, {_type(more) if isinstance(more, dict) else 'Any'}]"
    return _TYPES.get(str(kind), "Any")
