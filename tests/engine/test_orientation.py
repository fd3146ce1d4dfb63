"""Only the orientation in EXIF turns an image, as in browsers; that in XMP or in a text does not."""

import io
from typing import Any

import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from imageconverter.engine.decode import open_image
from imageconverter.engine.limits import Limits
from imageconverter.engine.metadata import read_metadata
from tests.testing import drawings
from tests.testing.image_assertions import converted, is_upright

_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def _texts() -> PngImagePlugin.PngInfo:
    """Return texts as ImageMagick writes them: XMP, and EXIF in hexadecimal digits."""
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", _XMP)
    texts.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n")
    return texts


def _tiff_tags() -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700] = _XMP.encode()
    return tags


_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"xmp": _XMP.encode()},
    "PNG": {"pnginfo": _texts()},
    "WEBP": {"xmp": _XMP.encode(), "lossless": True},
    "AVIF": {"xmp": _XMP.encode(), "max_threads": 1},
    "TIFF": {"tiffinfo": _tiff_tags()},
}


def _file(kind: str) -> bytes:
    buffer = io.BytesIO()
    drawings.corners().save(buffer, kind, **_OPTIONS[kind])
    return buffer.getvalue()


@pytest.mark.parametrize("kind", _OPTIONS)
def test_xmp_and_texts_turn_nothing(kind: str) -> None:
    """Pillow would turn these by a quarter."""
    image = converted(_file(kind), 96)

    assert image.size == drawings.SIZE
    assert is_upright(image)


@pytest.mark.parametrize("kind", _OPTIONS)
def test_extents_in_the_metadata_are_those_as_stored(kind: str) -> None:
    """They equal those of the output, whatever a text says."""
    source = io.BytesIO(_file(kind))
    header = read_metadata(source, *open_image(source, Limits()))["Header"]

    assert (header["Header Pixel Width"]["value"], header["Header Pixel Height"]["value"]) == drawings.SIZE


def test_exif_wins_over_xmp() -> None:
    """A camera wrote the one, a program the other."""
    exif = Image.Exif()
    exif[0x0112] = 8
    buffer = io.BytesIO()
    drawings.as_stored(drawings.corners(), 8).save(buffer, "JPEG", exif=exif, xmp=_XMP.encode())

    assert is_upright(converted(buffer.getvalue(), 96))
