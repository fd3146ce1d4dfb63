"""`imageconverter formats`: without a server."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from services.cli.main import main
from tests.images.test_format_sets import SET
from tests.images.test_formats_file import FORMAT
from tests.testing import image_files

PREFIX = "content.imageFormat."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a formats file and an image."""
    (tmp_path / "formats.toml").write_text(SET + FORMAT + 'output = "jpeg"\nfit = "crop"\n')
    (tmp_path / "chair.png").write_bytes(image_files.png((500, 200)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def size(file: Path) -> tuple[str | None, tuple[int, int]]:
    """Return the type and the size of an image."""
    with Image.open(file) as opened:
        return opened.format, opened.size


@pytest.mark.parametrize("arguments", [["list", "--formats", "formats.toml"], ["check", "formats.toml"]])
@pytest.mark.usefixtures("folder")
def test_the_formats_of_a_file_are_listed(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """With type, box, output and directory; a check says how many there are."""
    assert main(["formats", *arguments]) == 0
    *first, line, _, _, last = capsys.readouterr().out.splitlines()

    assert first == (["OK: 4 formats"] if arguments[0] == "check" else [])
    assert line.split() == [f"{PREFIX}gallery-320w", "product", *["320", "x", "any", "contain"], "webp",
                            "products/gallery/320w"]  # fmt: skip
    assert last.split() == [f"{PREFIX}small", "product", *["100", "x", "100", "crop"], "jpeg", "small"]


def test_without_a_file_the_one_of_the_settings_is_used(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or that in the data folder, as by `up`, or the shipped one."""
    assert main(["formats", "check"]) == 0
    assert capsys.readouterr().out.startswith("OK: 5 formats\n")

    monkeypatch.setenv("IMAGECONVERTER_DATA_DIR", str(folder))
    assert main(["formats", "check"]) == 0
    assert capsys.readouterr().out.startswith("OK: 4 formats\n")

    (folder / "one.toml").write_text(FORMAT)
    monkeypatch.setenv("IMAGECONVERTER_FORMATS_FILE", "one.toml")
    assert main(["formats", "check"]) == 0
    assert capsys.readouterr().out.startswith("OK: 1 format\n")


def test_formats_are_listed_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """With all that the file says about them, in its own spelling."""
    assert main(["formats", "list", "--json"]) == 0
    found = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["content.imageFormat.normalProduct"]["targetDirectory"] == "products/normal"


def test_each_problem_of_a_broken_file_is_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, and the exit status is that of invalid usage."""
    (folder / "formats.toml").write_text(FORMAT.replace("= 100", "= 0"))

    assert main(["formats", "check", "formats.toml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(" is ")[0] for line in err.splitlines()] == [
        "imageconverter: formats.toml: line 6: maxWidth: 0",
        "imageconverter: formats.toml: line 7: maxHeight: 0",
    ]


def preview(*arguments: str, status: int = 0) -> tuple[bytes, str]:
    """Run the command in a process, as it sets up logging; returns what it has printed on stdout and stderr."""
    command = [sys.executable, "-m", "services.cli.main", "formats", "preview", "--formats", "formats.toml"]
    finished = subprocess.run([*command, *arguments], capture_output=True, check=False, timeout=60)
    assert finished.returncode == status, finished.stderr
    return finished.stdout, finished.stderr.decode()


@pytest.mark.sandbox
@pytest.mark.parametrize("name", ["small", f"{PREFIX}small"])
def test_a_preview_is_what_a_worker_would_make(folder: Path, name: str) -> None:
    """In the file that -o names."""
    printed, _ = preview("chair.png", "--format", name, "-o", "out.jpg")

    assert size(folder / "out.jpg") == ("JPEG", (100, 100))
    assert printed.startswith(b"out.jpg: jpeg, 100 x 100 pixels, ")


@pytest.mark.sandbox
def test_a_preview_of_a_set_is_one_file_for_each_width(folder: Path) -> None:
    """Named after the image and the format, in the current folder; no image is enlarged."""
    preview("chair.png", "--format", "gallery")

    made = sorted(folder.glob("chair-*"))
    assert [each.name for each in made] == [f"chair-gallery-{width}w.webp" for width in (1280, 320, 640)]
    assert [size(each) for each in made] == [("WEBP", (500, 200)), ("WEBP", (320, 128)), ("WEBP", (500, 200))]


@pytest.mark.sandbox
@pytest.mark.usefixtures("folder")
def test_a_preview_on_stdout_is_the_image_alone() -> None:
    """The description goes to stderr."""
    image, described = preview("chair.png", "--format", "small", "-o", "-")

    with Image.open(io.BytesIO(image)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (100, 100))
    assert described.startswith("-: jpeg, 100 x 100 pixels, ")


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chair.png", "--format", "nosuch"], f"--format: nosuch is not configured; there are: {PREFIX}gallery-320w"),
        (["chair.png", "--format", "gallery", "-o", "x.webp"], "-o: gallery is a set and makes several files"),
        (["none.png", "--format", "small"], "none.png: No such file or directory"),
        (["formats.toml", "--format", "small"], "formats.toml: "),
        (["chair.png", "--format", "small", "-o", "no/x.jpg"], "no/x.jpg: No such file or directory"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_preview_that_cannot_be_made_is_one_line(arguments: list[str], message: str) -> None:
    """It names what is wrong."""
    printed, errors = preview(*arguments, status=2)

    (line,) = errors.splitlines()
    assert line.startswith(f"imageconverter: {message}")
    assert printed == b""


@pytest.mark.parametrize("command", [["formats", "list"], ["formats", "preview", "--help"]])
def test_neither_an_http_library_nor_a_decoder_is_imported(command: list[str]) -> None:
    """Help and lists come at once."""
    program = (
        f"import sys, services.cli.main as cli; cli.main({command!r}); "
        "print([name for name in ('aiohttp', 'PIL', 'numpy', 'redis', 'obstore') if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert finished.stdout.endswith("\n[]\n")
