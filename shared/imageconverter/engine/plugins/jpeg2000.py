"""JPEG 2000 (ISO/IEC 15444): the first code stream of a file, decoded by OpenJPEG, as its boxes say."""

from PIL import Image

from imageconverter.engine import j2k, jp2
from imageconverter.engine.decoder_errors import raise_refusal
from imageconverter.engine.plugins import jp2_channels
from imageconverter.engine.plugins.decoded import DecodedImageFile, file_of
from imageconverter.engine.plugins.j2k_planes import PlaneDecoder, Planes
from imageconverter.engine.plugins.jp2_colors import Space
from imageconverter.errors import Unsupported

_MAX_REDUCTION = 5
_SIGNATURES = (b"\0\0\0\x0cjP  \r\n\x87\n", j2k.START)


class Jpeg2000File(DecodedImageFile):
    """A JPEG 2000 image."""

    format = "OWN-JPEG2000"  # Pillow has one of that name without the prefix
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

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> tuple[str, tuple[int, int, float, float]]:
        """Prepare to decode at the smallest scale that has at least *size*; *mode* is ignored, as by other decoders.

        Returns the mode and the part of the smaller image that is the whole one.
        """
        width, height = self._codestream.size
        needed_width, needed_height = size or self.size
        is_indexed = bool(self._channels.indices)
        reduction = 0 if is_indexed or self._im is not None else min(self._codestream.levels, _MAX_REDUCTION)
        while reduction and (width >> reduction < needed_width or height >> reduction < needed_height):
            reduction -= 1
        self._reduction = reduction
        left, top, right, bottom = j2k.scaled(self._codestream.area, self._codestream.step, reduction)
        self._size = right - left, bottom - top
        return mode or self.mode, (0, 0, width / (1 << reduction), height / (1 << reduction))

    def _decode(self) -> Image.Image:
        file = file_of(self)
        file.seek(0)
        data = file.read(self._boxes.end)
        try:
            image, planes = self._decoded(data, self._reduction)
        except OSError as error:
            raise_refusal(error)
            if not self._reduction:
                raise
            image, planes = self._decoded(data, 0)  # a tile may have fewer levels than the main header says
            image = image.resize(self.size, Image.Resampling.BOX)
        if planes.missing is not None:
            self.info["missing"], self.info["missing_detail"] = planes.missing, planes.missing_detail
        return image

    def _decoded(self, data: bytes, reduction: int) -> tuple[Image.Image, Planes]:
        decoder = PlaneDecoder(self._codestream, self._channels.used, self._channels.indices, reduction)
        planes = decoder.decode(data, self._boxes.start)
        return jp2_channels.assemble(planes.samples, self._channels, self._codestream, reduction), planes


def _accept(head: bytes) -> bool:
    return head.startswith(_SIGNATURES)


Image.register_open(Jpeg2000File.format, Jpeg2000File, _accept)
