"""How often an AVIF sequence is shown: its edit list says so."""

import io
import struct

import pytest
from PIL import Image

from imageconverter.engine.plugins.edit_list import plays
from tests.testing.image_assertions import opened, result


def box(kind: bytes, content: bytes) -> bytes:
    """Write a box."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def movie(track: bytes, edit: bytes) -> bytes:
    """Write a file of a track with a header and an edit list."""
    return box(b"ftyp", b"avis") + box(
        b"moov", box(b"mvhd", bytes(20)) + box(b"trak", box(b"tkhd", track) + box(b"edts", box(b"elst", edit)))
    )


@pytest.mark.parametrize(("repeated", "whole", "times"), [(0, 300, 1), (1, 300, 3), (1, 250, 3), (1, 100, 1)])
def test_a_sequence_is_shown_as_often_as_its_track_is_longer_than_the_edit(
    repeated: int, whole: int, times: int
) -> None:
    """If it is to be repeated at all; in both versions of the boxes."""
    short = movie(bytes(20) + struct.pack(">I", whole), struct.pack(">III", repeated, 1, 100))
    long = movie(b"\1" + bytes(27) + struct.pack(">Q", whole), struct.pack(">BxHIQ", 1, repeated, 1, 100))

    assert plays(short) == plays(long) == times


def test_a_track_without_an_end_is_repeated_for_ever() -> None:
    """And one whose file does not say anything, or nothing sensible."""
    assert plays(movie(bytes(20) + b"\xff" * 4, struct.pack(">III", 1, 1, 100))) == 0
    assert plays(movie(b"\1" + bytes(27) + b"\xff" * 8, struct.pack(">BxHIQ", 1, 1, 1, 100))) == 0
    assert plays(movie(b"", struct.pack(">III", 1, 1, 100))) == 0
    assert plays(movie(b"\7" + bytes(40), b"\7\0\0\1" + bytes(40))) == 0
    assert plays(b"\0\0\0\1moov" + b"\xff" * 8) == 0
    assert plays(b"") == 0


def test_an_avif_that_is_shown_once_becomes_such_a_gif() -> None:
    """Pillow writes those that are shown for ever."""
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "green")]
    file = io.BytesIO()
    frames[0].save(file, "AVIF", save_all=True, append_images=frames[1:], duration=100)
    endless = file.getvalue()
    at = endless.index(b"elst") + 4
    once = endless[:at] + bytes([endless[at], 0, 0, 0]) + endless[at + 4 :]

    assert opened(result(endless, output="gif").data).info["loop"] == 0
    assert "loop" not in opened(result(once, output="gif").data).info
