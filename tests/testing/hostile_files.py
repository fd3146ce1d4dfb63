"""Hostile files: truncated and damaged files of every type, bombs, and Pillow's regression tests."""

import io
import random
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.testing import broken_files, image_files, more_files, raster_files
from tests.testing.gksm_files import binary
from tests.testing.xcf_files import NORMAL, Layer, prop, xcf

SEED = 20_261_122
"""Of all chance here: a file is known by its name for ever."""
PILLOW_SOURCE = "pillow-13.0.0.tar.gz"
"""The source package whose images are sent, most of which once crashed, bloated or hung a decoder."""

KINDS: dict[str, Callable[[], bytes]] = {
    **image_files.SOURCES,
    **more_files.SOURCES,
    **more_files.OWN,
    **raster_files.VARIANTS,
}

_HEAD = 512  # bytes that contain most counts, sizes and offsets of a file
_MAX_CHANGES = 6
_EXTREMES = (b"\0", b"\xff", bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0")
_LARGE_NUMBERS = (b"99999", b"9999999999", b"-1", b"1e300", b"nan")
_PNG = b"\x89PNG\r\n\x1a\n"


class HostileFile(NamedTuple):
    """A file with a descriptive name."""

    name: str
    data: bytes


def cut_off(kind: str, count: int) -> Iterator[HostileFile]:
    """Truncate a file of *kind* at *count* positions, or at each byte if it has fewer."""
    data = KINDS[kind]()
    chance = random.Random(f"{SEED} {kind}")  # noqa: S311 - damage, no secret
    for length in sorted(chance.sample(range(len(data)), min(count, len(data)))):
        yield HostileFile(f"{kind} cut off at {length}", data[:length])


def damaged(kind: str, count: int) -> Iterator[HostileFile]:
    """Damage a file of *kind* *count* times: flip bits, replace bytes and numbers, delete or repeat parts."""
    data = KINDS[kind]()
    for number in range(count):
        chance = random.Random(f"{SEED} {kind} {number}")  # noqa: S311 - damage, no secret
        harmed = bytearray(data)
        for _ in range(chance.randint(1, _MAX_CHANGES)):
            _damage(harmed, chance)
        if harmed.startswith(_PNG) and number % 4:  # otherwise decoders would stop at the first checksum
            _correct_checksums(harmed)
        yield HostileFile(f"{kind} damaged, {number}", bytes(harmed))


def _damage(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(min(len(data), _HEAD) if chance.random() < 0.5 else len(data))
    length = chance.randint(1, 32)
    match chance.randrange(8):
        case 0 | 1 | 2:
            data[at] ^= 1 << chance.randrange(8)
        case 3:
            data[at] = chance.randrange(256)
        case 4:
            extreme = chance.choice(_EXTREMES)
            data[at : at + len(extreme)] = extreme
        case 5:
            data[at : at + chance.choice([0, 1, 4])] = chance.choice(_LARGE_NUMBERS)
        case 6:
            del data[at : min(at + length, len(data) - 1)]
        case _:
            data[at:at] = data[at : at + length] * chance.choice([1, 1, 50])


def _correct_checksums(data: bytearray) -> None:
    at = len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            return
        struct.pack_into(">I", data, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4


def pillows_own(archive: Path) -> Iterator[HostileFile]:
    """Yield all image files of Pillow's tests, from its source package."""
    with tarfile.open(archive) as package:
        for member in package:
            _, _, name = member.name.partition("/Tests/images/")
            file = package.extractfile(member) if name else None
            if file is not None:
                yield HostileFile(f"Pillow's {name}", file.read())


# --- long headers -----------------------------------------------------------------------
_LENGTH = 8_000_000  # bytes


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _boxes(brand: bytes) -> bytes:
    """Make an ISO base media file that consists of empty boxes."""
    return _box(b"ftyp", brand + bytes(4) + brand) + _box(b"free", b"") * (_LENGTH // 8)


def _boxes_in_boxes(brand: bytes) -> bytes:
    """Make an ISO base media file of nested boxes."""
    depth = _LENGTH // 12
    nested = b"".join(struct.pack(">I4sI", 12 * (depth - level), b"meta", 0) for level in range(depth))
    return _box(b"ftyp", brand + bytes(4) + brand) + nested


def _associations(brand: bytes) -> bytes:
    """Make an ISO base media file whose image has a property for each byte."""
    count = _LENGTH // 260
    properties = _box(b"ipma", struct.pack(">II", 0, count) + (bytes(2) + b"\xff" + bytes(255)) * count)
    meta = _box(b"meta", bytes(4) + _box(b"iprp", properties))
    return _box(b"ftyp", brand + bytes(4) + brand) + meta


LONG_HEADERS: dict[str, Callable[[], bytes]] = {
    "JPEG noise": lambda: b"\xff\xd8\xff\x01" + bytes(_LENGTH),
    "JPEG fill bytes": lambda: b"\xff\xd8" + b"\xff" * _LENGTH,
    "JPEG segments": lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * (_LENGTH // 4),
    "JPEG restarts": lambda: b"\xff\xd8" + b"\xff\xd0" * (_LENGTH // 2),
    "AVIF boxes": lambda: _boxes(b"avif"),
    "AVIF boxes in boxes": lambda: _boxes_in_boxes(b"avif"),
    "AVIF associations": lambda: _associations(b"avif"),
    "HEIC boxes": lambda: _boxes(b"heic"),
    "HEIC boxes in boxes": lambda: _boxes_in_boxes(b"heic"),
    "HEIC associations": lambda: _associations(b"heic"),
    "JPEG 2000 boxes": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + _box(b"free", b"") * (_LENGTH // 8),
    "JPEG XL boxes": lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + _box(b"free", b"") * (_LENGTH // 8),
    "TIFF entries": lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1 << 60) + bytes(_LENGTH),
    "PNM comment": lambda: b"P6 #" + b"a" * _LENGTH,
    "PNM digits": lambda: b"P6 " + b"9" * _LENGTH,
    "PNM spaces": lambda: b"P6 " + b" " * _LENGTH,
}
"""Files that are all header: each byte has to be looked at before anything is known."""


# --- bombs: small files, large images ---------------------------------------------------------
def png_within_limits() -> bytes:
    """Make a PNG of 2 MB and 98 megapixels."""
    packer, row = zlib.compressobj(1), bytes(9900 * 4 + 1)
    packed = [packer.compress(row) for _ in range(9900)]
    return _png((9900, 9900), 8, 6, (b"IDAT", b"".join(packed) + packer.flush()))


def png_tower() -> bytes:
    """Make a PNG of 50 megapixels and 5 pixels wide."""
    return image_files.raw_png((5, 10_000_000), 8, 0, [bytes(5)] * 10_000_000)


def png_profile_bomb() -> bytes:
    """Make a PNG with a color profile and texts that decompress to 200 MB each."""
    large = zlib.compress(bytes(200_000_000), 9)
    texts = [(b"zTXt", b"%d\0\0" % number + large) for number in range(4)]
    wide = (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + large)
    pixels = (b"IDAT", zlib.compress(bytes(8 * 25)))
    return _png((8, 8), 8, 2, (b"iCCP", b"profile\0\0" + large), *texts, wide, pixels)


def png_of_chunks() -> bytes:
    """Make a PNG of a million empty chunks."""
    return _png((8, 8), 8, 2, *[(b"tEXt", b"")] * 1_000_000, (b"IDAT", zlib.compress(bytes(8 * 25))))


def gif_comment_bomb() -> bytes:
    """Make a GIF with 20 MB of comment in pieces of 255 bytes."""
    piece = b"\xff" + bytes(255)
    return broken_files.gif_frame_bomb((1, 1)).replace(b",", b"!\xfe" + piece * 80_000 + b"\0,", 1)


def gif_of_frames() -> bytes:
    """Make a GIF of 100,000 frames."""
    data = broken_files.gif_frame_bomb((1, 1))
    at = data.index(b",")
    return data[:at] + data[at:-1] * 100_000 + b";"


def webp_within_limits() -> bytes:
    """Make a WebP of 34 bytes and 98 megapixels."""
    return broken_files.flat_webp((9900, 9900))


def tiff_of_loops() -> bytes:
    """Make a TIFF whose directories point to themselves, with values beyond the end of the file."""
    entries = [(256, 4, 1, 50), (257, 4, 1, 50), (258, 3, 0xFFFFFFFF, 8), (273, 4, 0x0FFFFFFF, 8)]
    entries += [(330, 4, 1, 8), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 8)


def tiff_tile_bomb() -> bytes:
    """Make a TIFF of 100 pixels in a compressed tile of 2^60 bytes."""
    entries = {256: 10, 257: 10, 258: 8, 259: 8, 262: 1, 322: 1 << 30, 323: 1 << 30, 324: 8, 325: 100}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(104)


def ico_of_entries() -> bytes:
    """Make an icon of 65,535 images, each of them the PNG of 2,500 megapixels."""
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, 1000, 6 + 16 * 65_535)
    return struct.pack("<HHH", 0, 1, 65_535) + entry * 65_535 + broken_files.png_bomb()


def jpeg2000_of_tiles() -> bytes:
    """Make a JPEG 2000 of 81 megapixels in tiles of a few pixels."""
    data = bytearray(more_files.jpeg2000(bare=True))
    struct.pack_into(">8I", data, 8, 9000, 9000, 0, 0, 36, 36, 0, 0)
    return bytes(data)


def psd_of_layers() -> bytes:
    """Make a PSD that declares 32,767 layers."""
    data = more_files.psd()
    layers = struct.pack(">Ih", 1 << 19, 32_767) + bytes(1 << 20)
    return data[:34] + struct.pack(">I", len(layers)) + layers + data[38:]


def xcf_of_layers() -> bytes:
    """Make an XCF of a megabyte that has the same large layer 100,000 times."""
    count = 100_000
    room = prop(99, bytes(8 * count))
    layer = Layer(np.full((1000, 1000, 4), 99, np.uint8), mode=NORMAL)
    before, after = xcf([layer], (1000, 1000), properties=room).split(room + prop(0))
    return before + prop(0) + after[:8] * (count + 1) + after


def xfig_of_compounds() -> bytes:
    """Make a drawing of a million nested groups."""
    return b"#FIG 3.2\nLandscape\nCenter\nInches\nLetter\n100\nSingle\n-2\n1200 2\n" + b"6 0 0 9 9\n" * 1_000_000


def xfig_of_dashes() -> bytes:
    """Make a drawing of lines of maximum length with the shortest dashes."""
    line = b"2 1 1 1 0 7 50 -1 -1 0.001 0 0 -1 0 0 2\n\t-100000000 0 100000000 90000\n"
    return b"#FIG 3.2\nLandscape\nCenter\nInches\nLetter\n100\nSingle\n-2\n1200 2\n" + line * 1000


def xfig_of_areas() -> bytes:
    """Make a drawing of 300,000 areas, each as large as the drawing."""
    area = b"2 2 0 1 0 1 50 -1 45 0 0 0 -1 0 0 5\n0 0 9000 0 9000 9000 0 9000 0 0\n"
    return b"#FIG 3.2\nLandscape\nCenter\nInches\nLetter\n100\nSingle\n-2\n1200 2\n" + area * 300_000


def gksm_of_areas() -> bytes:
    """Make a metafile of 300,000 hatched areas, each as large as the drawing."""
    before, end = binary((38, 3))[:-8], binary()[-8:]
    area = binary((38, 3), (14, 4, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0))[len(before) : -8]
    return before + area * 300_000 + end


def fits_of_axes() -> bytes:
    """Make a FITS file of 999 axes of 10^9 each."""
    cards = ["SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                  999"]
    cards += [f"NAXIS{number:<3}=           1000000000" for number in range(1, 1000)]
    header = "".join(card.ljust(80) for card in [*cards, "END"]).encode()
    return header + b" " * (-len(header) % 2880)


def xpm_of_colors() -> bytes:
    """Make an XPM that declares a million colors and has half of them."""
    return b"! XPM2\n2 2 1000000 8\n" + b"".join(b"%08d c #123456\n" % number for number in range(500_000))


def progressive_jpeg() -> bytes:
    """Make a JPEG of 36 megapixels with 600 scans: a second or more of decoding for each megabyte."""
    data = image_files.jpeg(image=Image.new("RGB", (6000, 6000), (90, 120, 60)), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 600 + data[-2:]


BOMBS: dict[str, Callable[[], bytes]] = {
    **broken_files.BOMBS,
    **more_files.BOMBS,
    "PNG profile": png_profile_bomb,
    "GIF frames": gif_of_frames,
    "TIFF loops": tiff_of_loops,
    "TIFF tile": tiff_tile_bomb,
    "ICO entries": ico_of_entries,
    "PSD layers": psd_of_layers,
    "FITS axes": fits_of_axes,
}
"""What is refused, or done, within a moment."""

HEAVY_BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG within limits": png_within_limits,
    "PNG tower": png_tower,
    "PNG chunks": png_of_chunks,
    "GIF comment": gif_comment_bomb,
    "WebP within limits": webp_within_limits,
    "JPEG 2000 tiles": jpeg2000_of_tiles,
    "XCF layers": xcf_of_layers,
    "XFIG compounds": xfig_of_compounds,
    "XFIG dashes": xfig_of_dashes,
    "XFIG areas": xfig_of_areas,
    "GKSM areas": gksm_of_areas,
    "XPM colors": xpm_of_colors,
    "JPEG progressive": progressive_jpeg,
}
"""What takes seconds, or has to be ended."""


def _png(size: tuple[int, int], depth: int, color_type: int, *chunks: tuple[bytes, bytes]) -> bytes:
    head = struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, 0)
    file = io.BytesIO(_PNG)
    file.seek(0, io.SEEK_END)
    for kind, content in ((b"IHDR", head), *chunks, (b"IEND", b"")):
        file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    return file.getvalue()
