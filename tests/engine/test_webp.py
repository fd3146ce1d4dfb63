"""WebPs that are cut off, and what a header does not say."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import Limits, webp
from imageconverter.engine.decode import open_image
from imageconverter.engine.header import probe
from imageconverter.errors import Undecodable
from tests.testing import chunks
from tests.testing.drawings import cutout, photo
from tests.testing.image_assertions import converted, outcomes, result, target

SIZE = (160, 120)


def saved(image: Image.Image, **options: Any) -> bytes:
    """Make a WebP."""
    file = io.BytesIO()
    image.save(file, "WEBP", **options)
    return file.getvalue()


def animation(count: int = 4) -> bytes:
    """Make a WebP of frames that have nothing in common."""
    frames = [photo(SIZE, seed=seed) for seed in range(count)]
    return saved(frames[0], save_all=True, append_images=frames[1:], duration=[100, 200, 300, 400][:count], kmax=0)


def rgba(data: bytes) -> np.ndarray[Any, Any]:
    """Return the pixels."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


@pytest.mark.parametrize("share", [0.85, 0.95, 0.999])
@pytest.mark.parametrize("lossless", [False, True])
def test_rows_before_the_end_of_a_file_are_converted(share: float, *, lossless: bool) -> None:
    """Exactly as of the whole file; the others are transparent."""
    whole = saved(photo(SIZE), lossless=lossless, quality=90)
    made = result(whole[: int(len(whole) * share)], 160)
    pixels, expected = rgba(made.data), rgba(whole)
    rows = int((pixels[:, 0, 3] > 0).sum())

    assert 0.5 * share <= rows / SIZE[1] <= 1
    assert (pixels[:rows] == expected[:rows]).all()
    assert (pixels[rows:, :, 3] == 0).all()
    assert made.warning == f"The file is cut off: {round(100 * (1 - rows / SIZE[1]))} % of the image are missing."


@pytest.mark.parametrize("kind", ["lossless", "lossy", "with alpha"])
def test_too_little_of_an_image_is_an_error(kind: str) -> None:
    """Half of the rows have to be there."""
    image = cutout(SIZE) if kind == "with alpha" else photo(SIZE)
    data = saved(image, lossless=kind == "lossless")

    for share in (0.05, 0.2, 0.3):
        with pytest.raises(Undecodable, match=r"^The WebP file is broken"):
            outcomes(data[: int(len(data) * share)], target())


def test_an_alpha_channel_may_be_whole_if_the_colors_are_not() -> None:
    """It comes first."""
    whole = saved(cutout(SIZE), quality=95)
    made = result(whole[: int(len(whole) * 0.95)], 160)
    rows = round(SIZE[1] * (1 - int(made.warning.split(": ")[1].split(" %")[0]) / 100)) - 2

    assert (rgba(made.data)[:rows] == rgba(whole)[:rows]).all()


def test_metadata_that_are_cut_off_cost_nothing_else() -> None:
    """They come last."""
    whole = saved(photo(SIZE), lossless=True, exif=b"Exif\0\0II*\0" + bytes(400))
    made = result(whole[:-300], 160)

    assert made.warning == "The file is cut off: its end is missing, but 0 % of the image."
    assert (rgba(made.data) == rgba(whole)).all()


def test_the_whole_frames_of_an_animation_are_converted() -> None:
    """Those that are cut off are not."""
    whole = animation()
    made = result(whole[:-100], 160, output="webp")
    frames = Image.open(io.BytesIO(made.data))

    assert getattr(frames, "n_frames", 1) == 3
    assert made.warning == "The animation is cut off after its last whole frame."
    with pytest.raises(Undecodable):
        outcomes(whole[:300], target())


def test_the_alpha_channel_counts_even_if_it_is_not_announced() -> None:
    """What VP8L says is a hint that does not change the image (RFC 9649, section 3.4)."""
    data = bytearray(saved(cutout(SIZE), lossless=True))
    assert data[12:16] == b"VP8L"
    struct.pack_into("<I", data, 21, int.from_bytes(data[21:25], "little") & ~webp.ALPHA_IS_USED)

    assert (rgba(result(bytes(data), 160).data)[..., 3] == rgba(saved(cutout(SIZE), lossless=True))[..., 3]).all()
    assert converted(saved(photo(SIZE), lossless=True)).mode == "RGB"


def test_the_bits_that_scale_an_image_are_ignored() -> None:
    """Two of each side of VP8 say how to enlarge it on a screen."""
    data = bytearray(saved(photo(SIZE)))
    assert data[12:16] == b"VP8 "
    struct.pack_into("<HH", data, 26, SIZE[0] | 0x4000, SIZE[1] | 0xC000)

    assert webp.read_size(io.BytesIO(data)) == SIZE
    assert converted(bytes(data), 160).size == SIZE


def test_uncovered_areas_of_an_animation_are_transparent() -> None:
    """Whether its header announces an alpha channel or not."""
    frame = saved(Image.new("RGB", (8, 8), (200, 0, 0)), lossless=True)[12:]
    place = bytes((2, 0, 0, 1, 0, 0, 7, 0, 0, 7, 0, 0, 100, 0, 0, 0))
    frames = chunks.riff(b"ANMF", place + frame) * 2
    data = chunks.webp(chunks.webp_canvas((16, 16), animated=True), chunks.riff(b"ANIM", bytes(6)), frames)
    pixels = rgba(result(data, 16).data)

    assert (pixels[2:10, 4:12] == (200, 0, 0, 255)).all()
    assert (pixels[:2, :, 3] == 0).all()


def test_other_chunks_may_be_anywhere() -> None:
    """And of any kind; data after the end do not count."""
    image = saved(photo(SIZE), lossless=True)[12:]
    extended = chunks.webp_canvas(SIZE)
    unknown = chunks.riff(b"what", bytes(33))
    expected = rgba(saved(photo(SIZE), lossless=True))

    for data in (
        chunks.webp(extended, chunks.riff(b"EXIF", bytes(9)), image, chunks.riff(b"ALPH", bytes(7))),
        chunks.webp(extended, unknown, image, unknown),
        chunks.webp(image, unknown),
        chunks.webp(image) + b"trailing",
    ):
        made = result(data, 160)
        assert (rgba(made.data) == expected).all()
        assert made.warning == ""


def test_extents_that_contradict_each_other_are_an_error() -> None:
    """A canvas of 16 pixels does not hide an image of more."""
    data = chunks.webp(chunks.webp_canvas((4, 4)), saved(photo(SIZE))[12:])

    probe(data, Limits(pixels=16))
    with pytest.raises(Undecodable):
        open_image(io.BytesIO(data), Limits(pixels=16))
