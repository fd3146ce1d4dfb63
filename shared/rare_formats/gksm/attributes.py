"""The attributes of primitives in a GKS metafile: aspects, set individually or by a bundle, and colors."""

from collections.abc import Sequence

from PIL import Image

from rare_formats.gksm.drawables import colored
from rare_formats.gksm.items import Item, Kind
from rare_formats.strokes import Color

HOLLOW, SOLID, PATTERN, HATCH = range(4)
"""Interior styles of areas."""

_COLORS: dict[int, Color] = {
    0: (255, 255, 255), 1: (0, 0, 0), 2: (255, 0, 0), 3: (0, 255, 0), 4: (0, 0, 255), 5: (0, 255, 255),
    6: (255, 0, 255), 7: (255, 255, 0),
}  # fmt: skip
_BLACK: Color = (0, 0, 0)


class Aspects:
    """The aspects of one kind of primitive, such as type, width and color of lines."""

    def __init__(self, *bundles: Sequence[float]) -> None:
        """Create aspects with the predefined *bundles*; the first one has the initial individual values too."""
        self.own = list(bundles[0])
        self.index = 1
        self.bundles = {index: tuple(bundle) for index, bundle in enumerate(bundles, 1)}
        self.are_own = [True] * len(self.own)

    @property
    def now(self) -> tuple[float, ...]:
        """The current aspects."""
        bundle = self.bundles.get(self.index) or self.bundles[1]
        return tuple(
            own if is_own else bundled for own, bundled, is_own in zip(self.own, bundle, self.are_own, strict=True)
        )


class Attributes:
    """All state that items change between the primitives.

    The predefined bundles are those of XGKS.
    """

    def __init__(self) -> None:
        self.line = Aspects((1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1), (1, 5, 1))
        """Type, width and color."""
        self.marker = Aspects((1, 6, 1), (2, 6, 1), (3, 6, 1), (4, 6, 1), (5, 6, 1))
        """Type, size and color."""
        self.marker.own = [3, 1, 1]
        self.lettering = Aspects((1, 1, 0, 1))
        """Font, expansion, spacing and color."""
        self.area = Aspects((HOLLOW, 1, 1), (SOLID, 1, 1), (PATTERN, 1, 1), (HATCH, -1, 1), (HATCH, -10, 1))
        """Interior, style and color."""
        self.up = (0.0, 0.01)
        self.base = (0.01, 0.0)
        self.path = 0
        self.alignment = (0, 0)
        self.pattern_size = (1.0, 1.0)
        self.clip: tuple[float, ...] | None = None
        self._patterns: dict[int, Image.Image] = {}
        self._colors = dict(_COLORS)
        self._aspects = {
            Kind.LINE_TYPE: (self.line, 0), Kind.LINE_WIDTH: (self.line, 1), Kind.LINE_COLOR: (self.line, 2),
            Kind.MARKER_TYPE: (self.marker, 0), Kind.MARKER_SIZE: (self.marker, 1),
            Kind.MARKER_COLOR: (self.marker, 2), Kind.TEXT_FONT: (self.lettering, 0),
            Kind.TEXT_EXPANSION: (self.lettering, 1), Kind.TEXT_SPACING: (self.lettering, 2),
            Kind.TEXT_COLOR: (self.lettering, 3),
            Kind.FILL_INTERIOR: (self.area, 0), Kind.FILL_STYLE: (self.area, 1), Kind.FILL_COLOR: (self.area, 2),
        }  # fmt: skip
        self._indices = {
            Kind.LINE_INDEX: self.line, Kind.MARKER_INDEX: self.marker, Kind.TEXT_INDEX: self.lettering,
            Kind.FILL_INDEX: self.area,
        }  # fmt: skip
        self._representations = {
            Kind.LINE_REPRESENTATION: self.line, Kind.MARKER_REPRESENTATION: self.marker,
            Kind.FILL_REPRESENTATION: self.area,
        }  # fmt: skip

    def color(self, index: float) -> Color:
        """Return the color of an index, black for an undefined one."""
        return self._colors.get(int(index), _BLACK)

    def pattern(self, index: float) -> Image.Image | None:
        """Return a pattern in the colors at the time of its definition."""
        return self._patterns.get(int(index))

    def change(self, item: Item) -> None:
        """Apply *item* if it changes attributes."""
        kind, numbers = item.kind, item.numbers
        if kind in self._aspects:
            aspects, place = self._aspects[Kind(kind)]
            aspects.own[place] = numbers[0]
        elif kind in self._indices:
            self._indices[Kind(kind)].index = int(numbers[0])
        elif kind in self._representations:
            self._representations[Kind(kind)].bundles[int(numbers[0])] = numbers[1:]
        elif kind == Kind.TEXT_REPRESENTATION:
            self.lettering.bundles[int(numbers[0])] = (numbers[1], *numbers[3:])
        elif kind == Kind.COLOR_REPRESENTATION:
            red, green, blue = (round(min(max(part, 0.0), 1.0) * 255) for part in numbers[1:])
            self._colors[int(numbers[0])] = red, green, blue
        elif kind == Kind.PATTERN_REPRESENTATION and item.cells is not None:
            self._patterns[int(numbers[0])] = colored(item.cells, self.color)
        elif kind == Kind.ASPECT_SOURCES:
            are_own = [number == 1 for number in numbers]
            for aspects in (self.line, self.marker, self.lettering, self.area):
                aspects.are_own, are_own = are_own[: len(aspects.own)], are_own[len(aspects.own) :]
        else:
            self._set(kind, numbers)

    def _set(self, kind: int, numbers: tuple[float, ...]) -> None:
        if kind == Kind.CHARACTER_VECTORS:
            self.up, self.base = (numbers[0], numbers[1]), (numbers[2], numbers[3])
        elif kind == Kind.TEXT_PATH:
            self.path = int(numbers[0])
        elif kind == Kind.TEXT_ALIGNMENT:
            self.alignment = int(numbers[0]), int(numbers[1])
        elif kind == Kind.PATTERN_SIZE:
            self.pattern_size = abs(numbers[0]) + abs(numbers[1]), abs(numbers[2]) + abs(numbers[3])
        elif kind == Kind.CLIPPING_RECTANGLE:
            self.clip = numbers
