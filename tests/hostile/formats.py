"""Group C of the catalog: unsupported file types, and polyglots."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial

from imageconverter.engine.source_types import SOURCE_TYPES
from tests.hostile.case import Case
from tests.testing import chunks, image_files, more_files

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch /tmp/owned) (w) file\nshowpage\n"
SVG_FILE = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'
)
SVG_LINK = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://169.254.169.254/latest/meta-data/"/></svg>'
SVG_SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
MVG = (
    b"push graphic-context\nviewbox 0 0 640 480\n"
    b"fill 'url(https://example.com/\"|touch /tmp/owned\")'\npop graphic-context\n"
)
MSL = b'<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="/tmp/owned"/></image>'
WMF = b"\xd7\xcd\xc6\x9a" + bytes(60)
EMF = struct.pack("<II", 1, 108) + bytes(32) + b" EMF" + bytes(64)
XBM = b'#define a_width 8\n#define a_height 8\nstatic unsigned char a_bits[] = { 0xff, system("id") };\n'
PHP = b"<?php system($_GET['c']); ?>"
HTML = b"<html><script>alert(document.domain)</script></html>"


def archive(kind: str) -> bytes:
    """Pack an image into an archive."""
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr("../../a.png", image_files.png((9, 9)))
    else:
        with tarfile.open(fileobj=file, mode="w") as packed_tar:
            member = tarfile.TarInfo("../../a.png")
            packed_tar.addfile(member, io.BytesIO(b""))
    return file.getvalue()


def _begun(head: bytes) -> bytes:
    return head + bytes(500)


FOREIGN: list[Case[Callable[[], bytes], None]] = [
    Case(114, "EPS with a pipe", lambda: EPS, None),
    Case(114, "DOS EPS", lambda: b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 30, len(EPS)) + bytes(18) + EPS, None),
    Case(115, "PDF", lambda: b"%PDF-1.7\n1 0 obj <</OpenAction <</S /Launch /F (sh)>>>> endobj\n", None),
    Case(116, "PostScript", lambda: b"%!PS\n(/etc/passwd) (r) file\n", None),
    Case(117, "SVG with an external entity", lambda: SVG_FILE, None),
    Case(118, "SVG with a remote image", lambda: SVG_LINK, None),
    Case(119, "SVG with a script", lambda: SVG_SCRIPT, None),
    Case(120, "MVG", lambda: MVG, None),
    Case(121, "MSL", lambda: MSL, None),
    Case(122, "WMF", lambda: WMF, None),
    Case(122, "EMF", lambda: EMF, None),
    Case(123, "XBM", lambda: XBM, None),
    Case(123, "XPM without its first line", lambda: more_files.xpm()[9:], None),
    Case(124, "FITS in gzip", lambda: gzip.compress(more_files.stretched_fits()), None),
    *(Case(125, kind, partial(_begun, data), None) for kind, data in {
        "FLI": struct.pack("<IHHHHH", 128, 0xAF11, 1, 8, 8, 8),
        "DDS": b"DDS \x7c\0\0\0", "BLP": b"BLP2\1\0\0\0", "SGI": b"\1\xda\1\1\0\2", "ICNS": b"icns\0\0\2\0",
        "FPX": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "MPEG": b"\0\0\1\xb3\x01\0\x10\x14", "HDF5": b"\x89HDF\r\n\x1a\n",
        "GRIB": b"GRIB\0\0\0\2", "BUFR": b"BUFR\0\0\0\4", "PCX": b"\x0a\5\1\x08", "WAL": b"pics/wall",
        "IM": b"Image type: L\r\n",
        "SPIDER": struct.pack(">27f", *[1.0] * 27), "IPTC": b"\x1c\2\0", "GBR": b"\0\0\0\x1c\0\0\0\2",
    }.items() if kind not in {each.name for each in SOURCE_TYPES}),
    Case(126, "ZIP before a GIF", lambda: archive("zip") + image_files.gif((9, 9)), None),
    Case(130, "ZIP", lambda: archive("zip"), None),
    Case(130, "TAR", lambda: archive("tar"), None),
    Case(130, "7z", lambda: b"7z\xbc\xaf\x27\x1c\0\4" + bytes(60), None),
    Case(130, "gzip of a PNG", lambda: gzip.compress(image_files.png((9, 9))), None),
    Case(131, "ELF executable", lambda: b"\x7fELF\2\1\1" + bytes(60), None),
    Case(131, "Windows executable", lambda: b"MZ\x90\0" + bytes(60), None),
    Case(131, "script", lambda: b"#!/bin/sh\ntouch /tmp/owned\n", None),
    Case(132, "HTML page", lambda: b"<!--GIF89a-->" + HTML, None),
]  # fmt: skip
"""Files that must be rejected by their first bytes, before any decoder reads them."""


def _gif_with_zip() -> bytes:
    return image_files.gif((9, 9)) + archive("zip")


def _page_as_gif() -> bytes:
    """Return a GIF whose width and height are the beginning of a JavaScript comment."""
    return b"GIF89a/*" + image_files.gif((9, 9))[8:] + b"*/=1;alert(1)//" + HTML


def _png_with_php() -> bytes:
    return chunks.small_png((b"tEXt", b"Comment\0" + PHP), (b"zzZz", PHP)) + PHP


TWOFOLD: list[Case[Callable[[], bytes], None]] = [
    Case(126, "GIF with a ZIP appended", _gif_with_zip, None),
    Case(127, "JPEG with HTML in its comment", lambda: chunks.jpeg_with(chunks.segment(0xFE, HTML)) + HTML, None),
    Case(127, "PNG with HTML appended", lambda: image_files.png((9, 9)) + HTML, None),
    Case(128, "PNG with PHP in a text", _png_with_php, None),
    Case(128, "PNG with PHP in its palette", lambda: _png_of_palette(PHP), None),
    Case(129, "JPEG with a script in its comment", lambda: chunks.jpeg_with(chunks.segment(0xFE, b"*/=alert(1);/*")),
         None),
    Case(132, "GIF whose size is a JavaScript comment", _page_as_gif, None),
    Case(132, "WebP with HTML in its XMP", lambda: chunks.webp(chunks.webp_canvas((9, 9)), chunks.flat((9, 9)),
         chunks.riff(b"XMP ", HTML)), None),
    Case(228, "JPEG with a GPS position", lambda: image_files.jpeg((40, 30), metadata=True), None),
    Case(228, "PNG with a GPS position", lambda: image_files.png((40, 30), metadata=True), None),
]  # fmt: skip
"""Images that are something else as well: nothing of that may be left in an output."""

TELLTALES = (
    b"<script",
    b"<html",
    b"PK\3\4",
    b"PK\1\2",
    b"<?php",
    b"alert(",
    b"Exif",
    b"xmpmeta",
    image_files.GPS_TEXT,
)


def _png_of_palette(content: bytes) -> bytes:
    colors = content + bytes(-len(content) % 3)
    return image_files.raw_png((8, 8), 8, 3, [bytes(range(8))] * 8, (b"PLTE", colors))
