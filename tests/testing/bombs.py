"""Group A of the catalog: small files that expand to large images, long conversions or much memory."""

import struct
from collections.abc import Callable

from PIL import Image

from tests.hostile.case import Case, Outcome
from tests.testing import broken_files, chunks, hostile_files, image_files, more_files
from tests.testing.chunks import GIBIBYTE, LONG, MEBIBYTE, SHORT, zeros

REJECTED, CONVERTED, EITHER = Outcome

GIBIBYTE_OF_TEXT = b"Comment\0\0"
_SIDE = 9000  # of 81 megapixels, within the limit


def png_of_texts(count: int, content: bytes, kind: bytes = b"tEXt") -> bytes:
    """Make a PNG with many text chunks."""
    return chunks.PNG + chunks.ihdr((8, 8)) + chunks.chunk(kind, content) * count + chunks.PIXELS + chunks.IEND


def apng_of_frames(count: int) -> bytes:
    """Make an animated PNG of one pixel with *count* complete frames."""
    pixel = b"x\x9cc\0\x01\0\0\x05\0\x01"  # three bytes, packed
    control = struct.pack(">IIIIHHBB", 1, 1, 0, 0, 1, 100, 0, 0)
    frames = [chunks.chunk(b"fcTL", struct.pack(">I", 0) + control) + chunks.chunk(b"IDAT", pixel)]
    for number in range(1, count):
        frames.append(chunks.chunk(b"fcTL", struct.pack(">I", 2 * number - 1) + control))
        frames.append(chunks.chunk(b"fdAT", struct.pack(">I", 2 * number) + pixel))
    announced = chunks.chunk(b"acTL", struct.pack(">II", count, 0))
    return chunks.PNG + chunks.ihdr((1, 1)) + announced + b"".join(frames) + chunks.IEND


def gif_of_canvases(count: int, side: int) -> bytes:
    """Make a GIF of *count* complete frames of *side* by *side* pixels."""
    whole = image_files.gif(image=Image.new("P", (side, side)))
    at = whole.index(b",", 13 + 3 * 2 ** ((whole[10] & 7) + 1))
    return whole[:at] + whole[at:-1] * count + b";"


def tiff_chain(count: int) -> bytes:
    """Make a TIFF of *count* pages, which all refer to the same pixel."""
    return chunks.tiff(*[chunks.gray((1, 1), length=1)] * count)


def tiff_cycle() -> bytes:
    """Make a TIFF of two pages, the second of which points back to the first."""
    page = chunks.gray((1, 1), length=1)
    return chunks.tiff(page, page, following=8)


def tiff_with(tag: int, kind: int, count: int, value: int) -> bytes:
    """Make a TIFF of 10 by 10 pixels with one wrong tag."""
    return chunks.tiff({**chunks.gray((10, 10), length=100), tag: (kind, count, value)}, data=bytes(100))


def saved_tiff(compression: str, *, mode: str = "L") -> bytes:
    """Make a blank TIFF of 81 megapixels."""
    return image_files.tiff(image=Image.new(mode, (_SIDE, _SIDE)), compression=compression)


def big_tiff(size: tuple[int, int]) -> bytes:
    """Make a BigTIFF that declares *size*, with 100 bytes of pixels."""
    tags = {256: size[0], 257: size[1], 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: size[1], 279: 100}
    entries = b"".join(struct.pack("<HHQQ", tag, LONG, 1, value) for tag, value in tags.items())
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, len(tags)) + entries + bytes(108)


def patched_jpeg(marker: int, *, precision: int = 8) -> bytes:
    """Make a JPEG whose frame header has another marker."""
    data = bytearray(image_files.jpeg((40, 30)))
    at = chunks.frame_header(data)
    data[at], data[at + 3] = marker, precision
    return bytes(data)


