"""The lines of the audit log that a test causes."""

import io
import json
import logging
from typing import Any

import pytest
import structlog

from imageconverter import audit

RENDERERS: dict[str, Any] = {
    "json": structlog.processors.JSONRenderer(),
    "console": structlog.dev.ConsoleRenderer(colors=False),
}


class AuditLines:
    """What was written to the audit log."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.file = io.StringIO()

    def text(self) -> str:
        """Return all lines."""
        return self.file.getvalue()

    def take(self) -> list[Any]:
        """Return the lines since the last call; for the renderer `json`."""
        found = [json.loads(line) for line in self.text().splitlines()]
        self.file.seek(0)
        self.file.truncate()
        return found


def audit_to(renderer: Any, monkeypatch: pytest.MonkeyPatch) -> AuditLines:
    """Write the audit log with *renderer* to the returned lines."""
    lines = AuditLines()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(lines.file),
        processors=[renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    monkeypatch.setattr(audit, "_log", logger)
    return lines
