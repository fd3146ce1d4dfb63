"""JPEG 2000 (ISO/IEC 15444): the first code stream of a file, decoded by OpenJPEG, as its boxes say."""

from PIL import Image

from imageconverter.engine import j2k, jp2
from imageconverter.engine.plugins import j2k_planes, jp2_channels
from imageconverter.engine.plugins.decoded import DecodedImageFile, file_of
from imageconverter.engine.plugins.jp2_colors import Space
from imageconverter.errors import Unsupported

_SIGNATURES = (b"\0\0\0\x0cjP  \r\n\x87\n", j2k.START)


class Jpeg2000File(DecodedImageFile):
    """A JPEG 2000 image."""

    format = "JPEG2000"
    format_description = "JPEG 2000"

    def _open(self) -> None:
        """Read the header. Raises OSError if it is broken, Unsupported if the variant is not supported."""
        file = file_of(self)
        if variant := jp2.unsupported(file):
            raise Unsupported.variant(variant)
        self._boxes = jp2.read_boxes(file)
        codestream = jp2.read_codestream(file, self._boxes)
        if codestream is None:
            raise OSError("there is no code stream")
        self._codestream = codestream
        self._channels = jp2_channels.choose(self._boxes, codestream)
        self._reduction = 0
        self._size = codestream.size
        self._mode = self._channels.mode
        if self._channels.profile and not (self._channels.space == Space.CMYK and self.mode == "RGBA"):
            self.info["icc_profile"] = self._channels.profile
        if self._channels.warning:
            self.info["warnings"] = [self._channels.warning]

    def _decode(self) -> Image.Image:
        file, codestream, start = file_of(self), self._codestream, self._boxes.start
        file.seek(0)
        data = file.read(self._boxes.end)
        planes = j2k_planes.decode(data, start, codestream, indices=self._channels.indices, reduction=self._reduction)
        if planes.missing is not None:
            self.info["missing"], self.info["missing_detail"] = planes.missing, planes.missing_detail
        return jp2_channels.assemble(planes.samples, self._channels, codestream, self._reduction)


def _accept(head: bytes) -> bool:
    return head.startswith(_SIGNATURES)


Image.register_open(Jpeg2000File.format, Jpeg2000File, _accept)
