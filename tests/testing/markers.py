"""Markers derived from the path and the fixtures of a test."""

import pytest

_DIRECTORIES = {"tests/chaos/": "chaos", "tests/stack/": "stack", "tests/worker/sandbox/": "sandbox"}
_FIXTURES = {"servers": "servers", "attack": "sandbox"}


def mark(items: list[pytest.Item]) -> None:
    """Mark the tests that break processes, start the whole stack, need servers or start sandbox processes."""
    for item in items:
        fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
        markers = {marker for directory, marker in _DIRECTORIES.items() if item.nodeid.startswith(directory)}
        for marker in sorted(markers | {_FIXTURES[name] for name in fixtures if name in _FIXTURES}):
            item.add_marker(marker)
