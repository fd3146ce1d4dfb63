"""FITS: what is refused by its headers; tests/rare_formats has the images."""

import numpy as np
import pytest

from imageconverter.engine import Limits, probe
from imageconverter.errors import Unsupported
from tests.testing.fits_files import Samples, extension, fits, unit
from tests.testing.image_assertions import outcomes, target

_EMPTY: Samples = np.zeros(0, "u1")
_IMAGE: Samples = np.arange(12, dtype="i2").reshape(3, 4)
_TABLE: Samples = np.zeros((5, 16), "u1")
_COMPRESSED = extension(_TABLE, "BINTABLE", ZIMAGE="T", ZCMPTYPE="'RICE_1'")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (fits(_EMPTY) + _COMPRESSED, "tile-compressed FITS image"),
        (fits(_EMPTY) + extension(_TABLE, "BINTABLE") + _COMPRESSED, "tile-compressed FITS image"),
        (fits(_EMPTY), "FITS without an image"),
        (fits(_EMPTY) + extension(_TABLE, "BINTABLE"), "FITS without an image"),
    ],
)
def test_files_without_a_readable_image_are_refused_as_such(data: bytes, name: str) -> None:
    """By the headers of all their parts."""
    with pytest.raises(Unsupported, match=f"not supported: {name}"):
        probe(data, Limits())


@pytest.mark.parametrize(
    "data",
    [
        fits(_IMAGE) + _COMPRESSED,
        fits(_EMPTY) + extension(_IMAGE),
        fits(_EMPTY) + extension(_TABLE, "BINTABLE") + extension(_IMAGE) + _COMPRESSED,
    ],
)
def test_a_readable_image_before_others_counts(data: bytes) -> None:
    """Wherever it is."""
    assert probe(data, Limits()).name == "FITS"
    assert outcomes(data, target())


@pytest.mark.parametrize(
    "data",
    [
        fits(_IMAGE)[:100],
        unit(_EMPTY, "SIMPLE  =                    T").replace(b"BITPIX  ", b"BITPUX  "),
    ],
)
def test_broken_headers_are_left_to_the_decoder(data: bytes) -> None:
    """Which says that they are broken."""
    assert probe(data, Limits()).name == "FITS"
