"""The OpenAPI document describes all webhooks."""

import json
from typing import get_args

import pytest

from imageconverter.webhooks import EventType
from tests.testing.openapi_document import IMAGES

_WEBHOOKS = IMAGES.document["webhooks"]


def test_the_document_has_all_events() -> None:
    """And no others."""
    assert _WEBHOOKS.keys() == set(get_args(EventType))


@pytest.mark.parametrize("event", _WEBHOOKS)
def test_an_example_is_what_its_schema_says(event: str) -> None:
    """It is of the type that it stands for."""
    media = _WEBHOOKS[event]["post"]["requestBody"]["content"]["application/json"]

    assert IMAGES.check_webhook(json.dumps(media["example"]))["type"] == event
