"""The layer modes by their number in the file: their blend function and color spaces.

Source: GIMP 2.10, app/operations/layer-modes/gimp-layer-modes.c.
"""

from dataclasses import dataclass
from enum import IntEnum

from rare_formats.xcf import blend
from rare_formats.xcf.blend import Blend
from rare_formats.xcf.spaces import Space
from rare_formats.xcf.structure import Layer


class CompositeMode(IntEnum):
    """Which parts are kept where backdrop and layer do not overlap; the overlap is always kept."""

    UNION = 1
    CLIP_TO_BACKDROP = 2
    CLIP_TO_LAYER = 3
    INTERSECTION = 4

    @property
    def keeps_backdrop(self) -> bool:
        """Whether the backdrop is kept outside of the layer."""
        return self in (CompositeMode.UNION, CompositeMode.CLIP_TO_BACKDROP)

    @property
    def keeps_layer(self) -> bool:
        """Whether the layer is kept outside of the backdrop."""
        return self in (CompositeMode.UNION, CompositeMode.CLIP_TO_LAYER)


class Kind(IntEnum):
    """What a mode does in addition to blending colors."""

    BLEND = 0
    OLD = 1
    """Blends like GIMP before 2.10: colors are clipped, and a layer never covers more than the backdrop."""
    COLOR_ERASE = 2
    ERASE = 3
    MERGE = 4
    """Layer and backdrop are parts of one image that was cut along a soft edge."""
    SPLIT = 5
    """The opposite."""
    PASS_THROUGH = 6
    """Of a group whose members are blended with the layers below the group."""


@dataclass(frozen=True)
class Mode:
    """A layer mode with the settings of one layer."""

    blend: Blend
    blend_space: Space | None = None
    """None if blending is the same in any space."""
    space: Space | None = Space.LINEAR
    """The space to composite in; None if it makes no difference."""
    composite: CompositeMode = CompositeMode.CLIP_TO_BACKDROP
    kind: Kind = Kind.BLEND

    @property
    def covers(self) -> bool:
        """Whether an opaque layer hides the backdrop."""
        return self.blend is blend.normal and self.kind is Kind.BLEND and self.composite.keeps_layer


_NORMAL = Mode(blend.normal, composite=CompositeMode.UNION)
_PLAIN = Mode(blend.normal, space=None, composite=CompositeMode.UNION)


def _old(function: Blend) -> Mode:
    return Mode(function, Space.PERCEPTUAL, Space.PERCEPTUAL, kind=Kind.OLD)


def _in(space: Space, *functions: Blend) -> tuple[Mode, ...]:
    return tuple(Mode(function, space) for function in functions)


_OLD_MODES = (
    Mode(blend.normal, space=Space.PERCEPTUAL, composite=CompositeMode.UNION),
    _PLAIN,  # dissolve: the average of its noise
    _PLAIN,  # behind: for brushes only
    *map(_old, (
        blend.multiply, blend.screen, blend.soft_light, blend.difference, blend.addition, blend.subtract,
        blend.darken, blend.lighten, blend.hsv_hue, blend.old_hsv_saturation, blend.hsl_color, blend.hsv_value,
        blend.divide, blend.dodge, blend.burn, blend.old_hard_light, blend.soft_light, blend.old_grain_extract,
        blend.old_grain_merge,
    )),
    Mode(blend.normal, Space.PERCEPTUAL, Space.PERCEPTUAL, kind=Kind.COLOR_ERASE),
)  # fmt: skip
_NEW_MODES = (
    *_in(Space.PERCEPTUAL, blend.overlay),
    *_in(Space.LAB, blend.lch_hue, blend.lch_chroma, blend.lch_color, blend.lch_lightness),
    _NORMAL,
    _PLAIN,  # behind
    *_in(Space.LINEAR, blend.multiply),
    *_in(Space.PERCEPTUAL, blend.screen, blend.difference),
    *_in(Space.LINEAR, blend.addition, blend.subtract),
    Mode(blend.darken),
    Mode(blend.lighten),
    *_in(Space.PERCEPTUAL, blend.hsv_hue, blend.hsv_saturation, blend.hsl_color, blend.hsv_value),
    *_in(Space.LINEAR, blend.divide),
    *_in(
        Space.PERCEPTUAL,
        blend.dodge, blend.burn, blend.hard_light, blend.soft_light, blend.grain_extract, blend.grain_merge,
        blend.vivid_light, blend.pin_light, blend.linear_light, blend.hard_mix, blend.exclusion, blend.linear_burn,
        blend.luma_darken, blend.luma_lighten,
    ),
    *_in(Space.LINEAR, blend.luminance_of_layer),
    Mode(blend.normal, Space.LINEAR, kind=Kind.COLOR_ERASE),
    Mode(blend.normal, kind=Kind.ERASE),
    Mode(blend.normal, composite=CompositeMode.UNION, kind=Kind.MERGE),
    Mode(blend.normal, space=None, kind=Kind.SPLIT),
    Mode(blend.normal, composite=CompositeMode.UNION, kind=Kind.PASS_THROUGH),
)  # fmt: skip
_MODES = _OLD_MODES + _NEW_MODES
_FIXED_BLEND_SPACES = (blend.lch_hue, blend.lch_chroma, blend.lch_color, blend.lch_lightness, blend.hsv_hue,
                       blend.hsv_saturation, blend.hsl_color, blend.hsv_value, blend.luminance_of_layer)  # fmt: skip
_COMPOSITES = tuple(map(int, CompositeMode))
# From GIMP 3 on, 2 is the curve of the profile, here approximated by that of sRGB, and 4 is sRGB's.
_SPACES = {1: Space.LINEAR, 2: Space.PERCEPTUAL, 3: Space.LAB, 4: Space.PERCEPTUAL}


def mode_of(layer: Layer) -> Mode:
    """Return the mode of *layer* with the settings of its properties; an unknown mode is treated as normal."""
    if layer.mode < len(_OLD_MODES):
        return _OLD_MODES[layer.mode]
    mode = _MODES[layer.mode] if layer.mode < len(_MODES) else _NORMAL
    fixed = mode.blend_space is None or mode.blend in _FIXED_BLEND_SPACES
    known = layer.composite_mode in _COMPOSITES and mode.kind is not Kind.PASS_THROUGH
    return Mode(
        mode.blend,
        mode.blend_space if fixed else _SPACES.get(layer.blend_space, mode.blend_space),
        mode.space and _SPACES.get(layer.composite_space, mode.space),
        CompositeMode(layer.composite_mode) if known else mode.composite,
        mode.kind,
    )


def as_bottom(mode: Mode) -> Mode:
    """Return the mode that replaces *mode* for the lowest layer."""
    return mode if mode.kind is Kind.PASS_THROUGH else Mode(blend.normal, None, None, CompositeMode.UNION)
