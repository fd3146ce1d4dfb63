"""The component schemas of the OpenAPI documents, made from the models of requests and responses."""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

import services.gateway.routes  # noqa: F401 - imports all handlers, and with them all models
from imageconverter.webhooks.payloads import Payload
from services.gateway.http.responses import Items, ResponseModel
from services.gateway.images_api.request_bodies import JsonBody

_REFERENCE: Final = "#/components/schemas/"
_MARK: Final = "  # The schemas are made from the models by `make docs`.\n"
_KEYWORDS: Final = (
    "$ref", "type", "others", "description", "required", "additionalProperties", "items", "properties",
)  # fmt: skip
_WIDTH: Final = 118
_MAX_LINE: Final = 96  # of a collection in one line, without its indentation


def with_schemas(document: str) -> str:
    """Return the text of *document* with the schemas that it refers to; raises ValueError if one has no model."""
    written, mark, _ = document.partition(_MARK)
    if not mark:
        raise ValueError("the document does not say where its schemas begin")
    schemas = _schemas(sorted(set(re.findall(rf'"{_REFERENCE}(\w+)"', written))))
    text = yaml.dump({"schemas": schemas}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return written + mark + re.sub("(?m)^(?=.)", "  ", text)


def _schemas(names: list[str]) -> dict[str, JsonSchemaValue]:
    responses = (model for model in _below(ResponseModel) if model is not Items)
    models: dict[str, Any] = {_name(model): model for model in (*responses, *_below(Payload))}
    models |= {f"{name}List": Items[model] for name, model in models.items()}  # type: ignore[valid-type]
    bodies = {_name(model): model for model in _below(JsonBody)}
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (models[name], "serialization") if name in models else (bodies[name], "validation")
        for name in names
        if name in models or name in bodies
    ]
    _, found = models_json_schema(modes, ref_template=f"{_REFERENCE}{{model}}", schema_generator=_Generator)
    schemas = {name: _without_title(schema) for name, schema in sorted(found.get("$defs", {}).items())}
    if unknown := set(names) - schemas.keys():  # enumerations have no model, but are part of one
        raise ValueError(f"there is no model for {', '.join(sorted(unknown))}")
    return schemas


def _below(model: type[BaseModel]) -> Iterator[type[Any]]:
    for each in model.__subclasses__():
        if "[" not in each.__name__:
            yield each
            yield from _below(each)


def _name(model: type[BaseModel]) -> str:
    return model.__name__.removesuffix("Response")


def _without_title(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {key: value for key, value in schema.items() if key != "title"}


def _tidy(schema: Any, *, is_schema: bool = True) -> Any:
    """Return *schema* with its keywords in a fixed order, and each paragraph of a description on one line."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if not is_schema:
        return {name: _tidy(each) for name, each in schema.items()}
    if "description" in schema:
        schema["description"] = re.sub(r"(?<!\n)\n(?!\n)", " ", schema["description"])
    keys = sorted(schema, key=lambda key: (_KEYWORDS.index(key if key in _KEYWORDS else "others"), key))
    return {key: _tidy(schema[key], is_schema=key not in ("properties", "$defs")) for key in keys}


class _Generator(GenerateJsonSchema):
    """Schemas without titles and defaults; a field is required in a response unless it may be omitted."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        """Return *value* as it is written."""
        return dict(_tidy(value))

    def normalize_name(self, name: str) -> str:
        """Return the name of a component for that of a model, which may be `Items[…]`."""
        return re.sub(r"Items\[(\w+)\]", r"\1List", name.replace("Response", ""))

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Return False: titles repeat the names."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema without the default, which is none of the API but of the code."""
        return self.generate_inner(schema["schema"])

    def model_field_schema(self, schema: core_schema.ModelField) -> JsonSchemaValue:
        """Return the schema of a field; one that is omitted if it is None is never null."""
        inner: Any = schema["schema"]
        if "serialization_exclude_if" in schema:
            inner = inner["schema"]["schema"]  # below the default and the null
        return self.generate_inner(inner)

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: FBT001 - as pydantic defines it
        """Return whether the field is always there."""
        if self.mode == "serialization":
            return "serialization_exclude_if" not in field
        return super().field_is_required(field, total)


class _Dumper(yaml.SafeDumper):
    """Writes what fits in a line in one line, and no aliases."""

    def represent_data(self, data: Any) -> yaml.Node:
        """Represent *data*; of a schema of an object, each property has a line of its own."""
        node = super().represent_data(data)
        if isinstance(node, yaml.CollectionNode):
            line = yaml.safe_dump(data, default_flow_style=True, width=10 * _MAX_LINE, allow_unicode=True)
            node.flow_style = "properties" not in data and len(line) < _MAX_LINE
        return node

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Return True."""
        return True
