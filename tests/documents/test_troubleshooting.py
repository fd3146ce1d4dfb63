"""docs/troubleshooting.md explains what the log says."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROLES = ("services/gateway", "services/worker", "services/reporter", "services/runtime", "shared/imageconverter")


def test_every_warning_and_error_is_explained() -> None:
    """And nothing that no role logs."""
    code = "".join(path.read_text(encoding="utf-8") for each in ROLES for path in (ROOT / each).rglob("*.py"))
    logged = set(re.findall(r'_log\.(?:warning|error|exception)\(\s*"([^"]+)"', code))
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    table = text.partition("## The log says\n")[2]
    explained = {
        event for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for event in re.findall(r"`([^`]+)`", row)
    }

    assert len(logged) > 30
    assert explained == logged
