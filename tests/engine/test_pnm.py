"""PNM: every kind and maximum, comments, PAM's tuples, PFM, and files that are cut off."""

import numpy as np
import pytest

from imageconverter.engine import Limits, identify, probe
from imageconverter.errors import Unsupported
from tests.testing.drawings import photo
from tests.testing.image_assertions import converted, difference, outcomes, result, target
from tests.testing.pnm_files import Samples, pam, pfm, plain, raw

_SIZE = (37, 23)
_RGB = np.asarray(photo(_SIZE))
_KINDS = pytest.mark.parametrize("make", [plain, raw], ids=["text", "bytes"])


def _samples(channels: int, maximum: int) -> Samples:
    return np.random.default_rng(1).integers(0, maximum + 1, (9, 13, channels))


def _pixels(data: bytes) -> Samples:
    return np.asarray(converted(data).convert("RGBA")).astype(int)


@_KINDS
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("maximum", [2, 3, 15, 100, 255, 256, 1000, 4095, 65535])
@pytest.mark.parametrize("comments", [False, True])
def test_every_maximum(make: type, channels: int, maximum: int, *, comments: bool) -> None:
    """It is white."""
    samples = _samples(channels, maximum)

    made = _pixels(make(samples, maximum, comments=comments))

    assert np.abs(made[..., :3] - samples / maximum * 255).max() <= 0.5
    assert (made[..., 3] == 255).all()


@_KINDS
def test_in_a_bitmap_1_is_black(make: type) -> None:
    """Unlike in all others; a row of bytes ends with a whole one."""
    samples = _samples(1, 1)

    assert (_pixels(make(samples, 1))[..., :1] == 255 - 255 * samples).all()


def test_a_bitmap_needs_no_spaces() -> None:
    """Its digits are pixels."""
    assert _pixels(b"P1 4 1 0110")[0, :, 0].tolist() == [255, 0, 0, 255]


def test_samples_above_the_maximum_are_white() -> None:
    """As bytes and as text."""
    assert _pixels(b"P5 2 1 10\n\xff\5")[0, :, 0].tolist() == [255, 128]
    assert _pixels(b"P2 2 1 10\n9999999999 5")[0, :, 0].tolist() == [255, 128]


def test_a_comment_right_after_the_last_number() -> None:
    """Its end is the one space before the pixels."""
    assert _pixels(b"P5\n1 1\n255# white\n\xff")[0, 0, 0] == 255


@pytest.mark.parametrize(
    ("tuple_type", "channels", "mode"),
    [
        ("BLACKANDWHITE", 1, "L"),
        ("GRAYSCALE", 1, "L"),
        ("RGB", 3, "RGB"),
        ("BLACKANDWHITE_ALPHA", 2, "LA"),
        ("GRAYSCALE_ALPHA", 2, "LA"),
        ("RGB_ALPHA", 4, "RGBA"),
        ("", 2, "LA"),
        ("", 4, "RGBA"),
        ("RGB", 5, "RGB"),
        ("RGB_ALPHA", 3, "RGB"),
        ("DEPTHMAP", 1, "L"),
    ],
)
@pytest.mark.parametrize("maximum", [1, 7, 255, 1023, 65535])
def test_every_kind_of_tuples(tuple_type: str, channels: int, mode: str, maximum: int) -> None:
    """What has no meaning goes by the number of channels; further ones are left out."""
    samples = _samples(channels, maximum)
    expected = samples / maximum * 255

    made = _pixels(pam(samples, tuple_type, maximum))

    colors = 3 if mode.startswith("RGB") else 1
    seen = made[..., 3] > 0
    assert np.abs(made[..., :colors] - expected[..., :colors])[seen].max() <= 0.5
    assert np.abs(made[..., 3] - (expected[..., colors] if mode.endswith("A") else 255)).max() <= 0.5


def test_cmyk() -> None:
    """With and without alpha; the maximum is full ink."""
    ink = np.array([[[255, 0, 0, 0, 128]]])

    assert _pixels(pam(ink[..., :4], "CMYK"))[0, 0].tolist() == [0, 255, 255, 255]
    assert _pixels(pam(ink, "CMYK_ALPHA"))[0, 0].tolist() == [0, 255, 255, 128]


@pytest.mark.parametrize("scale", [-1.0, 1.0, -2.5, 0.5])
@pytest.mark.parametrize("channels", [1, 3])
def test_floating_point_numbers(scale: float, channels: int) -> None:
    """From 0 to the scale, the lowest row first, in both orders of bytes."""
    shares = _RGB[..., :channels] / 255

    image = converted(pfm(shares * abs(scale), scale=scale))

    assert difference(image, photo(_SIZE) if channels == 3 else photo(_SIZE).getchannel("R")) <= 0.01


def test_numbers_out_of_range() -> None:
    """They are clipped; what is no number is black."""
    values = np.array([[[-1.0], [2.0], [np.inf], [np.nan], [1e30], [0.5]]])

    assert _pixels(pfm(values))[0, :, 0].tolist() == [0, 255, 255, 0, 255, 128]


def test_the_first_of_several_images() -> None:
    """The others follow it."""
    assert difference(converted(raw(_RGB) + raw(_RGB[:5])), photo(_SIZE)) == 0


@pytest.mark.parametrize(
    "data", [raw(_RGB), plain(_RGB), raw(_RGB[..., :1] & 1, 1), pam(_RGB, "RGB"), pfm(_RGB / 255)]
)
def test_rows_that_are_missing(data: bytes) -> None:
    """As many as the file says."""
    assert result(data[: len(data) * 3 // 4], 64).warning.startswith("The file is cut off: ")


def test_text_that_is_no_number_ends_the_image() -> None:
    """What was before it is there."""
    data = plain(_samples(1, 9), 9)

    assert result(data[:-40] + b"x" + data[-39:], 64).warning.startswith("The file is cut off: ")


@pytest.mark.parametrize("kind", [b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf"])
def test_a_file_without_pixels_is_refused_before_memory_is_taken(kind: bytes) -> None:
    """However large its header says it is."""
    with pytest.raises(Exception, match="The PNM file is broken: it is cut off after 0% of the image"):
        outcomes(kind + b"\n9000 9000\n255\n0 0 0", target())


@pytest.mark.parametrize(
    "data",
    [
        b"P5 0 1 255\n\0",
        b"P5 1 1 0\n\0",
        b"P6 1 -1 255\n\0",
        b"P5 1 1 x\n\0",
        b"PF 1 1 0\n\0\0\0\0",
        b"P7\nWIDTH 1\n",
    ],
)
def test_a_broken_header(data: bytes) -> None:
    """It is refused."""
    with pytest.raises(Exception, match="The PNM file is broken"):
        outcomes(data, target())


def test_more_than_16_bits_are_refused_as_such() -> None:
    """An extension that hardly any program writes."""
    with pytest.raises(Unsupported, match="PNM of more than 16 bits"):
        probe(b"P5 1 1 4294967295\n\0\0\0\0", Limits())


@pytest.mark.parametrize("head", [b"P8\n1 1\n", b"P0 1 1", b"P6R", b"Pf", b"PG\n1 1", b"P5x1 1 255\n"])
def test_what_is_no_pnm(head: bytes) -> None:
    """It needs a known kind and a space."""
    assert identify(head) is None
