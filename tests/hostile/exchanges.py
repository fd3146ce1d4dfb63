"""Group F of the catalog: malformed and unusual requests, as bytes."""

import gzip
import zlib

from tests.conftest import API_KEY
from tests.hostile.case import Case

KEY = f"Authorization: Bearer {API_KEY}\r\n".encode()
CANCEL = b"POST /images/convert/cancel HTTP/1.1\r\nHost: x\r\n" + KEY
"""Takes any object for a body."""
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
LAST = b"Connection: close\r\n\r\n"
CHUNKED = CANCEL + b"Transfer-Encoding: chunked\r\n" + LAST

REJECTED = {400}
NO_METHOD = {400, 404, 405, 501}
EITHER = {200, 400}
GONE = {0, 400}
"""400, or the connection is ended without a word."""


def cancel(body: bytes, *headers: str) -> bytes:
    """Return a request with a body."""
    lines = "".join(f"{each}\r\n" for each in headers).encode()
    return CANCEL + lines + b"Content-Length: %d\r\n" % len(body) + LAST + body


def chunk(data: bytes) -> bytes:
    """Return a chunk of a body."""
    return b"%x\r\n" % len(data) + data + b"\r\n"


EXCHANGES: list[Case[bytes, set[int]]] = [
    Case(195, "deflate", cancel(zlib.compress(b"{}"), "Content-Encoding: deflate"), {200}),
    *(Case(195, f"{name} that it is not", cancel(b"\x1b\x2f\0\xf8" * 9, f"Content-Encoding: {name}"), {400})
      for name in ("br", "zstd", "deflate", "gzip")),
    Case(195, "gzip twice", cancel(gzip.compress(gzip.compress(b"{}")), "Content-Encoding: gzip, gzip"), {400}),
    Case(196, "gzip cut off", cancel(gzip.compress(b"{}" + b" " * 5000)[:20], "Content-Encoding: gzip"), EITHER),
    Case(196, "gzip with more behind it", cancel(gzip.compress(b"{}") + b"junk", "Content-Encoding: gzip"), EITHER),
    *(Case(197, f"encoding {name}", cancel(b"{}", f"Content-Encoding: {name}"), {200, 400, 415})
      for name in ("nonsense", "compress", "identity", "\u00fc", "gzip;q=1", "x" * 5000)),
    Case(199, "length and chunks",
         CANCEL + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" + LAST + b"0\r\n\r\n", REJECTED),
    Case(199, "two lengths", CANCEL + b"Content-Length: 2\r\nContent-Length: 3\r\n" + LAST + b"{}x", REJECTED),
    Case(199, "two lengths in one", CANCEL + b"Content-Length: 2, 2\r\n" + LAST + b"{}", REJECTED),
    *(Case(199, f"a length of {text!r}", CANCEL + b"Content-Length: " + text + b"\r\n" + LAST + b"{}", REJECTED)
      for text in (b"-1", b"+4", b"0x4", b"1_0", b"2.0", b"\xb2", b"two", b"", b"9" * 5000, b"2 2", b"2\x0b")),
    Case(200, "chunks of another kind", CANCEL + b"Transfer-Encoding: xchunked\r\n" + LAST + b"2\r\n{}\r\n0\r\n\r\n",
         REJECTED),
    Case(200, "chunks that are not last",
         CANCEL + b"Transfer-Encoding: chunked, gzip\r\n" + LAST + b"2\r\n{}\r\n0\r\n\r\n", REJECTED),
    *(Case(200, f"a chunk of {text!r}", CHUNKED + text + b"\r\n{}\r\n0\r\n\r\n", GONE)
      for text in (b"-2", b"+2", b"0x2", b"two", b"", b"2_0", b" 2 2", b"fffffffffffffffff", b"\xd9\xa2")),
    Case(200, "a chunk longer than it says", CHUNKED + b"1\r\n{}\r\n0\r\n\r\n", GONE),
    Case(202, "100,000 chunks of a byte", CHUNKED + chunk(b"{") + chunk(b" ") * 100_000 + chunk(b"}") + b"0\r\n\r\n",
         {200}),
    Case(203, "100,000 headers", LIVE + b"X: y\r\n" * 100_000 + LAST, GONE | {431}),
    Case(203, "a header of 9 KB", LIVE + b"X: " + b"y" * 9000 + b"\r\n" + LAST, REJECTED),
    Case(203, "the name of a header of 9 KB", LIVE + b"X" * 9000 + b": y\r\n" + LAST, REJECTED),
    Case(203, "an address of 20 KB", b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n" + LAST, {400, 414}),
    Case(203, "lines that end in LF", LIVE.replace(b"\r\n", b"\n") + b"Connection: close\n\n", EITHER),
    Case(203, "lines that end in CR", LIVE.replace(b"\r\n", b"\r") + b"\r\n\r\n", REJECTED),
    Case(203, "a space before the colon", LIVE + b"X : y\r\n" + LAST, REJECTED),
    Case(203, "a header that goes on", LIVE + b"X: y\r\n z\r\n" + LAST, EITHER),
    Case(203, "a header without a name", LIVE + b": y\r\n" + LAST, REJECTED),
    Case(203, "a header without a colon", LIVE + b"nonsense\r\n" + LAST, REJECTED),
    *(Case(203, f"a header with {each!r}", LIVE + b"X: a" + each + b"b\r\n" + LAST, REJECTED)
      for each in (b"\0", b"\x7f", b"\r", b"\x01")),
    *(Case(203, version.decode(), b"GET /health/live " + version + b"\r\nHost: x\r\n" + LAST, {400, 505})
      for version in (b"HTTP/9.9", b"HTTP/11", b"HTTP/1.10", b"HTTP/1", b"http/1.1", b"HTTP/-1.1", b"FTP/1.1",
      b"HTTP/1.1 x")),
    Case(203, "HTTP 2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    Case(203, "TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n", REJECTED),
    Case(203, "no host", b"GET /health/live HTTP/1.1\r\n" + LAST, EITHER),
    Case(203, "two hosts", LIVE + b"Host: y\r\n" + LAST, EITHER),
    *(Case(203, f"the address {target!r}", b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n" + LAST, {400, 404, 405})
      for target in (b"*", b"", b"x", b"//", b"http://", b"http://[::1", b"http://evil.example:99999/", b"/%",
      b"/%zz", b"/\x80\xff", b"/a\0b",
                     b"/a b", b"/..//../..", b"/x?" + b"&" * 5000, b"/x#x", b"\\\\x")),
    *(Case(203, f"the method {method!r}", method + b" /health/live HTTP/1.1\r\nHost: x\r\n" + LAST, NO_METHOD)
      for method in (b"get", b"G\0T", b"", b"X" * 5000, b"CONNECT", b"G:T", b"\xc3\xbc")),
    Case(203, "nothing but line breaks", b"\r\n" * 1000 + LIVE + LAST, EITHER),
    Case(214, "Expect: 100-continue", cancel(b"{}", "Expect: 100-continue"), {200}),
    Case(214, "Expect: 100-CONTINUE", cancel(b"{}", "Expect: 100-CONTINUE"), {200}),
    Case(214, "Expect: nonsense", cancel(b"{}", "Expect: nonsense"), {417}),
    Case(214, "Expect of nothing", cancel(b"{}", "Expect: "), {200, 417}),
    *(Case(218, f"Range: {text!r}", b"GET /content/none.png HTTP/1.1\r\nHost: x\r\nRange: " + text + b"\r\n" + LAST,
         {404})
      for text in (b"bytes=0-0,0-0" * 500, b"bytes=--5", b"bytes=\xd9\xa1-\xd9\xa2", b"bytes=9-1",
      b"bytes=" + b"9" * 5000 + b"-")),
    *(Case(219, f"If-None-Match: {text!r}",
         b"GET /content/none.png HTTP/1.1\r\nHost: x\r\nIf-None-Match: " + text + b"\r\n" + LAST, {404})
      for text in (b'"', b"W/", b'"a', b",,,", b"*,*", b'"' * 5000, b"\xff", b"W/W/")),
    *(Case(219, f"If-Modified-Since: {text!r}",
         b"GET /content/none.png HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: " + text + b"\r\n" + LAST, {404})
      for text in (b"now", b"Mon, 99 Foo 9999 99:99:99 GMT", b"Mon, 01 Jan 99999 00:00:00 GMT", b"0", b"-1")),
    *(Case(220, f"Accept-Encoding: {text}", LIVE + f"Accept-Encoding: {text}\r\n".encode() + LAST, {200, 406})
      for text in ("identity;q=0", "*;q=0", "gzip;q=nan", ",,;;==", "x" * 5000)),
]  # fmt: skip
"""Each with the statuses that are right."""
