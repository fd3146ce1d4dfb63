"""XCF, GIMP's own format: its visible layers, flattened.

Reads the files of GIMP 0.99 to 2.10 (versions 0 to 14), and of later versions the parts that did not change.
"""

from typing import Any

from PIL import Image, ImageFile

from rare_formats.xcf.fields import Fields
from rare_formats.xcf.flatten import flatten
from rare_formats.xcf.precision import Curve
from rare_formats.xcf.profile import with_srgb_curves
from rare_formats.xcf.structure import MAGIC, BaseType, Document, read_document, read_layers


def _accept(head: bytes) -> bool:
    return head.startswith(MAGIC)


class XcfImageFile(ImageFile.ImageFile):
    """An image of layers; loading flattens them to RGB or gray of 8 bits, with alpha if they do not cover it all."""

    format = "XCF"
    format_description = "GIMP"

    _document: Document

    def _open(self) -> None:
        if self.fp is None:
            raise ValueError("the file is closed")
        self._document = read_document(Fields(self.fp))
        self._size = (self._document.width, self._document.height)
        self._mode = "LA" if self._document.base is BaseType.GRAY else "RGBA"
        profile = _profile(self._document)
        if profile:
            self.info["icc_profile"] = profile

    def load(self) -> Any:
        """Flatten the layers at the first call; then the mode has no alpha if they cover the whole canvas."""
        if self._im is None:
            image = flatten(self._document, read_layers(self._document))
            self._mode = image.mode
            self.im = image.im
        return super().load()


def _profile(document: Document) -> bytes | None:
    """Return the profile of the image that `flatten` returns."""
    if document.profile is None or document.precision.curve is Curve.PROFILE:
        return document.profile
    try:
        return with_srgb_curves(document.profile)
    except ValueError:  # a broken profile does not make a broken image
        return None


Image.register_open(XcfImageFile.format, XcfImageFile, _accept)
Image.register_extensions(XcfImageFile.format, [".xcf"])
Image.register_mime(XcfImageFile.format, "image/x-xcf")
