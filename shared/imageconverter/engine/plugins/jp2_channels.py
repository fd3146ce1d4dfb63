"""What the channels of a JPEG 2000 image are and make (ISO/IEC 15444-1, annex I; 15444-2, annex M)."""

import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image

from imageconverter.engine import j2k, jp2
from imageconverter.engine.color import to_srgb
from imageconverter.engine.j2k import Codestream
from imageconverter.engine.jp2 import Boxes, ColorBox, Mapping
from imageconverter.engine.plugins.decoded import Levels, Samples, to_levels
from imageconverter.engine.plugins.jp2_colors import Space, combine

_BY_NUMBER = {
    0: Space.INVERTED_GRAY, 15: Space.GRAY, 17: Space.GRAY, 16: Space.RGB,
    3: Space.YCC, 18: Space.YCC, 24: Space.YCC, 4: Space.YCC_VIDEO, 1: Space.YCC_709_VIDEO,
    11: Space.CMY, 12: Space.CMYK, 13: Space.YCCK, 14: Space.LAB,
}  # fmt: skip
_BY_PROFILE = {b"GRAY": Space.GRAY, b"RGB ": Space.RGB, b"CMYK": Space.CMYK}
_OPAQUE, _PREMULTIPLIED = 1, 2
_WHOLE_IMAGE = 0
_PALETTE = 1
_MAX_PALETTE_BITS = 16


@dataclass(frozen=True)
class Channels:
    """How channels are made of components, and what they mean."""

    sources: tuple[Mapping, ...]
    colors: tuple[int, ...]
    """The channels of the colors, in their order."""
    space: Space
    alpha: int | None = None
    is_premultiplied: bool = False
    profile: bytes = b""
    parameters: bytes = b""
    """Of the color space."""
    palette: tuple[Levels, ...] = ()
    """The columns."""
    warning: str = ""

    @property
    def mode(self) -> str:
        """The mode of the image that they make."""
        mode = self.space.mode
        if self.alpha is None:
            return mode
        return "LA" if mode == "L" else "RGBA"

    @property
    def used(self) -> frozenset[int]:
        """The components that are needed."""
        numbers = (*self.colors, *(() if self.alpha is None else (self.alpha,)))
        return frozenset(self.sources[number].component for number in numbers)

    @property
    def indices(self) -> frozenset[int]:
        """The components that are indices of the palette."""
        return frozenset(each.component for each in self.sources if each.kind == _PALETTE)


def choose(boxes: Boxes, codestream: Codestream) -> Channels:
    """Interpret the *boxes*; what is inconsistent in them is ignored."""
    count = len(codestream.components)
    palette = _columns(boxes.palette)
    mapping = boxes.mapping
    if not mapping or (
        count == 1 and {each.column for each in mapping if each.kind == _PALETTE} != {*range(len(palette))}
    ):
        mapping = [Mapping(0, _PALETTE, column) for column in range(len(palette))]  # else it leaves columns unused
    sources = tuple(
        each for each in mapping if each.component < count and (each.kind != _PALETTE or each.column < len(palette))
    )
    if not palette or not sources:
        sources, palette = tuple(Mapping(number, 0, 0) for number in range(count)), ()
    space, color, warning = _color_space(boxes, codestream, len(sources))
    needed = space.colors
    colors, alpha, is_premultiplied = list(range(needed)), None, False
    for entry in boxes.channels:
        if entry.channel >= len(sources):
            continue
        if entry.kind == 0 and 1 <= entry.color <= needed:
            colors[entry.color - 1] = entry.channel
        elif entry.kind in (_OPAQUE, _PREMULTIPLIED) and (alpha is None or entry.color == _WHOLE_IMAGE):
            alpha, is_premultiplied = entry.channel, entry.kind == _PREMULTIPLIED
    if alpha in colors:
        alpha = None
    if not boxes.channels and len(sources) == needed + 1:
        alpha = needed
    profile = color.data if color and color.method != jp2.NUMBER else b""
    parameters = color.data if color and color.method == jp2.NUMBER else b""
    return Channels(sources, tuple(colors), space, alpha, is_premultiplied, profile, parameters, palette, warning)


