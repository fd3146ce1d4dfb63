"""FITS: every type of sample, values instead of stored numbers, rows from the bottom, planes and extensions."""

import io

import numpy as np
import pytest
from PIL import Image

from rare_formats import fits as reader
from tests.testing.fits_files import Samples, card, extension, fits
from tests.testing.oracles import MAGICK, read_by

_TYPES = ["u1", "i2", "i4", "i8", "f4", "f8"]
_RAMP = np.arange(12, dtype="u1").reshape(3, 4)  # three rows, the first one at the bottom
_NOTHING = np.zeros(0, "u1")


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=[reader.FitsImageFile.format])


def _levels(data: bytes) -> Samples:
    return np.asarray(_opened(data))


@pytest.mark.parametrize("kind", _TYPES[1:])
def test_values_are_stretched_from_black_to_white(kind: str) -> None:
    """Whatever their type; the first stored row is the lowest."""
    levels = _levels(fits(_RAMP.astype(kind) * 100 - 500))

    assert levels.tolist() == np.round(_RAMP[::-1] * (255 / 11)).tolist()


def test_bytes_are_levels_of_gray() -> None:
    """They are not stretched."""
    assert _levels(fits(_RAMP)).tolist() == _RAMP[::-1].tolist()


def test_a_negative_scale_inverts_the_image() -> None:
    """The value of a sample is BZERO + BSCALE times the stored number."""
    data = fits(_RAMP.astype("i2"), BSCALE="-2.5D0", BZERO=1000)

    assert _levels(data).tolist() == np.round((11 - _RAMP[::-1]) * (255 / 11)).tolist()


def test_unsigned_numbers_are_stored_with_an_offset() -> None:
    """As usual for cameras: BZERO is 32768, and the stored numbers are signed."""
    counts = np.array([[0, 30_000, 40_000, 60_000]])
    data = fits((counts - 32_768).astype("i2"), BZERO=32_768, BSCALE=1)

    assert _levels(data).tolist() == [[0, 128, 170, 255]]


def test_scaled_bytes_are_stretched() -> None:
    """They are not levels of gray."""
    assert _levels(fits(np.array([[100, 200]], "u1"), BZERO=-128)).tolist() == [[0, 255]]


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "i8"])
def test_blank_samples_are_black(kind: str) -> None:
    """And are not used for the stretch."""
    data = fits(np.array([[7, 50, 60, 70]], kind), BLANK=7)

    assert _levels(data).tolist() == ([[0, 50, 60, 70]] if kind == "u1" else [[0, 0, 128, 255]])


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_black(kind: str, nothing: float) -> None:
    """And are not used for the stretch."""
    assert _levels(fits(np.array([[nothing, 1, 2, 3]], kind))).tolist() == [[0, 0, 128, 255]]


def test_the_largest_numbers_do_not_overflow() -> None:
    """Their difference is larger than any finite number."""
    assert _levels(fits(np.array([[-1.7e308, 0, 1.7e308]]))).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("samples", [np.full((2, 3), 7.5), np.full((2, 3), np.nan)])
def test_an_image_of_one_value_is_black(samples: Samples) -> None:
    """Without a division by zero."""
    assert not _levels(fits(samples)).any()


def test_three_planes_are_a_color_image() -> None:
    """They are stretched together, so that colors are kept."""
    image = _opened(fits(np.array([[[0, 10]], [[0, 20]], [[0, 5]]], "i2")))

    assert (image.mode, image.size) == ("RGB", (2, 1))
    assert np.asarray(image).tolist() == [[[0, 0, 0], [128, 255, 64]]]


@pytest.mark.parametrize("shape", [(2, 2, 3), (5, 2, 3), (4, 2, 2, 3), (6,)])
def test_the_first_plane_of_other_cubes_is_read(shape: tuple[int, ...]) -> None:
    """It is stretched by its own extremes."""
    samples = np.arange(np.prod(shape), dtype="i4").reshape(shape)
    first = samples.reshape(-1, *shape[-2:])[0] if len(shape) > 1 else samples.reshape(1, -1)

    assert _levels(fits(samples)).tolist() == np.round(first[::-1] * (255 / first.max())).tolist()


def test_the_first_image_can_be_an_extension() -> None:
    """After an empty primary unit and a table."""
    table = extension(np.zeros((2, 5000), "u1"), "BINTABLE")
    data = fits(_NOTHING) + table + extension(_RAMP) + extension(_RAMP + 1)

    assert _levels(data).tolist() == _RAMP[::-1].tolist()


def test_a_header_can_be_long() -> None:
    """Real ones have hundreds of cards."""
    data = fits(_RAMP, **{f"KEY{index}": index for index in range(300)})

    assert _levels(data).tolist() == _RAMP[::-1].tolist()


def test_the_size_is_known_before_decoding() -> None:
    """From the header alone."""
    image = _opened(fits(np.zeros((20, 30))))

    assert (image.size, image.mode, image.info) == ((30, 20), "L", {})
    assert getattr(image, "_im", 1) is None


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        (card("NAXIS1", 4), card("NAXIS1", 9000), "truncated"),
        (card("NAXIS1", 4), card("NAXIS1", "9" * 60), "truncated"),
        (card("NAXIS1", 4), card("NAXIS1", -4), "negative"),
        (card("NAXIS", 2), card("NAXIS", "9" * 60), "NAXIS3"),
        (card("BITPIX", 8), card("BITPIX", 24), "BITPIX is 24"),
        (card("BITPIX", 8), card("BITPIX", "many"), "invalid literal"),
    ],
)
def test_a_broken_header_is_refused(good: str, bad: str, reason: str) -> None:
    """With a reason, and before memory is allocated."""
    data = fits(_RAMP).replace(good.ljust(80).encode(), bad[:80].ljust(80).encode())

    with pytest.raises((ValueError, SyntaxError), match=reason):
        reader.FitsImageFile(io.BytesIO(data))


def test_a_file_without_an_image_is_refused() -> None:
    """Its primary unit is empty, and nothing follows."""
    with pytest.raises(ValueError, match="no image"):
        reader.FitsImageFile(io.BytesIO(fits(_NOTHING)))


@pytest.mark.parametrize("length", [100, 2880, 2880 + 11])
def test_a_truncated_file_is_refused(length: int) -> None:
    """If the header or the data is truncated."""
    with pytest.raises((ValueError, SyntaxError)):
        reader.FitsImageFile(io.BytesIO(fits(_RAMP)[:length]))


def test_compressed_images_are_refused_with_a_reason() -> None:
    """They are stored as tables."""
    table = extension(np.zeros((2, 50), "u1"), "BINTABLE", ZIMAGE="T")

    with pytest.raises(ValueError, match="compressed"):
        reader.FitsImageFile(io.BytesIO(fits(_NOTHING) + table))


@MAGICK
@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8"])
def test_other_programs_read_the_same_image(program: str, kind: str) -> None:
    """Within a rounded level. They map the whole range of an integer type, so that the samples here use all of it."""
    numbers = np.random.default_rng(1)
    if kind.startswith("f"):
        data = fits((numbers.normal(size=(20, 30)) * 1000).astype(kind))
    else:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        samples = numbers.integers(low, high, size=(20, 30), dtype=kind, endpoint=True)
        samples[0, :2] = low, high
        data = fits(samples, BZERO=float(-low))

    theirs = np.asarray(read_by(program, data, "fits").convert("L")).astype(int)

    assert np.abs(_levels(data) - theirs).max() <= 1
