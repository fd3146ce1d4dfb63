"""JPEGs of the format option `encoder = "small"`."""

import io
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from skimage import data as photographs

from imageconverter.engine import jpeg
from imageconverter.engine.jpegli import encode_jpegli
from tests.testing import drawings
from tests.testing.image_assertions import encoded, opened, psnr, result

PHOTO = Image.fromarray(photographs.astronaut()).crop((80, 0, 400, 240))


def small(image: Image.Image = PHOTO, **fields: Any) -> bytes:
    """Encode *image* with the option."""
    return encoded(image, "jpeg", encoder="small", **fields)


def kinds(data: bytes) -> list[int]:
    """Return the kinds of the segments before the pixels."""
    return [each.kind for each in jpeg.segments(data[: data.index(b"\xff\xda")])]


@pytest.mark.parametrize("quality", [50, 82, 95])
def test_a_photograph_becomes_smaller_and_stays_as_good(quality: int) -> None:
    """At the same number for the quality."""
    standard, made = encoded(PHOTO, "jpeg", quality=quality), small(quality=quality)

    assert len(made) < len(standard)
    assert psnr(opened(made), PHOTO) > psnr(opened(standard), PHOTO) - 1


def test_the_file_says_what_it_is() -> None:
    """A JFIF segment is first, as the standard demands, then the comment."""
    made = small(comment="© a shop")

    assert made[:20] == b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    assert kinds(made)[:2] == [jpeg.APP0, jpeg.COMMENT]
    assert opened(made).info["comment"].decode() == "© a shop"
    assert opened(made).info["jfif_version"] == (1, 1)


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        (("identify", "-format", "%m %w %h %[jpeg:sampling-factor] %[colorspace] %c", "-"),
         ["JPEG 320 240 2x2,1x1,1x1 sRGB a shop"]),
        (("djpeg", "-verbose", "-ppm"), ["JFIF APP0 marker: version 1.01", "a shop"]),
        (("exiftool", "-s", "-"), ["JFIFVersion                     : 1.01", "YCbCr4:2:0 (2 2)", "Baseline DCT"]),
    ],
)  # fmt: skip
def test_other_readers_read_it(tmp_path: Path, command: tuple[str, ...], shows: list[str]) -> None:
    """Without a warning."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    file = tmp_path / "small.jpg"
    file.write_bytes(small(comment="a shop"))
    with file.open("rb") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, check=True)
    said = (done.stderr if command[0] == "djpeg" else done.stdout).decode()

    assert [each for each in shows if each not in said] == []
    assert "arning" not in said
    if command[0] == "djpeg":
        assert psnr(Image.open(io.BytesIO(done.stdout)), PHOTO) > 30


@pytest.mark.parametrize(
    ("image", "fields"),
    [
        (PHOTO.convert("L"), {}),
        (PHOTO, {"chroma": "4:4:4"}),
        (PHOTO, {"progressive": True}),
        (drawings.cutout().convert("RGB"), {}),
    ],
    ids=["gray", "full chroma", "progressive", "smaller"],
)
def test_the_standard_encoder_makes_what_it_cannot_or_makes_smaller(
    image: Image.Image, fields: dict[str, Any]
) -> None:
    """Byte for byte as without the option. What jpegli makes of something smooth can be larger."""
    assert small(image, **fields) == encoded(image, "jpeg", **fields)


def test_other_types_are_not_concerned() -> None:
    """Only JPEG has two encoders."""
    assert encoded(PHOTO, "webp", encoder="small") == encoded(PHOTO, "webp")


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (17, 9), (3, 2000)])
def test_every_size_is_encoded(size: tuple[int, int]) -> None:
    """Blocks of 16 pixels are not asked for."""
    made = encode_jpegli(drawings.photo((64, 64)).resize(size), 82)

    assert made is not None
    assert opened(made).size == size


def test_a_file_is_held_below_a_size() -> None:
    """With a better image than the standard encoder's, because each quality costs less."""
    fields: dict[str, Any] = {"quality": 95, "max_kilobytes": 9}

    assert 7_000 < len(small(**fields)) <= 9_000
    assert psnr(opened(small(**fields)), PHOTO) > psnr(opened(encoded(PHOTO, "jpeg", **fields)), PHOTO)


def test_a_conversion_in_the_sandbox_uses_it() -> None:
    """The filter of system calls leaves what it needs."""
    source = encoded(PHOTO, "png")
    standard, made = (result(source, 300, output="jpeg", encoder=name).data for name in ("standard", "small"))

    assert len(made) < len(standard)
    assert kinds(made)[0] == kinds(standard)[0] == jpeg.APP0


@pytest.fixture
def large() -> Iterator[Image.Image]:
    """An image in a process that may have little more memory than it has."""
    image = Image.new("RGB", (4000, 3000))
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 20_000_000, before[1]))
    yield image
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_scarce_memory_ends_no_process(large: Image.Image) -> None:
    """The encoder would crash."""
    assert encode_jpegli(large, 82) is None