def assemble(planes: dict[int, Samples], channels: Channels, codestream: Codestream, reduction: int) -> Image.Image:
    """Make an image in the mode of *channels* of decoded components."""
    area = j2k.scaled(codestream.area, codestream.step, reduction)
    used = (*channels.colors, *(() if channels.alpha is None else (channels.alpha,)))
    levels = []
    for number in used:
        source = channels.sources[number]
        plane = _stretched(planes[source.component], source.component, codestream, area, reduction)
        if source.kind == _PALETTE:
            column = channels.palette[source.column]
            plane = column[np.minimum(plane, len(column) - 1)]
        levels.append(Image.fromarray(np.ascontiguousarray(plane, np.uint8)))
    sources = [channels.sources[number].component for number in channels.colors]
    components = [codestream.components[number] for number in sources]
    image = combine(levels[: len(channels.colors)], channels.space, components, channels.parameters)
    if channels.alpha is None:
        return image
    if image.mode not in ("L", "RGB"):
        image = to_srgb(image, channels.profile or None)
    if channels.is_premultiplied:
        image = _divided(image, levels[-1])
    image.putalpha(levels[-1])
    return image


def _columns(box: bytes) -> tuple[Levels, ...]:
    """Return the columns of a palette as levels from 0 to 255; none if the box is broken."""
    if len(box) < 3:  # noqa: PLR2004 - the numbers of entries and columns
        return ()
    count, columns = struct.unpack_from(">HB", box)
    depths = box[3 : 3 + columns]
    bits = [(depth & 0x7F) + 1 for depth in depths]
    sizes = [(each + 7) // 8 for each in bits]
    if len(bits) < columns or not count or max(bits, default=99) > _MAX_PALETTE_BITS:
        return ()
    whole = min(count, (len(box) - 3 - columns) // sum(sizes))
    rows = np.frombuffer(box, np.uint8, whole * sum(sizes), 3 + columns).reshape(whole, sum(sizes))
    found, at = [], 0
    for each, size, depth in zip(bits, sizes, depths, strict=True):
        values = rows[:, at].astype(np.uint16) if size == 1 else rows[:, at] * np.uint16(256) + rows[:, at + 1]
        if depth & 0x80:
            values = (values + np.uint16(1 << (each - 1))) & np.uint16((1 << each) - 1)
        found.append(to_levels(values, (1 << each) - 1))
        at += size
    return tuple(found) if whole else ()


def _color_space(boxes: Boxes, codestream: Codestream, count: int) -> tuple[Space, ColorBox | None, str]:
    """Return the color space of *count* channels, the box that says so, and what was lost."""
    for color in boxes.colors:
        by_number = color.method == jp2.NUMBER
        space = _BY_NUMBER.get(color.number) if by_number else _BY_PROFILE.get(color.data[16:20])
        if space and space.colors <= count:
            return (Space.YCC if space == Space.RGB and _has_coarse_chroma(codestream) else space), color, ""
    unknown = next((each.number for each in boxes.colors if each.number and each.number not in _BY_NUMBER), 0)
    warning = f"The color space {unknown} of JPEG 2000 is not supported." if unknown else ""
    if count < 3:  # noqa: PLR2004 - colors
        return Space.GRAY, None, warning
    return (Space.YCC if _has_coarse_chroma(codestream) else Space.RGB), None, warning


def _has_coarse_chroma(codestream: Codestream) -> bool:
    """Whether two components are coarser than the first: red, green and blue are never stored so."""
    first, *others = codestream.components
    return len(others) > 1 and all(each.dx * each.dy > first.dx * first.dy for each in others[:2])


def _stretched(plane: Samples, number: int, codestream: Codestream, area: j2k.Area, reduction: int) -> Samples:
    """Repeat the samples of a coarser component, each of which counts from its place on to the next one's."""
    component, (step_x, step_y) = codestream.components[number], codestream.step
    if (component.dx, component.dy) == (step_x, step_y):
        return plane
    left, top, _, _ = j2k.scaled(codestream.area, (component.dx, component.dy), reduction)
    columns = np.arange(area[0], area[2]) * step_x // component.dx - left
    rows = np.arange(area[1], area[3]) * step_y // component.dy - top
    stretched: Samples = plane[rows.clip(0, plane.shape[0] - 1)[:, None], columns.clip(0, plane.shape[1] - 1)]
    return stretched


def _divided(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """Divide premultiplied colors by their alpha."""
    image = image.copy()
    image.putalpha(alpha)
    straight = Image.frombytes(f"{image.mode[:-1]}a", image.size, image.tobytes()).convert(image.mode)
    return straight.convert(image.mode[:-1])
