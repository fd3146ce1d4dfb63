"""Fixtures for the tests of the sandbox."""

import pytest
import structlog
from structlog.typing import EventDict

from services.worker.sandbox import pool, processes


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[EventDict]:
    """Capture what the pool logs, at every level, however logging is configured."""
    captured = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(
        None, processors=[captured], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    for module in (pool, processes):
        monkeypatch.setattr(module, "_log", logger)
    return captured.entries
