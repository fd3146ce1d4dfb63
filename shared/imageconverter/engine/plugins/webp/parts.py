"""What a WebP consists of, and a file of those parts that can be decoded."""

from imageconverter.engine import webp
from imageconverter.engine.webp import Chunk

_PIXELS = (b"VP8 ", b"VP8L")
_FRAME = b"ANMF"
_OTHERS = {b"ICCP": 0x20, b"EXIF": 0x08}
"""What else the decoder is given, with its flag in VP8X."""
_NEED_EXTENSION = (b"ANIM", _FRAME, b"ALPH", *_OTHERS)
_FLAGS_AT = 20
_MIN_FILL, _MAX_FILL = 64 * 1024, 32 * 1024 * 1024
_BYTES_A_PIXEL = 4


class WebpParts:
    """The parts of a WebP in memory."""

    def __init__(self, data: bytes) -> None:
        """Find them. Raises SyntaxError if there are no pixels."""
        self._data = data
        chunks = list(webp.walk(data))
        end = webp.end_of(data)
        self.is_cut_off = end > len(data) or not all(chunk.is_whole for chunk in chunks)
        self._is_inconsistent = any(chunk.end > end for chunk in chunks)
        self._is_animated = any(chunk.kind == _FRAME for chunk in chunks)
        self._chunks = [chunk for chunk in chunks if chunk.is_whole or chunk.kind in _PIXELS]
        wanted = (_FRAME,) if self._is_animated else _PIXELS
        pixels = next((chunk for chunk in self._chunks if chunk.kind in wanted), None)
        if pixels is None:
            raise SyntaxError("it is cut off before its pixels")
        self._pixels: Chunk = pixels
        found = (
            webp.size_of(chunk.kind, self._stored(chunk)) for chunk in chunks if chunk.kind in (b"VP8X", *wanted)
        )
        sizes = set(filter(None, found))
        if len(sizes) != 1:
            raise SyntaxError("its extents are not clear")
        (self.size,) = sizes

    @property
    def is_incomplete(self) -> bool:
        """Whether the pixels of a still image are cut off."""
        return not self._pixels.is_whole

    @property
    def pixel_bytes(self) -> int:
        """How many bytes of the first pixels are there."""
        return self._pixels.end - self._pixels.begin

    @property
    def is_lossy(self) -> bool:
        """Whether a still image is."""
        return self._pixels.kind == b"VP8 "

    def file(self) -> bytes:
        """Return a file from which all is decoded that is there, the alpha channel too if there is one."""
        if self.is_cut_off or self._is_inconsistent or (self._pixels.kind == b"VP8L" and not self._announces_alpha()):
            return self.rebuilt()
        if self._is_animated and self._data[12:16] == b"VP8X":
            data = bytearray(self._data)
            data[_FLAGS_AT] |= webp.ALPHA
            return bytes(data)
        return self._data

    def rebuilt(self, fill: int = 0) -> bytes:
        """Return a file of what can be decoded; after pixels that are cut off come enough bytes *fill*."""
        kept = [chunk for chunk in self._chunks if self._is_kept(chunk)]
        body = [webp.encoded(each.kind, self._content(each, fill)) for each in kept]
        if any(each.kind in _NEED_EXTENSION for each in kept):
            flags = webp.ALPHA | (webp.ANIMATION if self._is_animated else 0)
            for kind in {each.kind for each in kept} & _OTHERS.keys():
                flags |= _OTHERS[kind]
            sides = b"".join((side - 1).to_bytes(3, "little") for side in self.size)
            body.insert(0, webp.encoded(b"VP8X", flags.to_bytes(4, "little") + sides))
        content = b"WEBP" + b"".join(body)
        return webp.encoded(b"RIFF", content)

    def _is_kept(self, chunk: Chunk) -> bool:
        if chunk.kind == b"ALPH":
            return self.is_lossy and chunk.begin < self._pixels.begin
        return (
            chunk is self._pixels or chunk.kind in _OTHERS or (self._is_animated and chunk.kind in (b"ANIM", _FRAME))
        )

    def _stored(self, chunk: Chunk) -> bytes:
        return self._data[chunk.begin : chunk.end]

    def _announces_alpha(self) -> bool:
        return bool(int.from_bytes(self._stored(self._pixels)[1:5], "little") & webp.ALPHA_IS_USED)

    def _content(self, chunk: Chunk, fill: int) -> bytes:
        content = self._stored(chunk)
        if chunk.kind == b"VP8L":
            bits = int.from_bytes(content[1:5], "little") | webp.ALPHA_IS_USED
            content = content[:1] + bits.to_bytes(4, "little") + content[5:]
        if not chunk.is_whole:
            content += bytes([fill]) * min(_BYTES_A_PIXEL * self.size[0] * self.size[1] + _MIN_FILL, _MAX_FILL)
        return content
