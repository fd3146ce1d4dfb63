"""Which bodies are forms."""

import pytest
from aiohttp.test_utils import make_mocked_request

from services.gateway.http.forms import is_form


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("multipart/form-data; boundary=b", True),
        ("Multipart/Form-Data ;boundary=b", True),
        ("multipart/form-data", True),
        ("multipart/form-data-2; boundary=b", False),
        ("multipart/mixed; boundary=b", False),
        ("application/json; x=multipart/form-data", False),
        ("", False),
        (None, False),
    ],
)
def test_a_form_is_recognized_by_its_type(content_type: str | None, expected: bool) -> None:  # noqa: FBT001
    """Whatever its parameters are."""
    headers = {} if content_type is None else {"Content-Type": content_type}

    assert is_form(make_mocked_request("POST", "/", headers=headers)) == expected
