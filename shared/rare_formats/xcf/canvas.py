"""A part of the canvas, onto which layers are composed one after another."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from rare_formats.xcf import blend
from rare_formats.xcf.modes import Kind, Mode
from rare_formats.xcf.spaces import Color, Plane, Space, converted

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the canvas; right and bottom are outside."""

_TINY = 1e-12


def overlap(first: Box, second: Box) -> Box | None:
    """Return where two boxes overlap, None where they do not."""
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right, bottom = min(first[2], second[2]), min(first[3], second[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


@dataclass
class Composite:
    """Pixels somewhere on the canvas; the colors are not multiplied by alpha."""

    box: Box
    space: Space
    color: Color
    alpha: Plane

    @classmethod
    def empty(cls, box: Box, planes: int, space: Space) -> "Composite":
        """Return nothing, of the extent of *box*."""
        height, width = box[3] - box[1], box[2] - box[0]
        return cls(box, space, np.zeros((planes, height, width), np.float32), np.zeros((height, width), np.float32))

    def copy(self) -> "Composite":
        """Return an image that stays as it is when this one changes."""
        return Composite(self.box, self.space, self.color.copy(), self.alpha.copy())

    def move_to(self, space: Space) -> None:
        """Hold the same colors in another space from now on."""
        self.color = converted(self.color, self.space, space)
        self.space = space

    def lay(self, layer: "Composite", mode: Mode, opacity: Plane | float) -> None:
        """Compose *layer*, which lies within this image, onto it. *opacity* is one number or one for each pixel."""
        left, top = layer.box[0] - self.box[0], layer.box[1] - self.box[1]
        rows, columns = layer.alpha.shape
        here = np.s_[top : top + rows, left : left + columns]
        if not mode.composite.keeps_backdrop:  # what lies beside the layer goes
            kept = self.alpha[here].copy()
            self.alpha[:] = 0
            self.alpha[here] = kept
        if mode.covers and isinstance(opacity, float) and opacity == 1 and layer.alpha.min() >= 1:
            layer.move_to(self.space)
            self.color[:, *here], self.alpha[here] = layer.color, layer.alpha
            return
        self.move_to(mode.space or self.space)
        layer.move_to(self.space)
        base, base_alpha = self.color[:, *here], self.alpha[here]
        color, alpha = _composed(base, base_alpha, layer, mode, opacity)
        self.color[:, *here], self.alpha[here] = color, alpha

    def mix(self, other: "Composite", share: Plane | float) -> None:
        """Change to *other*, of the same extent, by *share*."""
        other.move_to(self.space)
        own, others = self.alpha * (1 - share), other.alpha * share
        self.alpha = own + others
        scale = 1 / np.maximum(self.alpha, _TINY)
        self.color = self.color * (own * scale) + other.color * (others * scale)


def _composed(
    base: Color, base_alpha: Plane, layer: Composite, mode: Mode, opacity: Plane | float
) -> tuple[Color, Plane]:
    """Return color and alpha of *layer* on *base*.

    A pixel is parted into what only the backdrop covers, what only the layer covers, and what both cover, as
    Porter and Duff do. The mode says which parts stay; of what both cover, some modes erase a share.
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
    """Return the share of each pixel that both cover; *layer* is *whole_layer* at its opacity."""
    match kind:
        case Kind.OLD:
            # GIMP took the smaller alpha of the two, and then the opacity of it.
            share = np.minimum(base, whole_layer) * (layer / np.maximum(whole_layer, _TINY))
            return base * share / np.maximum(base + (1 - base) * share, _TINY)
        case Kind.MERGE:
            return np.maximum(base + layer - 1, 0)
        case Kind.SPLIT:
            return np.minimum(base, layer)
        case _:
            return base * layer


def _blended(base: Color, layer: Composite, mode: Mode) -> tuple[Color, Plane | float]:
    """Return the colors where both are, in the space of *layer*, and how much stays there."""
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
