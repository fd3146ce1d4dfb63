"""Each reader runs in a process with limits, and is asked only about what it can judge."""

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from imageconverter.engine.source_types import SOURCE_TYPES
from tests.conformance import reading
from tests.conformance.readers import READERS, Colors, Reader, fair_readers
from tests.conformance.reading import Surroundings, read, read_beside
from tests.conformance.srgb import to_srgb
from tests.testing import drawings, icc_profiles, image_files

_PNG = frozenset({"PNG"})


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    """For readers that are written here in Python."""
    return Surroundings.prepare(sys.executable, tmp_path)


def python(code: str, *arguments: str) -> Reader:
    """Return a reader that runs *code*."""
    return Reader("test", ("{python}", "-c", code, *arguments), _PNG)


def test_the_table_names_source_types_only() -> None:
    """A type with another name would never be judged."""
    names = {each.name for each in SOURCE_TYPES}

    assert {name for reader in READERS for name in reader.types} <= names
    assert len({reader.name for reader in READERS}) == len(READERS)


def test_only_readers_that_manage_colors_judge_files_with_a_profile() -> None:
    """The others show the numbers as they are, and would agree with a mistake."""
    plain, managing = Reader("plain", ("x",), _PNG), Reader("managing", ("x",), _PNG, Colors.PROFILE)

    assert fair_readers([plain, managing], "PNG", Colors.PLAIN) == [plain, managing]
    assert fair_readers([plain, managing], "PNG", Colors.PROFILE) == [managing]
    assert fair_readers([plain, managing], "PNG", Colors.SIGNALED) == []
    assert fair_readers([plain, managing], "GIF", Colors.PLAIN) == []


def test_whether_a_refused_file_is_damaged_is_for_readers_that_say_so() -> None:
    """Whatever the colors, which then do not matter; one that reads only a part of the type cannot say so."""
    plain, browser = Reader("plain", ("x",), _PNG), Reader("browser", ("x",), _PNG, reports_damage=False)
    partial = Reader("partial", ("x",), frozenset(), confirms=_PNG)

    assert fair_readers([plain, browser, partial], "PNG", Colors.SIGNALED, of_refused=True) == [plain]


async def test_an_image_is_taken_from_a_file_or_from_the_output(surroundings: Surroundings) -> None:
    """Whichever the program writes."""
    data = image_files.png((6, 4), image=Image.new("RGB", (6, 4), "red"))
    to_file = python("import shutil, sys; shutil.copy(*sys.argv[1:])", "{input}", "{output}")
    to_output = python("import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())", "{input}")

    for reader in (to_file, to_output):
        found = await read(reader, data, ".png", surroundings)
        assert [image.getpixel((0, 0)) for image in found.images] == [(255, 0, 0, 255)]
        assert not found.complaint


async def test_several_images_may_be_written(surroundings: Surroundings) -> None:
    """Of an icon, for example."""
    code = "import shutil, sys; [shutil.copy(sys.argv[1], f'{sys.argv[2]}/{n}.png') for n in range(3)]"
    data = image_files.png((6, 4))

    found = await read(python(code, "{input}", "{folder}"), data, ".dat", surroundings)

    assert len(found.images) == 3


async def test_what_a_reader_prints_is_a_complaint(surroundings: Surroundings) -> None:
    """With an image or without."""
    found = await read(python("raise SystemExit('bad\\nmagic number')"), b"", ".png", surroundings)
    nothing = await read(python(""), b"", ".png", surroundings)

    assert (list(found.images), found.complaint) == ([], "bad magic number")
    assert nothing.complaint.startswith("wrote nothing")


async def test_a_reader_that_hangs_is_stopped(surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it has started."""
    monkeypatch.setattr(reading, "_SECONDS", 0.5)
    found = await read(python("import time; time.sleep(100)"), b"", ".png", surroundings)

    assert found.complaint.startswith("takes more than")


def test_profiles_that_readers_pass_on_are_applied() -> None:
    """Green of Display P3 is outside of sRGB, where it becomes full green."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (0, 255, 0)).save(buffer, "PNG", icc_profile=icc_profiles.p3_profile())

    assert to_srgb(Image.open(buffer)).getpixel((0, 0)) == (0, 255, 0, 255)


def test_sixteen_bits_of_gray_become_eight() -> None:
    """Pillow keeps them in modes of their own."""
    image = Image.open(io.BytesIO(image_files.grey16_png((0, 257, 65_535))))

    assert [to_srgb(image).getpixel((x, 0)) for x in range(3)] == [(n, n, n, 255) for n in (0, 1, 255)]


def test_transparency_is_kept() -> None:
    """Also beside a profile."""
    image = drawings.cutout((8, 8))

    assert to_srgb(image).tobytes() == image.tobytes()


async def test_an_image_beside_the_file_can_confirm(tmp_path: Path) -> None:
    """Collections of test files often have a PNG of each; a PNG does not confirm itself."""
    (tmp_path / "a.png").write_bytes(image_files.png((6, 4)))

    found = await read_beside(tmp_path / "a.xcf")

    assert found is not None
    assert [image.size for image in found.images] == [(6, 4)]
    assert not found.is_proof
    assert await read_beside(tmp_path / "a.png") is None
    assert await read_beside(tmp_path / "b.xcf") is None
