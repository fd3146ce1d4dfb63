"""Markers that follow from where a test is and which fixtures it uses."""

import pytest

_DIRECTORIES = {"tests/chaos/": "chaos", "tests/stack/": "stack"}


def mark(items: list[pytest.Item]) -> None:
    """Mark the tests that break processes, start the whole stack or need servers."""
    for item in items:
        for directory, marker in _DIRECTORIES.items():
            if item.nodeid.startswith(directory):
                item.add_marker(marker)
        if isinstance(item, pytest.Function) and "servers" in item.fixturenames:
            item.add_marker("servers")
