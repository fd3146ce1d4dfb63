"""The focal point in an XMP packet: the regions of the Metadata Working Group, which mark faces and what is in focus.

Packets are untrusted: of more than 64 KiB, with a document type (which entities need), or nested too deeply, they say
nothing, and so does what is no XML.
"""

import math
from typing import Any
from xml.parsers import expat

from imageconverter.engine.geometry import Size
from imageconverter.engine.target import Point

_MAX_BYTES = 64 * 1024
_MAX_DEPTH = 32
_MAX_REGIONS = 100
_TOLERANCE = 0.02  # of the proportions that the regions were made for
_MWG = "http://www.metadataworkinggroup.com/schemas/regions/ "
_AREA = "http://ns.adobe.com/xmp/sType/Area# "
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions# "
_ITEM = "http://www.w3.org/1999/02/22-rdf-syntax-ns# li"
_LIST, _TYPE = f"{_MWG}RegionList", f"{_MWG}Type"
_LIVING = ("Face", "Pet")

_Values = dict[str, str]


def focal_point(packet: bytes, size: Size) -> Point | None:
    """Return the focal point that a *packet* gives an image of *size* as it is stored, in its axes; None without one.

    It is the middle of the first region for the focus, or else of all faces and pets. Regions of an image with
    other proportions, which was cut or turned since, do not count.
    """
    if len(packet) > _MAX_BYTES:
        return None
    reader = _Reader()
    try:
        reader.read(packet.strip(b"\0"))
    except (expat.ExpatError, _Refused, ValueError, LookupError):
        return None
    if not _fits(reader.dimensions, size):
        return None
    boxes = [(region.get(_TYPE, ""), box) for region in reader.regions if (box := _box(region)) is not None]
    focused = [box for kind, box in boxes if kind == "Focus"][:1]
    chosen = focused or [box for kind, box in boxes if kind in _LIVING]
    if not chosen:
        return None
    left, top, right, bottom = zip(*chosen, strict=True)
    return _share((min(left) + max(right)) / 2), _share((min(top) + max(bottom)) / 2)


class _Refused(Exception):  # noqa: N818 - internal
    """The packet has what no packet needs."""


class _Reader:
    """What a packet says of regions, as attributes or as elements."""

    def __init__(self) -> None:
        self.regions: list[_Values] = []
        self.dimensions: _Values = {}
        self._stack: list[str] = []
        self._text: list[str] = []

    def read(self, packet: bytes) -> None:
        """Read a *packet*; raises ExpatError, _Refused, ValueError or LookupError."""
        parser = expat.ParserCreate("utf-8", " ")  # the encoding that a packet declares might be a module to import
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._refuse
        parser.buffer_text = True
        parser.Parse(packet, True)  # noqa: FBT003 - by position only

    def _begin(self, name: str, attributes: _Values) -> None:
        self._stack.append(name)
        if len(self._stack) > _MAX_DEPTH or len(self.regions) > _MAX_REGIONS:
            raise _Refused
        if name == _ITEM and self._stack[-3:-2] == [_LIST]:
            self.regions.append({})
        for attribute, value in attributes.items():
            self._keep(attribute, value)
        self._text.clear()

    def _end(self, name: str) -> None:
        self._keep(name, "".join(self._text).strip())
        self._text.clear()
        self._stack.pop()

    def _keep(self, name: str, value: str) -> None:
        if name.startswith(_DIMENSIONS):
            self.dimensions.setdefault(name, value)
        elif self.regions and _LIST in self._stack and (name == _TYPE or name.startswith(_AREA)):
            self.regions[-1].setdefault(name, value)

    def _refuse(self, *_: Any) -> None:
        raise _Refused


def _box(region: _Values) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom of a *region* in shares, None if it has none."""
    try:
        x, y, width, height = (float(region.get(f"{_AREA}{name}", default)) for name, default in _NUMBERS)
    except ValueError:
        return None
    is_valid = 0 <= x <= 1 and 0 <= y <= 1 and 0 <= width <= 1 and 0 <= height <= 1
    if not is_valid or region.get(f"{_AREA}unit", "normalized") != "normalized":
        return None
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


_NUMBERS = (("x", "none"), ("y", "none"), ("w", "0"), ("h", "0"))


def _fits(dimensions: _Values, size: Size) -> bool:
    """Whether *dimensions*, if there are any, have the proportions of *size*."""
    if not dimensions:
        return True
    try:
        width, height = (float(dimensions[f"{_DIMENSIONS}{side}"]) for side in "wh")
        return math.isclose(width * size[1], height * size[0], rel_tol=_TOLERANCE)
    except (KeyError, ValueError):
        return False


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
