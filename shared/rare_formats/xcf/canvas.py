"""A part of the canvas, onto which layers are composited one after another."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from rare_formats.xcf import blend
from rare_formats.xcf.modes import Kind, Mode
from rare_formats.xcf.spaces import Color, Plane, Space, converted

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the canvas; right and bottom are exclusive."""

_TINY = 1e-12


def overlap(first: Box, second: Box) -> Box | None:
    """Return the overlap of two boxes, None if there is none."""
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right, bottom = min(first[2], second[2]), min(first[3], second[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


@dataclass
class Raster:
    """Pixels of a box of the canvas; colors are not premultiplied by alpha."""

    box: Box
    space: Space
    color: Color
    alpha: Plane

    @classmethod
    def empty(cls, box: Box, planes: int, space: Space) -> "Raster":
        """Return a transparent image of *box*."""
        height, width = box[3] - box[1], box[2] - box[0]
        return cls(box, space, np.zeros((planes, height, width), np.float32), np.zeros((height, width), np.float32))

    def copy(self) -> "Raster":
        """Return a copy that does not change with this image."""
        return Raster(self.box, self.space, self.color.copy(), self.alpha.copy())

    def convert_to(self, space: Space) -> None:
        """Convert the colors to another space."""
        self.color = converted(self.color, self.space, space)
        self.space = space

    def composite(self, layer: "Raster", mode: Mode, opacity: Plane | float) -> None:
        """Composite *layer*, which must be within this image, onto it; *opacity* is one number or one a pixel."""
        left, top = layer.box[0] - self.box[0], layer.box[1] - self.box[1]
        rows, columns = layer.alpha.shape
        here = np.s_[top : top + rows, left : left + columns]
        if not mode.composite.keeps_backdrop:  # pixels outside of the layer are removed
            kept = self.alpha[here].copy()
            self.alpha[:] = 0
            self.alpha[here] = kept
        if mode.covers and isinstance(opacity, float) and opacity == 1 and layer.alpha.min() >= 1:
            layer.convert_to(self.space)
            self.color[:, *here], self.alpha[here] = layer.color, layer.alpha
            return
        self.convert_to(mode.space or self.space)
        layer.convert_to(self.space)
        base, base_alpha = self.color[:, *here], self.alpha[here]
        color, alpha = _composited(base, base_alpha, layer, mode, opacity)
        self.color[:, *here], self.alpha[here] = color, alpha

    def mix(self, other: "Raster", share: Plane | float) -> None:
        """Interpolate to *other*, of the same extent, by *share*."""
        other.convert_to(self.space)
        own, others = self.alpha * (1 - share), other.alpha * share
        self.alpha = own + others
        scale = 1 / np.maximum(self.alpha, _TINY)
        self.color = self.color * (own * scale) + other.color * (others * scale)


def _composited(
    base: Color, base_alpha: Plane, layer: Raster, mode: Mode, opacity: Plane | float
) -> tuple[Color, Plane]:
    """Return color and alpha of *layer* on *base*.

    As in Porter-Duff compositing, a pixel has a part that only the backdrop covers, one that only the layer covers,
    and one that both cover. The mode determines which parts are kept; some modes erase a share of the last one.
    """
    alpha = layer.alpha * np.float32(opacity) if isinstance(opacity, float) else layer.alpha * opacity
    both = _covered_by_both(base_alpha, alpha, layer.alpha, mode.kind)
    blended, share = _blended(base, layer, mode)
    parts = [(blended, both * share)]
    if mode.composite.keeps_layer and blended is layer.color:
        parts = [(blended, alpha)]
    elif mode.composite.keeps_layer:
        parts.append((layer.color, alpha - both))
    if mode.composite.keeps_backdrop:
        parts.append((base, base_alpha - both))
    result: Plane = sum(weight for _, weight in parts[1:]) + parts[0][1]
    scale = 1 / np.maximum(result, _TINY)
    composed = blended * (parts[0][1] * scale)
    for color, weight in parts[1:]:
        composed += color * (weight * scale)
    return composed, result


def _covered_by_both(base: Plane, layer: Plane, whole_layer: Plane, kind: Kind) -> Plane:
    """Return the share of each pixel that both cover; *layer* is *whole_layer* with opacity applied."""
    match kind:
        case Kind.OLD:
            # Legacy modes use the smaller alpha of the two, times the opacity.
            share = np.minimum(base, whole_layer) * (layer / np.maximum(whole_layer, _TINY))
            return base * share / np.maximum(base + (1 - base) * share, _TINY)
        case Kind.MERGE:
            return np.maximum(base + layer - 1, 0)
        case Kind.SPLIT:
            return np.minimum(base, layer)
        case _:
            return base * layer


def _blended(base: Color, layer: Raster, mode: Mode) -> tuple[Color, Plane | float]:
    """Return the colors where both overlap, in the space of *layer*, and the share of the overlap that is kept."""
    if mode.kind in (Kind.ERASE, Kind.SPLIT):
        return base, 0.0
    if mode.blend is blend.normal and mode.kind is not Kind.COLOR_ERASE:
        return layer.color, 1.0
    space = mode.blend_space or layer.space
    under, over = converted(base, layer.space, space), converted(layer.color, layer.space, space)
    share: Plane | float = 1.0
    if mode.kind is Kind.COLOR_ERASE:
        blended, share = blend.erased_share(under, over)
    else:
        blended = mode.blend(under, over)
    if mode.kind is Kind.OLD:
        blended = np.clip(blended, 0, 1)
    return converted(blended, space, layer.space)[: len(base)], share