def ycck_jpeg() -> bytes:
    """Make a JPEG of four channels that is declared as YCCK."""
    data = bytearray(image_files.cmyk_jpeg())
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def jpeg_of_scans(count: int) -> bytes:
    """Make a progressive JPEG of 36 megapixels whose last scan is repeated *count* times."""
    data = image_files.jpeg(image=Image.new("RGB", (6000, 6000)), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def jpeg_with_scan(data: bytes) -> bytes:
    """Make a JPEG of 1,000 by 1,000 pixels with the entropy-coded *data*."""
    whole = chunks.jpeg_of_size((1000, 1000))
    at = whole.rindex(b"\xff\xda")
    return whole[: at + 14] + data + b"\xff\xd9"


def heic_bomb() -> bytes:
    """Make a HEIC whose container declares 900 megapixels."""
    data = more_files.heic((64, 64))
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", 30_000, 30_000) + data[at + 8 :]


BOMBS: list[Case[Callable[[], bytes], Outcome]] = [
    Case(1, "PNG of 2,500 MP in one bit each", lambda: image_files.raw_png((50_000, 50_000), 1, 0, []), REJECTED),
    Case(2, "PNG of 169 MP in one bit each", lambda: image_files.raw_png((13_000, 13_000), 1, 0, []), REJECTED),
    Case(3, "PNG of 88 MP", lambda: chunks.png_of_zeros((9400, 9400), 8, 2, 9400 * 28_201), EITHER),
    Case(4, "PNG of 49 MP in 16 bits", lambda: chunks.png_of_zeros((7000, 7000), 16, 6, 7000 * 56_001), EITHER),
    Case(5, "PNG of 2^62 pixels", lambda: image_files.raw_png((2**31 - 1, 2**31 - 1), 8, 2, []), REJECTED),
    Case(6, "PNG of 1 x 2^31", lambda: image_files.raw_png((1, 2**31), 8, 2, []), REJECTED),
    Case(7, "PNG of 0 x 0", lambda: image_files.raw_png((0, 0), 8, 2, []), REJECTED),
    Case(8, "zTXt of a GiB", lambda: chunks.small_png((b"zTXt", b"a\0\0" + zeros(GIBIBYTE))), EITHER),
    Case(9, "iTXt of a GiB", lambda: chunks.small_png((b"iTXt", b"a\0\1\0\0\0" + zeros(GIBIBYTE))), EITHER),
    Case(10, "iCCP of a GiB", lambda: chunks.small_png((b"iCCP", b"a\0\0" + zeros(GIBIBYTE))), EITHER),
    Case(11, "500 zTXt of a MiB", lambda: png_of_texts(500, b"a\0\0" + zeros(MEBIBYTE), b"zTXt"), EITHER),
    Case(12, "200,000 tEXt", lambda: png_of_texts(200_000, b"key\0value"), EITHER),
    Case(13, "ten pixels with a GiB of data", lambda: chunks.png_of_zeros((10, 10), 8, 2, GIBIBYTE), EITHER),
    Case(14, "APNG of 2^31 frames", lambda: chunks.small_png((b"acTL", struct.pack(">II", 2**31, 0))), EITHER),
    Case(14, "APNG of 2^32-1 frames", lambda: chunks.small_png((b"acTL", b"\xff" * 8)), EITHER),
    Case(15, "APNG of 20,000 real frames", lambda: apng_of_frames(20_000), EITHER),
    Case(16, "GIF of 4,295 MP", broken_files.gif_bomb, REJECTED),
    Case(17, "GIF of a million frames", lambda: chunks.gif((1, 1), chunks.gif_frame((1, 1)) * 1_000_000), EITHER),
    Case(18, "GIF frame larger than its canvas", broken_files.gif_frame_bomb, REJECTED),
    Case(19, "GIF of 2,000 frames of 25 MP", lambda: gif_of_canvases(2000, 5000), EITHER),
    Case(20, "GIF that never rests", lambda: image_files.animated_gif((9, 9)), CONVERTED),
    Case(21, "TIFF page that follows itself", lambda: chunks.tiff(chunks.gray((1, 1), length=1), following=8),
         CONVERTED),
    Case(22, "TIFF pages that follow each other", tiff_cycle, CONVERTED),
    Case(23, "TIFF of 50,000 pages", lambda: tiff_chain(50_000), CONVERTED),
    Case(24, "TIFF of 10,000 MP", broken_files.tiff_bomb, REJECTED),
    Case(25, "TIFF strip of 4 GiB", lambda: tiff_with(279, LONG, 1, 0xFFFFFFFF), EITHER),
    Case(26, "TIFF of 268 million strips", lambda: tiff_with(273, LONG, 0x10000000, 8), REJECTED),
    Case(27, "TIFF tag of 2^32 values", lambda: tiff_with(700, LONG, 0xFFFFFFF0, 8), EITHER),
    Case(27, "TIFF depths of 2^32 values", lambda: tiff_with(258, SHORT, 0xFFFFFFF0, 8), EITHER),
    Case(28, "TIFF of 81 MP deflated", lambda: chunks.strip_tiff((_SIDE, _SIDE), zeros(78 * MEBIBYTE), compression=8),
         EITHER),
    Case(29, "TIFF of 81 MP by LZW", lambda: saved_tiff("tiff_lzw"), EITHER),
    Case(29, "TIFF of 81 MP by PackBits", lambda: saved_tiff("packbits"), EITHER),
    Case(29, "TIFF of 81 MP by group 4", lambda: saved_tiff("group4", mode="1"), EITHER),
    Case(29, "TIFF of 81 MP by group 3", lambda: saved_tiff("group3", mode="1"), EITHER),
    Case(30, "BigTIFF of 10,000 MP", lambda: big_tiff((100_000, 100_000)), REJECTED),
    Case(30, "BigTIFF of ten by ten", lambda: big_tiff((10, 10)), EITHER),
    Case(31, "TIFF whose directories lie in each other", hostile_files.tiff_of_loops, EITHER),
    Case(32, "JPEG of 4,290 MP", broken_files.jpeg_bomb, REJECTED),
    Case(33, "JPEG header of 88 MP", lambda: chunks.jpeg_of_size((9400, 9400)), EITHER),
    Case(34, "JPEG of 88 MP", lambda: image_files.jpeg(image=Image.new("RGB", (9400, 9400))), EITHER),
    Case(35, "JPEG of 36 MP drawn 100 times", lambda: jpeg_of_scans(100), EITHER),
    Case(36, "JPEG said to be arithmetic-coded", lambda: patched_jpeg(0xC9), EITHER),
    Case(37, "JPEG with a profile of 16 MB", lambda: chunks.jpeg_with(*profile_segments()), CONVERTED),
    Case(38, "JPEG of restart markers", lambda: jpeg_with_scan(b"\xff\xd0" * 1_000_000), EITHER),
    Case(39, "JPEG of 12 bits", lambda: patched_jpeg(0xC1, precision=12), CONVERTED),
    Case(39, "JPEG said to be without loss", lambda: patched_jpeg(0xC3), REJECTED),
    Case(39, "JPEG in CMYK", image_files.cmyk_jpeg, CONVERTED),
    Case(39, "JPEG in YCCK", ycck_jpeg, CONVERTED),
    Case(40, "WebP of 34 bytes and 88 MP", lambda: broken_files.flat_webp((16_383, 5400)), EITHER),
    Case(40, "WebP of 34 bytes and 268 MP", broken_files.webp_bomb, REJECTED),
    Case(41, "WebP of 60 frames of 16 MP", lambda: webp_of_frames(60, (4000, 4000)), EITHER),
    Case(42, "WebP frame larger than its canvas", lambda: chunks.webp(chunks.webp_canvas((10, 10)), chunks.flat((5000,
         5000))), EITHER),
    Case(43, "BMP of 2^31 pixels", lambda: chunks.bmp((2**31 - 1, 1)), REJECTED),
    Case(43, "BMP of 2^62 pixels", lambda: chunks.bmp((2**31 - 1, -(2**31))), REJECTED),
    Case(44, "BMP from top to bottom", lambda: chunks.bmp((8, -8), data=bytes(8 * 24)), CONVERTED),
    Case(44, "BMP whose runs overrun", lambda: packed_bmp(b"\xff\1" * 5000 + b"\0\1"), EITHER),
    Case(44, "BMP whose runs jump out", lambda: packed_bmp(b"\0\2\xff\xff" * 500 + b"\0\1"), EITHER),
    Case(45, "icon of 65,535 entries that are a bomb", hostile_files.ico_of_entries, REJECTED),
    Case(46, "AVIF of 900 MP", broken_files.avif_bomb, REJECTED),
    Case(46, "HEIC of 900 MP", heic_bomb, REJECTED),
]  # fmt: skip


def profile_segments() -> list[bytes]:
    """Write 255 color profile segments of maximum size."""
    return [chunks.segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 255]) + bytes(65_000)) for n in range(1, 256)]


def webp_of_frames(count: int, size: tuple[int, int]) -> bytes:
    """Make a WebP of *count* frames of one color."""
    animation = chunks.riff(b"ANIM", bytes(6))
    return chunks.webp(chunks.webp_canvas(size, animated=True), animation, *[chunks.webp_frame(size)] * count)


def packed_bmp(data: bytes) -> bytes:
    """Make a run-length encoded BMP of 8 by 8 pixels."""
    return chunks.bmp((8, 8), depth=8, compression=1, data=data, colors=bytes(1024))
