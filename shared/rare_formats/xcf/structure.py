"""The structures of an XCF file without the pixels: header, properties, and the tree of layers.

Sources: the specification (developer.gimp.org/core/standards/xcf/, formerly devel-docs/xcf.txt) and, for
properties that it omits, GIMP's own reader (app/xcf/xcf-load.c).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from rare_formats.xcf.fields import Fields
from rare_formats.xcf.precision import Precision, precision

MAGIC = b"gimp xcf "
_FIRST_CINEPAINT = 100  # from here on the versions are those of a fork with another format
_FIRST_WITH_PRECISION = 4
_FIRST_WITH_WIDE_POINTERS = 11
_FIRST_WITH_COLORS = 1

# GIMP's own limit is 524288.
_MAX_SIDE = 1 << 19
_MAX_OFFSET = 1 << 24
_MAX_LAYERS = 10_000
_MAX_PROPERTIES = 400_000  # in all lists together; a layer has about twenty
_MAX_DEPTH = 32
_MAX_COLORS = 256
_MAX_PROFILE = 16 << 20  # bytes
_PAYLOAD_BYTES = 8  # of a property of a layer; none that is needed has more

_PROFILE_PARASITE = b"icc-profile"


class BaseType(IntEnum):
    """The color type of the whole image."""

    RGB = 0
    GRAY = 1
    INDEXED = 2

    @property
    def channels(self) -> int:
        """Number of samples of a color in the file."""
        return 3 if self is BaseType.RGB else 1


class Compression(IntEnum):
    """The compression of every tile."""

    NONE = 0
    RLE = 1
    ZLIB = 2


class _Property(IntEnum):
    END = 0
    COLORMAP = 1
    FLOATING_SELECTION = 5
    OPACITY = 6
    MODE = 7
    VISIBLE = 8
    APPLY_MASK = 11
    OFFSETS = 15
    COMPRESSION = 17
    PARASITES = 21
    GROUP_ITEM = 29
    ITEM_PATH = 30
    FLOAT_OPACITY = 33
    COMPOSITE_MODE = 35
    COMPOSITE_SPACE = 36
    BLEND_SPACE = 37


@dataclass(frozen=True)
class Drawable:
    """An array of pixels in the file: those of a layer, or of a layer mask."""

    width: int
    height: int
    channels: int
    hierarchy: int
    """Offset of the list of its tiles."""


@dataclass
class Layer:
    """A layer or a group of layers, with its properties; missing ones have GIMP's defaults."""

    pixels: Drawable
    base: BaseType
    has_alpha: bool
    mask: Drawable | None
    left: int
    top: int
    opacity: float
    is_visible: bool
    mode: int
    composite_mode: int
    composite_space: int
    blend_space: int
    """Like the two before: overrides the setting of the mode; 0 for no override."""
    is_group: bool
    depth: int
    """Number of groups that contain it."""
    children: list["Layer"] = field(default_factory=list)
    """Of a group, the topmost first."""


@dataclass
class Document:
    """The part of the file before the layers."""

    fields: Fields
    version: int
    width: int
    height: int
    base: BaseType
    precision: Precision
    compression: Compression = Compression.NONE
    colors: bytes = b""
    """The red, green and blue of every index."""
    profile: bytes | None = None
    layers_at: int = 0
    """Offset of the pointers to the layers."""
    properties_left: int = _MAX_PROPERTIES


def read_document(fields: Fields) -> Document:
    """Read the header and the properties of the image. Raises ValueError."""
    fields.seek(0)
    if fields.take(len(MAGIC)) != MAGIC:
        raise ValueError("not an XCF file")
    tag = fields.take(5)
    version = 0 if tag == b"file\0" else int(tag[1:4]) if tag[1:4].isdigit() else _FIRST_CINEPAINT
    if version >= _FIRST_CINEPAINT:
        raise ValueError("the version is not supported")
    width, height, base = fields.integers(3)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise ValueError(f"an image cannot have {width} by {height} pixels")
    kind = precision(version, fields.integer() if version >= _FIRST_WITH_PRECISION else 0)
    fields.wide_pointers = version >= _FIRST_WITH_WIDE_POINTERS
    document = Document(fields, version, width, height, BaseType(base), kind)
    _read_image_properties(document)
    document.layers_at = fields.tell()
    return document


def read_layers(document: Document) -> list[Layer]:
    """Read all layers and return those that are in no group, the topmost first. Raises ValueError."""
    layers = [_read_layer(document, pointer) for pointer in _layer_pointers(document)]
    return _tree([layer for layer in layers if layer is not None])


def _layer_pointers(document: Document) -> list[int]:
    fields, pointers = document.fields, []
    fields.seek(document.layers_at)
    while pointer := fields.pointer():
        pointers.append(pointer)
        if len(pointers) > _MAX_LAYERS:
            raise ValueError("there are too many layers")
    if len(set(pointers)) != len(pointers):
        raise ValueError("a layer is listed twice")
    return pointers


def _tree(layers: list[Layer]) -> list[Layer]:
    """Put every layer into its group, which the file lists before its members."""
    top: list[Layer] = []
    groups: list[Layer] = []  # those that can contain the current layer, the outermost first
    for layer in layers:
        del groups[layer.depth :]
        (groups[-1].children if groups else top).append(layer)
        if layer.is_group:
            groups.append(layer)
    return top


