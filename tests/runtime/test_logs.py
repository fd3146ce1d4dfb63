"""The log of a process."""

import json
import subprocess
import sys

import pytest

LOGGING = """
import structlog
from imageconverter import audit
from imageconverter.settings import ProcessSettings
from services.runtime.logs import set_up_logging

set_up_logging(ProcessSettings(log_format="json", log_level="{}"), role="test")
structlog.get_logger("other").info("other")
audit.record("delete", actor="key shop", names=2)
"""


@pytest.mark.parametrize(("level", "events"), [("info", ["other", "audit"]), ("error", ["audit"])])
def test_the_audit_log_is_written_at_any_level(level: str, events: list[str]) -> None:
    """Other lines are not."""
    written = subprocess.run(
        [sys.executable, "-c", LOGGING.replace("{}", level)], check=True, capture_output=True, text=True
    )
    lines = [json.loads(line) for line in written.stderr.splitlines()]

    assert [line["event"] for line in lines] == events
    assert {**lines[-1], "timestamp": ""} == {
        "event": "audit",
        "operation": "delete",
        "actor": "key shop",
        "names": 2,
        "level": "info",
        "role": "test",
        "timestamp": "",
    }
