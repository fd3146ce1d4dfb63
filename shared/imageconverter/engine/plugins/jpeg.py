"""JPEG: Pillow's decoder, which here also reads files that are cut off, and more than 8 bits by imagecodecs."""

import io
from collections.abc import Callable, Iterator
from typing import IO, Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from imageconverter.engine import jpeg, jpeg_losses
from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal

_EIGHT_BITS = 8
_END = b"\xff\xd9"
# Put in the place of what is missing. Where it changes the image, the data before it no longer decide.
_NOISE = bytes(37 * at * at % 251 for at in range(1024))
_APPLICATION = (*range(0xE0, 0xF0), 0xFE)  # and comments
_EXIF = b"Exif\0\0"
_PROFILE, _PROFILE_HEAD = b"ICC_PROFILE\0", 14  # bytes of this name, the number and the count of segments
_USUAL_HEADER = 1024 * 1024  # bytes
_WHOLE_FILE = 64 * 1024 * 1024
_MEASURED_SCALE = 2

Pixels = NDArray[Any]


class JpegFile(JpegImageFile):
    """A JPEG, the first image of several."""

    _depth = _EIGHT_BITS
    _is_deep = False
    """Whether Pillow does not decode it, or at full scale only."""

    def _open(self) -> None:
        """Read the header; broken segments that do not matter for the pixels are ignored."""
        file = self._source()
        head = _header(file)
        frame = jpeg.find_frame(head)
        if frame is not None:
            self._depth = frame.depth
            self._is_deep = frame.is_lossless or frame.depth != _EIGHT_BITS
        if self._is_deep:
            head = _with_eight_bits(head)
        try:
            self._open_header(head)
        finally:
            self.fp = file
        self._read_profile(head)
        self._height = self.height
        self._header_bytes = len(head)

    def _open_header(self, head: bytes) -> None:
        """Let Pillow read *head*, if need be without what is not necessary: first what is no segment at all."""
        for wanted in ((b"",), (_PROFILE, _EXIF), (_PROFILE,)):
            try:
                self.fp = io.BytesIO(head)
                super()._open()
            except DECODER_ERRORS as error:
                raise_refusal(error)
                head = _segments_of(head, wanted)
                self.info.clear()
            else:
                return
        self.fp = io.BytesIO(head)
        super()._open()

    def _read_profile(self, head: bytes) -> None:
        """Read the color profile: Pillow finds it before the frame only, and takes one that has a part twice."""
        self.info.pop("icc_profile", None)
        parts = sorted(_profile_parts(head))
        count = parts[0][1] if parts else 0
        if [part[:2] for part in parts] != [(number, count) for number in range(1, count + 1)]:
            self.info["warnings"] = ["The color profile cannot be used; it is not complete."]
        elif parts:
            self.info["icc_profile"] = b"".join(content for _, _, content in parts)

    def load(self) -> Any:
        """Decode the image, or as much of it as there is."""
        if not self.tile:
            return super().load()
        if self._is_deep:
            self._load_deep()
            return super().load()
        file, tile = self._source(), self.tile
        whole = file.read()
        if whole.rfind(_END, self._header_bytes) >= 0:  # from the end, where it usually is
            whole = b""  # only for files that are cut off, which Pillow does not find out in all cases
        try:
            loaded = super().load()
        except OSError as error:
            raise_refusal(error)
            data = self._decodable(whole or _read(file), _decode_half)
            if not data:
                raise
            self._note_losses(data, _decode_half)
            self.fp, self.tile = io.BytesIO(data + _END), tile
            return super().load()
        if whole and (data := self._decodable(whole, _decode_half)):
            self._note_losses(data, _decode_half)
        return loaded

    def _load_deep(self) -> None:
        """Decode more or fewer than 8 bits, at full scale: Pillow cannot."""
        data = self._source().read()
        if not any(segment.kind == jpeg.END for segment in jpeg.segments(data)):
            data = self._decodable(data, _decode_deep)
            self._note_losses(data, _decode_deep)
            data += _END
        pixels = _decode_deep(data)
        largest = (1 << self._depth) - 1
        levels = np.minimum((np.arange(1 << 16, dtype=np.uint32) * 255 + largest // 2) // largest, 255)
        if self.mode == "CMYK":  # stored inverted, as Adobe does
            levels = 255 - levels
        self.im = Image.fromarray(levels.astype(np.uint8)[pixels], self.mode).im
        self.tile = []

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> Any:
        """Choose a smaller scale, if Pillow decodes."""
        return super().draft(mode, size) if not self._is_deep else None

    def _source(self) -> IO[bytes]:
        """Return the file, at its start."""
        if self.fp is None:
            raise OSError("the file is closed")
        self.fp.seek(0)
        return self.fp

    def _decodable(self, data: bytes, decode: Callable[[bytes], Pixels]) -> bytes:
        """Return the longest part of *data*, ending with a scan, that can be decoded; b"" if there is none."""
        points = jpeg_losses.cut_points(data)
        low, high = 0, len(points)  # all points before `low` are known to be decodable, from `high` on none
        probe = high - 1
        while low < high:
            try:
                decode(data[: points[probe]] + _END)
            except DECODER_ERRORS as error:
                raise_refusal(error)
                high = probe
            else:
                low = probe + 1
            probe = (low + high) // 2
        return data[: points[low - 1]] if low else b""

    def _note_losses(self, data: bytes, decode: Callable[[bytes], Pixels]) -> None:
        """Find how much of the image depends on what would come after *data*."""
        before, after = decode(data + _END), decode(data + _NOISE + _END)
        differs = (before != after).reshape(len(before), -1).any(axis=1)
        first_wrong = float(differs.argmax()) / len(differs) * self._height if differs.any() else None
        self.info["missing"], self.info["missing_band"] = jpeg_losses.missing_rows(data, self._height, first_wrong)
        if not self.info["missing"]:
            self.info["missing_detail"] = jpeg_losses.missing_detail(data, self._height, first_wrong)


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _header(file: IO[bytes]) -> bytes:
    """Return what comes before the pixels; all of the file if it has none."""
    data = file.read(_USUAL_HEADER)
    for _ in range(2):
        scan = next((segment for segment in jpeg.segments(data) if segment.kind == jpeg.SCAN), None)
        if scan is not None:
            return data[: scan.end]
        data += file.read()
    return data


def _with_eight_bits(head: bytes) -> bytes:
    """Replace the depth, for which Pillow refuses the file, in all frames."""
    changed = bytearray(head)
    for segment in jpeg.segments(head):
        if segment.kind in jpeg.FRAMES:
            changed[segment.start + 4 : segment.start + 5] = bytes([_EIGHT_BITS])
    return bytes(changed)


def _segments_of(head: bytes, wanted: tuple[bytes, ...]) -> bytes:
    """Return the segments in *head* and nothing between them; for applications, those that begin as *wanted*."""
    kept = [head[:2]]
    for kind, start, end in jpeg.segments(head):
        content = head[start + 4 : end]
        is_half_a_profile = content.startswith(_PROFILE) and len(content) < _PROFILE_HEAD
        if kind not in _APPLICATION or (content.startswith(wanted) and not is_half_a_profile):
            kept.append(head[start:end])
    return b"".join(kept)


def _profile_parts(head: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the number of each part of the color profile, the count of parts, and its content (ICC.1:2022, B.4)."""
    for _, start, end in jpeg.segments(head):
        content = head[start + 4 : end]
        if content.startswith(_PROFILE):
            number, count = content[len(_PROFILE) : _PROFILE_HEAD].ljust(2, b"\0")
            yield number, count, content[_PROFILE_HEAD:]


def _decode_half(data: bytes) -> Pixels:
    """Decode at half the scale, which takes a quarter of the memory."""
    with JpegImageFile(io.BytesIO(data)) as image:
        image.draft(None, (max(1, image.width // _MEASURED_SCALE), max(1, image.height // _MEASURED_SCALE)))
        image.decodermaxblock = _WHOLE_FILE
        image.load()
        return np.asarray(image)


def _decode_deep(data: bytes) -> Pixels:
    return np.asarray(imagecodecs.jpeg8_decode(data))


Image.register_open("JPEG", JpegFile, lambda prefix: prefix.startswith(b"\xff\xd8\xff"))
