"""The files of a folder are found by what they are, and by how their colors are encoded."""

import struct
from pathlib import Path

import pytest

from tests.conformance.corpus import colors_of, extension_of, files_of
from tests.conformance.readers import Colors
from tests.testing import icc_profiles, image_files


def test_files_are_found_by_their_bytes_and_else_by_their_names(tmp_path: Path) -> None:
    """A damaged header is for the readers to judge; texts are none of the types."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "image.jpg").write_bytes(image_files.png((4, 4)))
    (tmp_path / "damaged.TIF").write_bytes(b"nothing")
    (tmp_path / "README.txt").write_text("about the files")

    assert [(each.path.name, each.type.name) for each in files_of(tmp_path)] == [
        ("damaged.TIF", "TIFF"),
        ("image.jpg", "PNG"),
    ]


@pytest.mark.parametrize(
    ("chunks", "colors"),
    [
        ([], Colors.PLAIN),
        ([(b"gAMA", struct.pack(">I", 45_455))], Colors.PLAIN),
        ([(b"gAMA", struct.pack(">I", 100_000))], Colors.SIGNALED),
        ([(b"cICP", b"\x0c\x0d\0\1")], Colors.SIGNALED),
        ([(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))], Colors.PLAIN),
        ([(b"iCCP", b"x\0\0"), (b"gAMA", struct.pack(">I", 100_000))], Colors.PROFILE),
    ],
)
def test_png_encodes_colors_in_chunks(chunks: list[tuple[bytes, bytes]], colors: Colors) -> None:
    """CICP counts most, then a profile, then sRGB, then gamma."""
    assert colors_of(image_files.raw_png((1, 1), 8, 0, [b"\0"], *chunks), "PNG") is colors


def test_profiles_and_numbers_are_found_in_other_types() -> None:
    """Without a decoder."""
    assert colors_of(image_files.jpeg((8, 8)), "JPEG") is Colors.PLAIN
    assert colors_of(image_files.jpeg((8, 8), profile=icc_profiles.p3_profile()), "JPEG") is Colors.PROFILE
    assert colors_of(b"....colrnclx\0\x0c\0\x0d", "AVIF") is Colors.SIGNALED
    assert colors_of(b"....colrnclx\0\1\0\x0d", "AVIF") is Colors.PLAIN


def test_readers_get_the_extension_that_they_go_by(tmp_path: Path) -> None:
    """Some programs believe it."""
    for name, data in {"a.jp2": b"\xff\x4f\xff\x51", "a.pnm": b"P7\n", "a": b"P6\n"}.items():
        (tmp_path / name).write_bytes(data)
    found = {each.path.name: extension_of(each.path.read_bytes(), each.type) for each in files_of(tmp_path)}

    assert found == {"a.jp2": ".j2k", "a.pnm": ".pam", "a": ".pnm"}
