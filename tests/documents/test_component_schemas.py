"""Component schemas that are made from models."""

import pytest
import yaml

from services.gateway.http.responses import ResponseModel, optional
from tests.documents.component_schemas import with_schemas

MARK = "  # The schemas are made from the models by `make docs`.\n"


class SampleResponse(ResponseModel):
    """A sample."""

    always_there: int = 0
    """Even if
    it is 0."""
    sometimes_null: str | None = None
    sometimes_there: str | None = optional()


def test_the_schema_describes_what_is_sent() -> None:
    """Also defaults are sent; only a field that may be omitted is not required, and it is never null."""
    found = yaml.safe_load(with_schemas(f'components:\n  # "#/components/schemas/SampleList"\n{MARK}'))

    sample = {
        "type": "object",
        "description": "A sample.",
        "required": ["alwaysThere", "sometimesNull"],
        "additionalProperties": False,
        "properties": {
            "alwaysThere": {"type": "integer", "description": "Even if it is 0."},
            "sometimesNull": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "sometimesThere": {"type": "string"},
        },
    }
    assert found["components"]["schemas"]["Sample"] == sample
    assert found["components"]["schemas"]["SampleList"]["properties"]["items"]["type"] == "array"


def test_a_schema_without_a_model_is_an_error() -> None:
    """A misspelled reference, for example."""
    with pytest.raises(ValueError, match="Smaple"):
        with_schemas(f'components:\n  # "#/components/schemas/Smaple"\n{MARK}')


def test_schemas_written_by_hand_are_replaced() -> None:
    """Whatever follows the mark."""
    document = f'components:\n  # "#/components/schemas/Error"\n{MARK}'

    assert with_schemas(f"{document}  schemas:\n    Other: {{}}\n") == with_schemas(document)
