"""The commands beside a running `up`, which reach its embedded servers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.running_stack import Stack, running_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def command(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the owner of the stack does, who sets the data folder and the port."""
    environment = {
        **os.environ,
        "IMAGECONVERTER_DATA_DIR": str(stack.folder / "data"),
        "IMAGECONVERTER_PORT": str(stack.port),
        "IMAGECONVERTER_CACHE_DIR": str(stack.folder / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_health_and_reindex_work_beside_up(stack: Stack) -> None:
    """Without a setting for Redis or S3."""
    for role in ("gateway", "worker", "reporter"):
        assert command(stack, "health", role).returncode == 0
    finished = command(stack, "reindex")
    assert (finished.returncode, finished.stdout) == (0, "0 keys were restored\n")


def test_doctor_finds_everything_well(stack: Stack) -> None:
    """The embedded servers, the clock and the gateway."""
    finished = command(stack, "doctor", "--json")
    states = {each["subject"]: each["state"] for each in json.loads(finished.stdout)}

    assert finished.returncode == 0
    assert {name: states[name] for name in ("Redis", "S3", "clock", "gateway", "sandbox")} == {
        **dict.fromkeys(("Redis", "S3", "clock", "gateway"), "ok"),
        "sandbox": states["sandbox"],
    }


def test_the_logs_of_all_programs_can_be_read(stack: Stack) -> None:
    """They are written beside the output of `up`."""
    stack.until(lambda: "worker ready" in command(stack, "logs", "worker", "-n", "1000").stdout)

    assert command(stack, "logs", "gateway").stdout
    assert "worker ready" in (stack.folder / "up.log").read_text()


def test_the_addresses_are_readable_by_their_owner_only(stack: Stack) -> None:
    """They contain passwords."""
    assert (stack.folder / "data" / "running.env").stat().st_mode & 0o777 == 0o600


def test_the_addresses_are_gone_when_the_stack_has_stopped(tmp_path: Path) -> None:
    """A command says what is missing instead of waiting for servers that have ended."""
    with running_stack(tmp_path) as running:
        assert (tmp_path / "data" / "running.env").exists()
    assert not (tmp_path / "data" / "running.env").exists()
    finished = command(running, "health", "worker")
    assert finished.returncode == 2
    assert "IMAGECONVERTER_REDIS_URL: must be set" in finished.stderr
