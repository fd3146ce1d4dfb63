"""Group B of the catalog: broken and inconsistent files."""

import io
import random
import struct
from collections.abc import Callable, Iterator
from functools import partial

from PIL import MpoImagePlugin

from tests.hostile.case import Case, Outcome
from tests.testing import broken_files, chunks, icc_profiles, image_files
from tests.testing.chunks import IEND, LONG, MEBIBYTE, PIXELS, PNG, SHORT, ihdr
from tests.testing.hostile_files import SEED, HostileFile, cut_off, damaged

REJECTED, CONVERTED, EITHER = Outcome

Family = Callable[[], Iterator[HostileFile]]

_TINY = (9, 7)
_MAX_POSITIONS = 120  # bytes of a file that are damaged, each in a separate file

TINY: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: image_files.jpeg(_TINY),
    "JPEG progressive": lambda: image_files.jpeg(_TINY, progressive=True),
    "PNG": lambda: image_files.png(_TINY),
    "WebP": lambda: image_files.webp(_TINY),
    "WebP lossless": lambda: image_files.webp(_TINY, lossless=True),
    "GIF": lambda: image_files.gif(_TINY),
    "TIFF": lambda: image_files.tiff(_TINY),
    "TIFF LZW": lambda: image_files.tiff(_TINY, compression="tiff_lzw"),
    "BMP": lambda: image_files.bmp(_TINY),
}
"""Files so small that each byte counts."""


