"""TIFF: Pillow and libtiff for the kinds that they read well, our own decoder for all others.

docs/decisions.md compares them.
"""

import io
from dataclasses import replace
from typing import Any

import imagecodecs
from PIL import Image, ImagePalette
from PIL.TiffImagePlugin import TiffImageFile

from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.plugins.decoded import file_of
from imageconverter.engine.plugins.tiff import colors
from imageconverter.engine.plugins.tiff.layout import CCITT, JPEG, LIBTIFF_ONLY, OLD_JPEG, Layout, read_layout
from imageconverter.engine.plugins.tiff.levels import Segments, eight_bits, is_unsigned
from imageconverter.engine.plugins.tiff.segments import Decoder
from imageconverter.engine.tiff_directory import main_directory

_ORIENTATION, _ICC_PROFILE, _COLOR_MAP = 274, 34675, 320
_SIDEWAYS = range(5, 9)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
# libtiff turns by the orientation itself, but leaves rows where columns belong.
_TURNS_AFTER_LIBTIFF = {
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.TRANSVERSE, 7: Image.Transpose.TRANSPOSE,
    8: Image.Transpose.TRANSVERSE,
}  # fmt: skip
_KEPT_BYTES = 64 * 1024 * 1024  # of samples that are not decoded a second time
_BY_PILLOW = (1, 5, 32773, *CCITT, *JPEG)
_MODES_OF_PILLOW = ("gray", "white", "rgb", "palette", "cmyk", "cielab")


class TiffFile(TiffImageFile):
    """The main image of a TIFF."""

    format = "TIFF"

    def _open(self) -> None:
        self._directory = main_directory(file_of(self))
        self._layout = read_layout(self._directory)
        self._decoded = False
        if self._layout.has_others:
            self.info["warnings"] = ["Channels that are neither color nor alpha were left out."]
        self._opened_by_pillow = self._directory.index == 0 and _is_for_pillow(self._layout) and self._is_whole()
        file_of(self).seek(0)
        if self._opened_by_pillow:
            try:
                super()._open()
            except DECODER_ERRORS as error:
                raise_refusal(error)
                self._opened_by_pillow = False
            else:
                if self.tag_v2.get(_ORIENTATION, 1) == self._orientation:
                    self._correct_palette()
                    return
                self._opened_by_pillow = False
        self._mode = "RGB"  # until it is decoded
        size = self._layout.width, self._layout.height
        self._size = size[::-1] if self._orientation in _SIDEWAYS else size
        self.tile = []
        profile = self._directory.data(_ICC_PROFILE)
        if profile and colors.keeps_profile(self._layout):
            self.info["icc_profile"] = profile

    def load(self) -> Any:
        """Decode the pixels."""
        if self._decoded:
            return Image.Image.load(self)
        if self._opened_by_pillow:
            try:
                return super().load()
            except DECODER_ERRORS as error:
                raise_refusal(error)
                self._opened_by_pillow = False
        image = self._by_libtiff() if self._layout.compression in LIBTIFF_ONLY else self._by_us()
        self.im, self._mode, self._size = image.im, image.mode, image.size
        self.palette, self.tile, self.readonly = None, [], 0
        self._decoded = True
        return Image.Image.load(self)

    @property
    def _orientation(self) -> int:
        return self._directory.integer(_ORIENTATION, 1)

    def _is_whole(self) -> bool:
        """Whether all strips and tiles are in the file."""
        end = file_of(self).seek(0, io.SEEK_END)
        return all(each.offset > 0 and each.offset + each.length <= end for each in self._layout.segments)

    def _correct_palette(self) -> None:
        """Replace a palette of 8 bits: Pillow takes all for 16 bits."""
        values = self._directory.integers(_COLOR_MAP, at_most=3 << 8)
        if self.mode in ("P", "PA") and values and max(values) < 256:  # noqa: PLR2004
            self.palette = ImagePalette.raw("RGB;L", bytes(values))

    def _by_us(self) -> Image.Image:
        decoder = Decoder(file_of(self), self._layout)
        kept: list[Segments] = []

        def decode() -> Segments:
            if self._layout.stored_bytes > _KEPT_BYTES:
                return decoder.decode()
            kept[:] = kept or [list(decoder.decode())]
            return kept[0]

        layout = self._layout
        if (layout.kind, layout.bits) == ("signed", 8) and is_unsigned(decode):
            layout = replace(layout, kind="unsigned")
        scales = colors.scales(layout, self._directory, decode)
        levels = eight_bits(layout, decode, scales)
        kept.clear()
        if decoder.missing > 0:
            self.info["missing"] = decoder.missing
        made = colors.image(self._layout, self._directory, levels, self._directory.data(_ICC_PROFILE) or None)
        turn = _TURNS.get(self._orientation)
        return made if turn is None else made.transpose(turn)

    def _by_libtiff(self) -> Image.Image:
        """Decode by the interface of libtiff that makes RGB of everything."""
        if self._directory.index < 0:
            raise ValueError("it is not in the chain of directories")
        file_of(self).seek(0)
        pixels = imagecodecs.tiff_decode(file_of(self).read(), self._directory.index, asrgb=True)
        made = Image.fromarray(pixels).convert("RGB")
        turn = _TURNS_AFTER_LIBTIFF.get(self._orientation)
        return made if turn is None else made.transpose(turn)


def _is_for_pillow(layout: Layout) -> bool:
    """Whether Pillow reads all of its kind, and faster."""
    depths = (8,) if layout.samples > 1 else (1, 2, 4, 8)
    planes = not layout.planar or (layout.color in ("rgb", "cmyk") and layout.alpha is None)
    usual = layout.kind == "unsigned" and layout.bits in depths and planes
    known = layout.color in _MODES_OF_PILLOW and len(layout.channels) == layout.samples
    with_alpha = layout.alpha is None or layout.color in ("gray", "rgb")
    return layout.compression == OLD_JPEG or (layout.compression in _BY_PILLOW and usual and known and with_alpha)


Image.register_open(TiffFile.format, TiffFile, lambda prefix: prefix[:2] in (b"II", b"MM"))
