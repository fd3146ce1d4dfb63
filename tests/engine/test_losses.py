"""What a decoder could not read: refused variants, and images that are cut off."""

import io
from dataclasses import replace

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


def test_an_intact_image_has_no_warnings() -> None:
    """There is nothing to say."""
    assert warnings_of(Image.new("L", (1, 1))) == []
