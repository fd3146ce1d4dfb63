"""What the tests of children share."""

import pytest
import structlog
from structlog.typing import EventDict

from services.worker.sandbox import pool


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[EventDict]:
    """What the pool of children logs, of every level, whoever has configured logging before."""
    captured = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(
        None, processors=[captured], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    monkeypatch.setattr(pool, "_log", logger)
    return captured.entries
