"""The commands about the machine: `doctor`, `open`, `completion` and `logs`, and what they print."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.main import main
from tests.testing.commands import fill, run


def test_doctor_finds_a_machine_able(capsys: pytest.CaptureFixture[str]) -> None:
    """Without servers there are warnings only, which say what to do."""
    assert main(["doctor", "--json"]) == 0
    found = {each["subject"]: each for each in json.loads(capsys.readouterr().out)}

    assert [found[name]["state"] for name in ("settings", "formats", "codecs")] == ["ok"] * 3
    assert found["codecs"]["text"] == "writes jpeg, png, webp, avif, gif"
    assert found["Redis"]["state"] == "warning"
    assert "imageconverter up" in found["Redis"]["advice"]


def test_doctor_reports_invalid_settings_and_formats(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As errors, each with what to do; the exit status is 1."""
    monkeypatch.setenv("IMAGECONVERTER_PROT", "8005")
    monkeypatch.setenv("IMAGECONVERTER_PORT", "http")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "warning  settings: IMAGECONVERTER_PROT is not a setting\n" in out
    assert "error    settings: IMAGECONVERTER_PORT: " in out

    monkeypatch.delenv("IMAGECONVERTER_PORT")
    fill(tmp_path, {"formats.toml": b"[[format]]\nid = 1\n"})
    monkeypatch.setenv("IMAGECONVERTER_FORMATS_FILE", str(tmp_path / "formats.toml"))
    assert main(["doctor"]) == 1
    assert "error    formats: " in capsys.readouterr().out


def test_doctor_reports_servers_that_are_down(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variables to check."""
    monkeypatch.setenv("IMAGECONVERTER_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("IMAGECONVERTER_S3_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("IMAGECONVERTER_S3_ACCESS_KEY", "key")
    monkeypatch.setenv("IMAGECONVERTER_S3_SECRET_KEY", "secret")
    assert main(["doctor", "--json"]) == 1
    found = {each["subject"]: each for each in json.loads(capsys.readouterr().out)}

    assert [found[name]["state"] for name in ("Redis", "S3")] == ["error", "error"]
    assert "IMAGECONVERTER_REDIS_URL" in found["Redis"]["advice"]


def test_open_prints_the_address(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the settings or the option; no browser is opened without a terminal."""
    monkeypatch.setenv("IMAGECONVERTER_PORT", "8123")
    assert main(["open"]) == 0
    assert main(["open", "--server", "https://images.example/api/", "--json"]) == 0
    assert (
        capsys.readouterr().out == 'http://127.0.0.1:8123/console/\n{"url": "https://images.example/api/console/"}\n'
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "http://127.0.0.1:8123/console/login#key=a%2Bkey"),
        (["--server", "http://images.example"], "http://images.example/console/"),
        (["--print"], None),
        (["--json"], None),
    ],
)
def test_open_opens_the_console_logged_in_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    options: list[str],
    expected: str | None,
) -> None:
    """With the key of the data folder, which is not printed, given to another server or in the browser's command."""
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("IMAGECONVERTER_PORT", "8123")
    monkeypatch.setenv("IMAGECONVERTER_API_KEY", "a+key")
    monkeypatch.setenv("IMAGECONVERTER_CACHE_DIR", str(tmp_path))

    assert main(["open", *options]) == 0
    page = tmp_path / "open.html"
    if page.exists():
        assert page.stat().st_mode & 0o777 == 0o600
        assert opened == [page.as_uri()]
        opened = re.findall('url=([^"]+)', page.read_text())
    assert opened == ([] if expected is None else [expected])
    assert "key" not in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    """That asks the command for what fits."""
    assert main(["completion", shell]) == 0
    assert f"_IMAGECONVERTER_COMPLETE={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("imageconverter pu", ["push", "pull"]),
        ("imageconverter report cl", ["clean"]),
        ("imageconverter convert --out", ["--output-type", "--output"]),
        ("imageconverter convert --fit c", ["contain", "cover", "crop"]),
    ],
)
def test_commands_options_and_values_are_completed(words: str, expected: list[str]) -> None:
    """As bash asks for them."""
    number = str(len(words.split()) - 1)
    finished = subprocess.run(
        [sys.executable, "-m", "services.cli.main"],
        env={"_IMAGECONVERTER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": number},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert [line.partition(",")[2] for line in finished.stdout.splitlines()] == expected


async def test_logs_are_printed_with_their_names(tmp_path: Path) -> None:
    """The last lines of each, of those that are named."""
    fill(tmp_path / "logs", {"gateway.log": b"one\ntwo\nthree\n", "worker.log": b"four\n"})
    data = {"IMAGECONVERTER_DATA_DIR": str(tmp_path)}

    assert (await run("logs", "-n", "2", **data)).out == "gateway  | two\ngateway  | three\nworker   | four\n"
    assert (await run("logs", "worker", **data)).out == "worker   | four\n"
    missing = await run("logs", "s3", **data)
    assert (missing.status, missing.out) == (2, "")


@pytest.mark.parametrize("options", [["--quiet"], ["-q"]])
def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    """But errors."""
    assert main(["open", *options]) == 0
    assert main(["settings", *options]) == 0
    assert capsys.readouterr().out == ""
