"""What the common linters of OpenAPI say about the documents: nothing."""

import json
from pathlib import Path

import pytest

from tests.testing.node_tools import RULES, run_node_tool
from tests.testing.openapi_document import CONTRACTS, Contract

EACH = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.file.stem)


@EACH
@pytest.mark.slow
def test_redocly_has_nothing_to_report(contract: Contract, tmp_path: Path) -> None:
    """Neither an error nor a warning of the recommended rules."""
    rules = RULES / "redocly.yaml"
    output = run_node_tool("redocly", "lint", contract.file, "--config", rules, "--format", "json", folder=tmp_path)

    report = json.loads(output[output.index("\n{") : output.rindex("}") + 1])
    assert report["problems"] == []


@EACH
@pytest.mark.slow
def test_spectral_has_nothing_to_report(contract: Contract, tmp_path: Path) -> None:
    """Not even a hint of the ruleset for OpenAPI."""
    rules = RULES / "spectral.yaml"
    run_node_tool("spectral", "lint", contract.file, "--ruleset", rules, "--fail-severity", "hint", folder=tmp_path)
