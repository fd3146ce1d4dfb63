"""Values that the chart refuses, and what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from imageconverter.settings.loading import PARTS
from tests.helm.chart import CASES, CHART, Values, render

_DOCUMENT = Path(__file__).parents[2] / "docs" / "kubernetes.md"
_VALUES: Values = yaml.safe_load((CHART / "values.yaml").read_text())
_SCHEMA: Values = json.loads((CHART / "values.schema.json").read_text())


@pytest.mark.parametrize("missing", ["image", "secret", "redis", "s3"])
def test_what_has_no_default_is_named(missing: str) -> None:
    """The image, the secrets, and the addresses of the servers: there is no default password."""
    values = {name: value for name, value in CASES["defaults"].items() if name != missing}

    with pytest.raises(RuntimeError, match=rf"{missing}\.\w+ must be set"):
        render(values)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"gatway": {}}, "gatway"),
        ({"gateway": {"replica": 2}}, "replica"),
        ({"worker": {"replicas": 0}}, "replicas"),
        ({"worker": {"autoscaling": {"type": "keda", "minReplicas": 0}}}, "minReplicas"),
        ({"worker": {"autoscaling": {"type": "cpu"}}}, "type"),
        ({"settings": {"IMAGECONVERTER_CONTENT_MAX_AGE": 1000000}}, "IMAGECONVERTER_CONTENT_MAX_AGE"),
        ({"settings": {"IMAGECONVERTER_API_KEY": "x"}}, "IMAGECONVERTER_API_KEY"),
        ({"settings": {"LOG_LEVEL": "debug"}}, "LOG_LEVEL"),
        ({"image": {"repository": "registry.example.org/imageconverter:latest"}}, "repository"),
        ({"networkPolicy": {"clients": [{"cidr": "10.0.0.0/8"}]}}, "cidr"),
    ],
)
def test_invalid_values_are_refused(changed: Values, field: str) -> None:
    """The schema knows every value: a typo is an error with its name."""
    with pytest.raises(RuntimeError, match=field):
        render({**CASES["defaults"], **changed})


def test_an_open_store_is_refused() -> None:
    """The administration of the bundled SeaweedFS has no password; only a policy protects it."""
    with pytest.raises(RuntimeError, match=r"networkPolicy\.enabled"):
        render({**CASES["bundled"], "networkPolicy": {"enabled": False}})


def test_the_schema_has_every_default() -> None:
    """Each of values.yaml, and no others."""
    assert _names(_VALUES, _SCHEMA) == []


def _names(values: Values, schema: Values, path: str = "") -> list[str]:
    """Return the names that only one of both has."""
    if "$ref" in schema:
        schema = _SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if "properties" not in schema:
        return []
    assert schema["additionalProperties"] is False, path
    known = set(schema["properties"]) - {"global"}
    found = [f"{path}.{name}" for name in known ^ set(values)]
    if path.endswith(".resources"):  # what is given is optional there
        return [each for each in found if each.rpartition(".")[2] not in known]
    for name in known & set(values):
        if isinstance(values[name], dict):
            found += _names(values[name], schema["properties"][name], f"{path}.{name}")
    return found


def test_secrets_are_no_settings() -> None:
    """The schema refuses the variables of all secrets in `settings`, which are visible to everyone."""
    names = {
        part.model_config["env_prefix"] + name.upper()
        for part in PARTS.values()
        for name, field in part.model_fields.items()
        if SecretStr in getattr(field.annotation, "__args__", (field.annotation,))
    }

    assert set(_SCHEMA["definitions"]["settings"]["propertyNames"]["not"]["enum"]) == names


def test_the_document_names_values_that_exist() -> None:
    """Each value in the tables of docs/kubernetes.md is one of values.yaml."""
    named = re.findall(r"(?m)^\| `([\w.]+)`", _DOCUMENT.read_text())

    assert len(named) > 10
    for each in named:
        value: Any = _VALUES
        for part in each.split("."):
            assert part in value, each
            value = value[part]
