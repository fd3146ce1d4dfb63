"""Group E of the catalog: bodies that are not JSON, hostile JSON, and images in base64."""

import base64
import json

from tests.hostile.case import Case
from tests.testing import image_files

PNG = image_files.png((9, 9))
B64 = base64.b64encode(PNG).decode()

_DEEP = 100_000

WHOLE: list[Case[bytes, None]] = [
    Case(167, "arrays 100,000 deep", b"[" * _DEEP, None),
    Case(167, "objects 100,000 deep", b'{"a":' * _DEEP, None),
    Case(167, "arrays 100,000 deep and closed", b'{"a":' + b"[" * _DEEP + b"]" * _DEEP + b"}", None),
    Case(167, "arrays 100 deep", b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", None),
    Case(167, "objects 100 deep", b'{"a":' * 100 + b"1" + b"}" * 100, None),
    Case(168, "a key twice", b'{"path":"a","path":"b"}', None),
    Case(168, "a key twice, once encoded", b'{"path":"a","p\\u0061th":"b"}', None),
    Case(168, "a key twice, further in", b'{"a":[{"b":1,"b":2}]}', None),
    *(Case(177, f"{text.decode()} alone", text, None) for text in (b"null", b"[]", b'"text"', b"1", b"true",
         b'["fileName"]')),
    Case(178, "bytes that are no UTF-8", b'{"a":"\xff"}', None),
    Case(178, "a letter encoded too long", b'{"a":"\xc0\xaf"}', None),
    Case(178, "half of a character", b'{"a":"\xed\xa0\x80"}', None),
    Case(178, "UTF-16", '{"a":1}'.encode("utf-16"), None),
    Case(178, "UTF-16 without a mark", '{"a":1}'.encode("utf-16-le"), None),
    Case(178, "UTF-32", '{"a":1}'.encode("utf-32"), None),
    Case(178, "UTF-8 with two marks", b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}', None),
    Case(179, "an object and more", b"{}x", None),
    Case(179, "two objects", b"{}{}", None),
    Case(179, "two lines", b"{}\n{}\n", None),
    Case(179, "an object and a zero", b"{}\0", None),
    *(Case(183, f"{text!r}", text, None) for text in (
        b" ", b"\n", b"{", b"}", b"{]", b"[}", b'{"a"', b'{"a":', b'{"a":}', b'{"a" 1}', b'{"a":1', b'{"a":1,}',
        b'{,"a":1}',
        b'{"a":1,,"b":2}', b"{a:1}", b"{'a':1}", b"{1:1}", b"{null:1}", b'{"a":1 "b":2}', b'{"a"::1}', b'{"a",1}',
        b"{[]:1}",
        b'{"a":1}/**/', b'{"a":1}//', b'/*x*/{"a":1}', b"#\n{}", b"\xa0{}", b"\x0c{}", b'{"a":"b"}}', b'{"a":"b"]',
        b"*", b"<x/>",
        b"a=1&b=2", b'{"a', b'{"\\', b'{"\x00":1}', b'{"a\nb":1}', b"\xe2\x81\xa0{}", b"(1)", b"{}," , b'{"a":/**/1}',
    )),
]  # fmt: skip
"""Bodies that every operation rejects."""

_NO_VALUES = (
    b"-", b"+1", b"01", b"-01", b"1.", b".5", b"-.5", b"1e", b"1e+", b"1E", b"1.e1", b"1.0e-", b"0x1F", b"0b1",
    b"0o7", b"1_000",
    b"1 000", b"--1", b"+-1", b"1,5", b"1f", b"1n", b"\xd9\xa1", b"\xef\xbc\x91", b"True", b"TRUE", b"tru", b"truee",
    b"nul", b"None",
    b"undefined", b"'a'", b'"', b'"a', b'a"', b'"\\"', b'"\\x41"', b'"\\u12"', b'"\\u"', b'"\\uD8"', b'"\\ug000"',
    b'"\\a"',
    b'"\\\x00"', b'"\\\n"', b'"\t"', b'"\n"', b'"\x00"', b'"\x1f"', b"`a`", b"[", b"[1", b"[1,", b"[1,]", b"[,1]",
    b"[1,,2]", b"[1 2]",
    b"[1}", b"]", b'["a": 1]', b'["a",\n1', b"{", b"a", b"&", b"\\u0031", b"0e", b"9.e+", b"2.e3", b"-2.", b"--2.",
    b"1.2a-3",
)  # fmt: skip

VALUES: list[Case[bytes, None]] = [
    *(Case(169, text.decode(), text, None) for text in (b"NaN", b"nan", b"Infinity", b"-Infinity", b"+Infinity",
         b"inf", b"-NaN")),
    *(Case(183, f"{text!r}", text, None) for text in _NO_VALUES),
]  # fmt: skip
"""Not JSON values, even in ignored fields."""

ODD: list[Case[bytes, None]] = [
    Case(169, "a number beyond all", b"1e999", None),
    Case(169, "a number below all", b"-1e-999", None),
    Case(170, "5,000 digits", b"9" * 5000, None),
    Case(170, "500,000 digits", b"9" * 500_000, None),
    Case(170, "5,000 digits behind the point", b"0." + b"9" * 5000, None),
    *(Case(171, text.decode(), text, None) for text in (b"-0", b"1.0", b"true", b"1E0", b"-0.0")),
    *(Case(173, text.decode(), text, None) for text in (b"-1", b"101", b"9223372036854775808", b"null")),
    Case(183, "an escaped zero", b'"\\u0000"', None),
    Case(183, "a half of a pair", b'"\\ud800"', None),
    Case(183, "spaces of all kinds", b" \t\r\n1 ", None),
]  # fmt: skip
"""Unusual JSON values: ignored or rejected, depending on the field."""

_OTHERS: list[object] = [None, 1, True, {}, [], [1], [[B64]], 1.5]

BASE64: list[Case[object, int]] = [
    *(Case(184, f"with {extra!r} in it", B64[:8] + extra + B64[8:], 400) for extra in ("!", " ", "\t", "\0", "=", "*",
         "\u00e4", "\u200b")),
    Case(185, "of the alphabet of addresses", "-_-_" + B64, 400),
    Case(185, "in the alphabet of addresses", base64.urlsafe_b64encode(b"\x89PNG\xfb\xff\xbf" * 3).decode(), 400),
    Case(186, "without padding", base64.b64encode(PNG + bytes(-len(PNG) % 3 + 1)).decode().rstrip("="), 400),
    Case(186, "with too much padding", B64 + "====", 400),
    Case(186, "with padding in the middle", B64[:10] + "==" + B64[12:], 400),
    Case(186, "of padding", "====", 400),
    Case(186, "of one letter", "i", 400),
    Case(187, "with line breaks", base64.encodebytes(PNG).decode(), 200),
    Case(187, "with line breaks of the web", base64.encodebytes(PNG).decode().replace("\n", "\r\n"), 200),
    Case(187, "of line breaks", "\n" * 1000, 400),
    Case(188, "in an address", f"data:image/png;base64,{B64}", 400),
    Case(190, "in letters of another script", "\u0430\u0431\u0432\u0433", 400),
    *(Case(190, f"that is {value!r}", value, 400) for value in _OTHERS),
    Case(192, "in base64", base64.b64encode(B64.encode()).decode(), 400),
    Case(193, "of nothing", "", 400),
    Case(193, "of two nothings", ["", ""], 400),
]  # fmt: skip
"""What is sent for the data of an image."""

PROTOTYPES = [
    json.dumps({name: {"formats": []}}).encode() for name in ("__proto__", "__class__", "constructor", "model_config")
]