def _properties(document: Document) -> Iterator[tuple[int, int]]:
    """Yield the type and the length of every property, with the cursor at its payload."""
    fields = document.fields
    while True:
        _count(document)
        kind, length = fields.integers(2)
        if kind == _Property.END:
            return
        start = fields.tell()
        if kind == _Property.COLORMAP:  # some versions of GIMP wrote a wrong length here
            length = 4 + fields.integer() * (3 if document.version >= _FIRST_WITH_COLORS else 1)
            fields.seek(start)
        yield kind, length
        fields.seek(start + length)


def _count(document: Document) -> None:
    document.properties_left -= 1
    if document.properties_left < 0:
        raise ValueError("there are too many properties")


def _read_image_properties(document: Document) -> None:
    fields = document.fields
    for kind, length in _properties(document):
        if kind == _Property.COLORMAP:
            count = fields.integer()
            if count > _MAX_COLORS:
                raise ValueError("there are too many colors")
            document.colors = fields.take(length - 4)
        elif kind == _Property.COMPRESSION:
            document.compression = Compression(fields.take(1)[0])
        elif kind == _Property.PARASITES:
            document.profile = _profile(document, fields.tell() + length) or document.profile
    if document.version < _FIRST_WITH_COLORS:  # which does not store the colors; GIMP uses these
        document.colors = bytes(level for level in range(_MAX_COLORS) for _ in range(3))


def _profile(document: Document, end: int) -> bytes | None:
    """Return the color profile among the parasites that end at *end*."""
    fields, found = document.fields, None
    while fields.tell() < end:
        _count(document)
        name = fields.string()
        _flags, size = fields.integers(2)
        if name == _PROFILE_PARASITE and size <= _MAX_PROFILE:
            found = fields.take(size)
        else:
            fields.skip(size)
    return found


def _read_layer(document: Document, offset: int) -> Layer | None:
    """Return the layer at *offset*; None for a floating selection, which is not in the stack."""
    fields = document.fields
    fields.seek(offset)
    width, height, kind = fields.integers(3)
    fields.string()
    base, has_alpha = BaseType(kind >> 1), bool(kind & 1)
    properties = _layer_properties(document)
    hierarchy, mask = fields.pointers(2)
    if _Property.FLOATING_SELECTION in properties:
        return None
    left, top = properties.number(_Property.OFFSETS), properties.number(_Property.OFFSETS, at=4)
    if properties.depth > _MAX_DEPTH:
        raise ValueError("the groups are too deep")
    return Layer(
        pixels=_drawable(width, height, base.channels + has_alpha, hierarchy),
        base=base,
        has_alpha=has_alpha,
        mask=_read_mask(document, mask) if mask and properties.number(_Property.APPLY_MASK, 1) else None,
        left=left,
        top=top,
        opacity=properties.opacity,
        is_visible=properties.number(_Property.VISIBLE, 1) != 0 and max(abs(left), abs(top)) <= _MAX_OFFSET,
        mode=properties.number(_Property.MODE),
        # These are negative if they were left to GIMP, which then stored its choice.
        composite_mode=abs(properties.number(_Property.COMPOSITE_MODE)),
        composite_space=abs(properties.number(_Property.COMPOSITE_SPACE)),
        blend_space=abs(properties.number(_Property.BLEND_SPACE)),
        is_group=_Property.GROUP_ITEM in properties,
        depth=properties.depth,
    )


class _LayerProperties(dict[int, bytes]):
    """The first bytes of the payload of every property of a layer, by its type."""

    depth = 0

    def number(self, kind: _Property, default: int = 0, *, at: int = 0) -> int:
        """Return a signed number of a property."""
        return int.from_bytes(self[kind][at : at + 4], "big", signed=True) if kind in self else default

    @property
    def opacity(self) -> float:
        """The opacity, as a float if the file has one."""
        opacity = min(max(self.number(_Property.OPACITY, 255), 0), 255) / 255
        if _Property.FLOAT_OPACITY in self:
            exact = struct.unpack(">f", self[_Property.FLOAT_OPACITY][:4])[0]
            if 0 <= exact <= 1:  # false for NaN
                return float(exact)
        return opacity


def _layer_properties(document: Document) -> _LayerProperties:
    properties = _LayerProperties()
    for kind, length in _properties(document):
        properties[kind] = document.fields.at_most(_PAYLOAD_BYTES)
        if kind == _Property.ITEM_PATH:
            properties.depth = max(length // 4 - 1, 0)
    return properties


def _read_mask(document: Document, offset: int) -> Drawable:
    fields = document.fields
    fields.seek(offset)
    width, height = fields.integers(2)
    fields.string()
    for _ in _properties(document):
        pass
    return _drawable(width, height, 1, fields.pointer())


def _drawable(width: int, height: int, channels: int, hierarchy: int) -> Drawable:
    if max(width, height) > _MAX_SIDE:
        raise ValueError(f"a layer cannot have {width} by {height} pixels")
    return Drawable(width, height, channels, hierarchy)
