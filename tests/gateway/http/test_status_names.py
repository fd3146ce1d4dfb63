"""Tests of the names of statuses: those of RFC 2616 and RFC 4918, which Python had until 3.12."""

import pytest

from services.gateway.http.status_names import status_name


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "Bad Request"),
        (413, "Request Entity Too Large"),
        (414, "Request-URI Too Long"),
        (416, "Requested Range Not Satisfiable"),
        (422, "Unprocessable Entity"),
        (503, "Service Unavailable"),
    ],
)
def test_a_status_has_the_same_name_in_all_versions_of_python(status: int, name: str) -> None:
    """Clients may compare the field `error`."""
    assert status_name(status) == name