def _places(data: bytes) -> list[int]:
    """Return the offsets of all bytes of the header, and some of the rest."""
    rest = range(_MAX_POSITIONS // 2, len(data))
    chance = random.Random(SEED)  # noqa: S311 - damage, no secret
    return [
        *range(min(_MAX_POSITIONS // 2, len(data))),
        *sorted(chance.sample(rest, min(_MAX_POSITIONS // 2, len(rest)))),
    ]


def _truncated(kind: str) -> Iterator[HostileFile]:
    data = TINY[kind]()
    return (HostileFile(f"{kind} up to {at}", data[:at]) for at in _places(data))


def _flipped(kind: str) -> Iterator[HostileFile]:
    data = TINY[kind]()
    for at in _places(data):
        harmed = bytearray(data)
        harmed[at] ^= 1 << at % 8
        yield HostileFile(f"{kind} with a bit flipped in {at}", bytes(harmed))


def _overwritten(kind: str) -> Iterator[HostileFile]:
    data = TINY[kind]()
    for at in range(min(_MAX_POSITIONS, len(data) - 4)):
        yield HostileFile(f"{kind} with 2^32-1 at {at}", data[:at] + b"\xff" * 4 + data[at + 4 :])


def families() -> Iterator[Case[Family, None]]:
    """Yield the entries that consist of many files."""
    for first, what, harm in (
        (51, "cut off anywhere", _truncated),
        (60, "with a bit flipped anywhere", _flipped),
        (69, "with 2^32-1 anywhere in its head", _overwritten),
    ):
        for number, kind in enumerate(TINY, first):
            yield Case(number, f"{kind} {what}", partial(harm, kind), None)
    yield Case(110, "EXIF blocks damaged, in place of exiv2's files", _damaged_exif, None)
    yield Case(111, "BMP, GIF, ICO, TGA and XPM damaged, in place of gdk-pixbuf's files", _damaged_icons, None)
    yield Case(112, "HEIC and AVIF damaged, in place of libheif's files", _damaged_boxes, None)
    yield Case(113, "lossless WebP of random codes, after CVE-2023-4863", _random_codes, None)


def _damaged_exif() -> Iterator[HostileFile]:
    data = image_files.jpeg((40, 30), orientation=6, metadata=True)
    begin, end = data.index(b"Exif"), data.index(b"Exif") + 300
    for at in range(begin, end, 3):
        yield HostileFile(f"EXIF with 2^16-1 at {at}", data[:at] + b"\xff\xff" + data[at + 2 :])


def _damaged_icons() -> Iterator[HostileFile]:
    for kind in ("BMP", "GIF", "ICO", "TGA", "XPM"):
        yield from damaged(kind, 20)


def _damaged_boxes() -> Iterator[HostileFile]:
    for kind in ("HEIC", "AVIF", "AVIF animated"):
        yield from cut_off(kind, 15)
        yield from damaged(kind, 15)


def _random_codes() -> Iterator[HostileFile]:
    head = broken_files.flat_webp((64, 64))[20:25]
    for number in range(100):
        chance = random.Random(SEED + number)  # noqa: S311 - noise, no secret
        yield HostileFile(f"codes {number}", chunks.webp(chunks.riff(b"VP8L", head + chance.randbytes(300))))


def jpeg_scans(*parts: bytes) -> bytes:
    """Make a JPEG from its segments."""
    return b"\xff\xd8" + b"".join(parts)


def _pieces() -> tuple[bytes, bytes, bytes, bytes]:
    """Return tables, frame header, Huffman codes, and scan of a small JPEG."""
    data = image_files.jpeg((40, 30))
    frame, codes, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xc4"), data.index(b"\xff\xda")
    return data[2:frame], data[frame:codes], data[codes:scan], data[scan:]


def _with_components(count: int) -> bytes:
    data = bytearray(image_files.jpeg((40, 30)))
    data[chunks.frame_header(data) + 8] = count
    return bytes(data)


def _oriented(kind: int, count: int, value: int) -> bytes:
    return chunks.jpeg_with(chunks.exif({0x0112: (kind, count, value)}))


def _indexed(*parts: tuple[bytes, bytes]) -> bytes:
    return image_files.raw_png((8, 8), 8, 3, [b"\xff" * 8] * 8, *parts)


def _coded_gif(bits: int) -> bytes:
    return chunks.gif((4, 4), chunks.gif_frame((4, 4), code_size=bits))


def _jpeg_exif(*directories: chunks.Tags, following: int | None = None) -> bytes:
    return chunks.jpeg_with(chunks.exif(*directories, following=following))


def _swapped_exif() -> bytes:
    """Return a JPEG whose EXIF block declares the wrong byte order."""
    data, orders = image_files.jpeg((40, 30), orientation=6), (b"MM\0*", b"II*\0")
    at = data.index(b"Exif\0\0") + 6
    return data[:at] + orders[data[at : at + 4] == orders[0]] + data[at + 4 :]


def _mpo_alone() -> bytes:
    data = image_files.mpo()
    with MpoImagePlugin.MpoImageFile(io.BytesIO(data)) as opened:
        opened.seek(1)
        return data[: opened.offset]


def _followed(make: Callable[[], bytes]) -> bytes:
    return make() + broken_files.garbage(10_000_000)


BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d SYSTEM "file:///etc/passwd">]>'
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>&c;&d;</x:xmpmeta>"
)
PALETTE = (b"PLTE", bytes(range(6)))
IPTC = chunks.segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff\xff\xff" + broken_files.garbage(500))


def _profiled(profile: bytes) -> bytes:
    return image_files.png((8, 8), profile=profile)


def _cyclic_profile() -> bytes:
    """Return a profile whose tags are all within its own table of tags."""
    tags = b"".join(struct.pack(">4sII", name, 128, 4096) for name in (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"wtpt"))
    head = bytearray(icc_profiles.srgb_profile()[:128])
    body = struct.pack(">I", 5) + tags
    struct.pack_into(">I", head, 0, 128 + len(body))
    return bytes(head) + body


BROKEN: list[Case[Callable[[], bytes], Outcome]] = [
    Case(78, "an empty file", lambda: b"", REJECTED),
    Case(79, "one byte", lambda: b"\x89", REJECTED),
    *(Case(80, f"the first bytes of {kind} alone", partial(bytes, magic), REJECTED)
      for kind, magic in broken_files.MAGICS.items()),
    *(Case(81, f"{size} random bytes", partial(broken_files.garbage, size), REJECTED)
      for size in (1000, 100_000, 10_000_000)),
    Case(85, "PNG with a wrong checksum", lambda: PNG + ihdr((8, 8)) + PIXELS[:-1] + b"!" + IEND, EITHER),
    Case(85, "PNG with a wrong Adler-32", lambda: image_files.png((8, 8))[:-17] + bytes(5) + IEND, EITHER),
    Case(86, "PNG whose pixels precede its header", lambda: PNG + PIXELS + ihdr((8, 8)) + IEND, REJECTED),
    Case(86, "PNG with two headers", lambda: PNG + ihdr((8, 8)) + ihdr((9000, 9000)) + PIXELS + IEND, EITHER),
    Case(86, "PNG without its palette", _indexed, EITHER),
    Case(86, "PNG chunk of 2 GiB", lambda: PNG + ihdr((8, 8)) + chunks.chunk(b"IDAT", b"x", length=2**31 - 1),
         REJECTED),
    Case(86, "PNG chunk of 4 GiB", lambda: PNG + ihdr((8, 8)) + chunks.chunk(b"tEXt", b"x", length=2**32 - 1),
         REJECTED),
    Case(86, "PNG header of 3 bytes", lambda: PNG + chunks.chunk(b"IHDR", b"\0\0\0") + PIXELS + IEND, REJECTED),
    Case(87, "PNG that is declared as interlaced", lambda: PNG + ihdr((8, 8), interlace=1) + PIXELS + IEND, EITHER),
    Case(87, "PNG with an unknown interlace method", lambda: PNG + ihdr((8, 8), interlace=9) + PIXELS + IEND,
         EITHER),
    *(Case(88, f"GIF with codes of {bits} bits", partial(_coded_gif, bits), EITHER)
      for bits in (0, 1, 12, 13, 255)),
    Case(89, "GIF without colors", lambda: chunks.gif((4, 4), chunks.gif_frame((4, 4)), colors=b""), EITHER),
    Case(90, "JPEG without an end", lambda: image_files.jpeg((40, 30))[:-2], EITHER),
    Case(90, "JPEG without a scan", lambda: jpeg_scans(*_pieces()[:3], b"\xff\xd9"), REJECTED),
    Case(90, "JPEG with two SOI markers", lambda: jpeg_scans(b"\xff\xd8", *_pieces()), EITHER),
    Case(90, "JPEG without Huffman tables", lambda: jpeg_scans(*_pieces()[:2], _pieces()[3]), EITHER),
    Case(90, "JPEG without quantization tables", lambda: jpeg_scans(*_pieces()[1:]), REJECTED),
    Case(91, "JPEG of no components", lambda: _with_components(0), REJECTED),
    Case(91, "JPEG of 255 components", lambda: _with_components(255), REJECTED),
    Case(92, "EXIF directory whose next one is itself", lambda: _jpeg_exif({0x0112: (SHORT, 1, 1)}, following=8),
         CONVERTED),
    Case(92, "EXIF directory within itself", lambda: _jpeg_exif({0x8769: (LONG, 1, 8), 0x8825: (LONG, 1, 8)}),
         CONVERTED),
    Case(93, "EXIF of 65,535 entries",
         lambda: chunks.jpeg_with(chunks.segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(60_000))),
         CONVERTED),
    Case(94, "EXIF in the wrong byte order", _swapped_exif, CONVERTED),
    Case(94, "EXIF with offsets beyond its end",
         lambda: _jpeg_exif({0x010F: (2, 0xFFFF, 0xFFFFFF00), 0x0112: (SHORT, 9, 0x7FFFFFFF)}), CONVERTED),
    *(Case(95, f"orientation {value}", partial(_oriented, SHORT, 1, value), CONVERTED) for value in (0, 9, 65_535)),
    Case(95, "orientation as text", lambda: _oriented(2, 4, 0x00656E6F), CONVERTED),
    Case(95, "a thousand orientations", lambda: _oriented(SHORT, 30_000, 8), CONVERTED),
    Case(95, "orientation with denominator 0", lambda: _oriented(5, 1, 8), CONVERTED),
    Case(96, "endless maker note", lambda: _jpeg_exif({0x8769: (LONG, 1, 26)}, {0x927C: (7, 0xFFFFFFF0,
         8)}), CONVERTED),
    Case(97, "XMP with entities in a JPEG", lambda: chunks.jpeg_with(chunks.segment(0xE1,
         b"http://ns.adobe.com/xap/1.0/\0" + BILLION_LAUGHS)), CONVERTED),
    Case(97, "XMP with entities in a PNG", lambda: chunks.small_png((b"iTXt",
         b"XML:com.adobe.xmp\0\0\0\0\0" + BILLION_LAUGHS)), CONVERTED),
    Case(97, "XMP with entities in a WebP", lambda: chunks.webp(chunks.webp_canvas((9, 9)), chunks.flat((9, 9)),
         chunks.riff(b"XMP ", BILLION_LAUGHS)), CONVERTED),
    Case(98, "truncated profile", lambda: _profiled(icc_profiles.srgb_profile()[:200]), CONVERTED),
    Case(98, "profile of a wrong class",
         lambda: _profiled(icc_profiles.srgb_profile()[:12] + b"link" + icc_profiles.srgb_profile()[16:]), CONVERTED),
    Case(98, "profile whose tags are within each other", lambda: _profiled(_cyclic_profile()), CONVERTED),
    Case(98, "profile of 16 MB", lambda: _profiled(icc_profiles.srgb_profile() + broken_files.garbage(16 * MEBIBYTE)),
         EITHER),
    Case(99, "RGB with a CMYK profile", lambda: _profiled(icc_profiles.cmyk_profile()), CONVERTED),
    Case(99, "CMYK with an RGB profile",
         lambda: image_files.cmyk_jpeg((9, 9), profile=icc_profiles.srgb_profile()),
         CONVERTED),
    Case(99, "gray with an RGB profile",
         lambda: image_files.grey_jpeg((9, 9), profile=icc_profiles.p3_profile()),
         CONVERTED),
    Case(100, "IPTC of random bytes", lambda: chunks.jpeg_with(IPTC), CONVERTED),
    Case(101, "index beyond the palette", lambda: _indexed(PALETTE), EITHER),
    Case(102, "transparency for too many colors", lambda: _indexed(PALETTE, (b"tRNS", bytes(300))),
         EITHER),
    Case(102, "empty transparency", lambda: _indexed(PALETTE, (b"tRNS", b"")), EITHER),
    Case(102, "truncated transparency", lambda: chunks.small_png((b"tRNS", b"\0\0\0")), EITHER),
    Case(105, "MPO", image_files.mpo, CONVERTED),
    Case(105, "MPO with only its first image", _mpo_alone, CONVERTED),
    *(Case(106, f"{kind} with 10 MB behind it", partial(_followed, make), CONVERTED)
      for kind, make in TINY.items()),
]  # fmt: skip
