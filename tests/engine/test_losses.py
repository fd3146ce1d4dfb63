"""What a decoder could not read: refused variants, and images that are cut off."""

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from imageconverter.engine import Limits, header, source_types
from imageconverter.engine.decode import load, open_image, warnings_of
from imageconverter.errors import Undecodable, Unsupported
from tests.testing import image_files


def test_a_variant_that_nothing_decodes_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its name, and never as broken."""
    kind = next(each for each in source_types.SOURCE_TYPES if each.name == "PNM")
    kind = replace(kind, unsupported=lambda source: "striped PNM" if b"stripes" in source.read() else "")
    monkeypatch.setattr(header, "identify", lambda _head: kind)

    with pytest.raises(Unsupported, match=r"^The file is not supported: striped PNM\.$"):
        header.probe(b"P5 1 1 255\nstripes", Limits())
    assert header.probe(b"P5 1 1 255\nx", Limits()) is kind


@pytest.mark.parametrize(("missing", "warning"), [(0.001, "1 %"), (0.25, "25 %"), (0.5, "50 %")])
def test_an_image_that_is_cut_off_says_how_much_is_missing(missing: float, warning: str) -> None:
    """Up to half of its rows; the other losses follow."""
    image, info = open_image(io.BytesIO(image_files.jpeg()), Limits())
    image.info |= {"missing": missing, "warnings": ["The profile is broken."]}

    load(image, info, at_least=(1, 1))

    assert warnings_of(image) == [
        f"The file is cut off: {warning} of the image are missing.",
        "The profile is broken.",
    ]


@pytest.mark.parametrize(("missing", "truncated"), [(0.6, True), (0.01, False)])
def test_an_image_of_which_too_much_is_missing_is_refused(missing: float, *, truncated: bool) -> None:
    """More than half, or any part if the operator wants it so."""
    image, info = open_image(io.BytesIO(image_files.jpeg()), Limits())
    image.info["missing"] = missing

    with pytest.raises(Undecodable, match=r"^The JPEG file is broken: it is cut off after \d+% of the image\.$"):
        load(image, info, at_least=(1, 1), truncated=truncated)


@pytest.mark.parametrize(
    ("info", "warning"),
    [
        ({"missing": 0.0}, "The file is cut off: its end is missing, but 0 % of the image."),
        ({"missing": 0.0, "missing_detail": 0.3}, "The file is cut off: 30 % of the image's detail is missing."),
        ({"missing": 0.55, "missing_band": 0.05}, "The file is cut off: 55 % of the image are missing."),
    ],
)
def test_other_losses_at_the_end_of_a_file(info: dict[str | tuple[int, int], Any], warning: str) -> None:
    """Nothing but the end marker, detail, and rows that are decoded in bands."""
    image, opened = open_image(io.BytesIO(image_files.jpeg()), Limits())
    image.info |= info

    load(image, opened, at_least=(1, 1))

    assert warnings_of(image) == [warning]


def test_an_intact_image_has_no_warnings() -> None:
    """There is nothing to say."""
    assert warnings_of(Image.new("L", (1, 1))) == []
