"""A whole session with a small folder: verdicts, report, exit status, and going on from an earlier one."""

import sys
from pathlib import Path

import pytest

from tests.conformance import __main__ as program
from tests.conformance.html_report import render
from tests.conformance.readers import Reader
from tests.conformance.results import Result
from tests.conformance.verdicts import Verdict
from tests.testing import image_files

_COPY = "import shutil, sys; shutil.copy(*sys.argv[1:]); open({log!r}, 'a').write('x')"


def result(path: str, verdict: Verdict, difference: float | None = None) -> Result:
    """Make a result."""
    return Result(
        path=path,
        type="PNG",
        digest=path,
        outcome="",
        verdict=verdict,
        reason="<reason>",
        difference=difference,
        seconds=0.1,
    )


def test_a_folder_is_judged_and_the_next_session_does_not_ask_readers_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the bytes of the file and of what it was converted to."""
    corpus, log, report = tmp_path / "corpus", tmp_path / "log", tmp_path / "report.html"
    corpus.mkdir()
    (corpus / "good.png").write_bytes(image_files.png((20, 10)))
    (corpus / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    copying = Reader(
        "copy", ("{python}", "-c", _COPY.format(log=str(log)), "{input}", "{output}"), frozenset({"PNG"})
    )
    monkeypatch.setattr(program, "READERS", [copying])
    monkeypatch.setattr(sys, "argv", ["conformance", str(corpus), "--report", str(report)])

    assert program.main() == 0
    assert program.main() == 0
    (corpus / "renamed.png").write_bytes((corpus / "good.png").read_bytes())
    assert program.main() == 0

    assert log.read_text() == "xx"  # one for each different file
    assert "PNG: 2 right, 1 refused rightly" in capsys.readouterr().out
    listed = report.read_text().partition("<h2>")[2]  # before it, the slowest file is named
    assert "renamed.png" not in listed
    assert "damaged.png" in listed


def test_the_exit_status_says_that_an_image_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, because the only reader shows another one."""
    (tmp_path / "one.png").write_bytes(image_files.png((20, 10)))
    (tmp_path / "other.txt").write_bytes(image_files.png((8, 8)))
    other = Reader("other", ("cp", str(tmp_path / "other.txt"), "{output}"), frozenset({"PNG"}))
    monkeypatch.setattr(program, "READERS", [other])
    report = tmp_path / "report.html"
    monkeypatch.setattr(sys, "argv", ["conformance", str(tmp_path), "--report", str(report)])

    assert program.main() == 1
    assert "data:image/webp;base64," in report.read_text()


def test_the_interpreter_of_readers_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the Makefile does; readers run elsewhere."""
    (tmp_path / "one.png").write_bytes(image_files.png((20, 10)))
    (tmp_path / "python").symlink_to(sys.executable)
    copying = Reader(
        "copy", ("{python}", "-c", _COPY.format(log=str(tmp_path / "log")), "{input}", "{output}"), frozenset({"PNG"})
    )
    monkeypatch.setattr(program, "READERS", [copying])
    monkeypatch.setattr(sys, "argv", ["conformance", ".", "--report", "report.html", "--python", "./python"])
    monkeypatch.chdir(tmp_path)

    assert program.main() == 0


def test_the_report_begins_with_what_differs_most() -> None:
    """It needs no other file, and shows names and reasons as they are."""
    results = [result("slightly", Verdict.WRONG, 5), result("quite", Verdict.WRONG, 200), result("ok", Verdict.RIGHT)]
    page = render("corpus", results, ["one <reader>"], [])

    assert page.index("<code>quite") < page.index("<code>slightly</code>, differs")
    assert "&lt;reason&gt;" in page
    assert "&lt;reader&gt;" in page
    assert "http" not in page
