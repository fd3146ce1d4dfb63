"""Flattening of the visible layers, in bands of the canvas to bound memory."""

import numpy as np
from PIL import Image

from rare_formats.xcf.canvas import Box, Raster, overlap
from rare_formats.xcf.modes import Kind, as_bottom, mode_of
from rare_formats.xcf.precision import Curve
from rare_formats.xcf.spaces import Color, Plane, Space, converted
from rare_formats.xcf.structure import BaseType, Document, Drawable, Layer
from rare_formats.xcf.tiles import Samples, Tiles

# Small enough for a band to fit into a processor's cache in most cases.
_BAND_PIXELS = 1 << 16
_BAND_ROWS = 64
_OPAQUE = 255
_LEVELS = np.arange(256, dtype=np.float32) / 255
_MAX_SAMPLE = 1e4  # of a float sample; larger ones make no visible difference


def flatten(document: Document, layers: list[Layer]) -> Image.Image:
    """Return the visible *layers* as one image of 8 bits, with alpha if they do not cover it all.

    Colors are encoded by the curve of the profile, or of sRGB. Raises ValueError or zlib.error for broken tiles.
    """
    return _Flattening(document).image(layers)


class _Flattening:
    """The state of flattening one file."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._tiles = Tiles(document)
        self._planes = 1 if document.base is BaseType.GRAY else 3
        self._space = Space.LINEAR if document.precision.curve is Curve.LINEAR else Space.PERCEPTUAL
        self._palette = np.zeros((3, 256), np.float32)
        colors = np.frombuffer(document.colors, np.uint8).reshape(-1, 3)
        self._palette[:, : len(colors)] = colors.T / np.float32(255)

    def image(self, layers: list[Layer]) -> Image.Image:
        """Return all *layers* on the whole canvas."""
        width, height = self._document.width, self._document.height
        image = Image.new("L" if self._planes == 1 else "RGB", (width, height))
        alpha: Image.Image | None = None
        rows = max(1, min(_BAND_ROWS, _BAND_PIXELS // width))
        for top in range(0, height, rows):
            band = Raster.empty((0, top, width, min(top + rows, height)), self._planes, self._space)
            self._composite_layers(band, layers, is_bottom=True)
            colors = _bytes(converted(band.color, band.space, Space.PERCEPTUAL))
            image.paste(Image.merge(image.mode, [Image.fromarray(plane) for plane in colors]), (0, top))
            levels = _bytes(band.alpha)
            if levels.min() < _OPAQUE:
                alpha = alpha or Image.new("L", (width, height), 255)
                alpha.paste(Image.fromarray(levels), (0, top))
        if alpha is not None:
            image.putalpha(alpha)
        return image

    def _composite_layers(self, band: Raster, layers: list[Layer], *, is_bottom: bool) -> bool:
        """Composite the visible *layers* onto *band*; return whether *band* is still empty."""
        for layer in reversed(layers):
            if not layer.is_visible:
                continue
            if layer.is_group:
                is_bottom = self._composite_group(band, layer, is_bottom=is_bottom)
            elif layer.pixels.width and layer.pixels.height:
                self._composite_layer(band, layer, is_bottom=is_bottom)
                is_bottom = False
        return is_bottom

    def _composite_layer(self, band: Raster, layer: Layer, *, is_bottom: bool) -> None:
        mode = as_bottom(mode_of(layer)) if is_bottom else mode_of(layer)
        box = overlap(band.box, _box(layer, layer.pixels))
        pixels = self._pixels(layer, box, mode.space or band.space) if box and layer.opacity > 0 else None
        if pixels:
            band.composite(pixels, mode, self._opacity(layer, pixels.box))
        elif not mode.composite.keeps_backdrop:
            band.alpha[:] = 0

    def _composite_group(self, band: Raster, group: Layer, *, is_bottom: bool) -> bool:
        """Composite the members of *group* onto *band*; return whether *band* is still empty."""
        mode = mode_of(group)
        if mode.kind is Kind.PASS_THROUGH:
            before = band.copy() if group.mask or group.opacity < 1 else None
            is_bottom = self._composite_layers(band, group.children, is_bottom=is_bottom)
            if before:
                before.convert_to(mode.space or band.space)
                before.mix(band, self._opacity(group, band.box))
                band.color, band.alpha, band.space = before.color, before.alpha, before.space
            return is_bottom
        inner = Raster.empty(band.box, self._planes, self._space)
        self._composite_layers(inner, group.children, is_bottom=True)
        if self._document.precision.is_integer:  # GIMP stores the pixels of a group in the precision of the file
            inner.convert_to(self._space)
            np.clip(inner.color, 0, 1, out=inner.color)
        band.composite(inner, as_bottom(mode) if is_bottom else mode, self._opacity(group, band.box))
        return False

    def _opacity(self, layer: Layer, box: Box) -> Plane | float:
        """Return the opacity of *layer* in *box*, times its mask."""
        if layer.mask is None:
            return layer.opacity
        opacity = np.zeros((box[3] - box[1], box[2] - box[0]), np.float32)
        inside = overlap(box, _box(layer, layer.mask))
        if inside is not None:
            left, top, right, bottom = (inside[axis] - box[axis % 2] for axis in range(4))
            mask = _floats(self._samples(layer, layer.mask, inside)[0])
            opacity[top:bottom, left:right] = mask * np.float32(layer.opacity)
        return opacity

    def _pixels(self, layer: Layer, box: Box, space: Space) -> Raster | None:
        """Return the pixels of *layer* in *box*, trimmed of transparent rows and columns; None if there are none."""
        samples = self._samples(layer, layer.pixels, box)
        if layer.has_alpha:
            columns, rows = (np.flatnonzero(samples[-1].any(axis=axis)) for axis in (0, 1))
            if not columns.size:
                return None
            left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
            samples = samples[:, top:bottom, left:right]
            box = (box[0] + left, box[1] + top, box[0] + right, box[1] + bottom)
        alpha = np.clip(_floats(samples[-1]), 0, 1) if layer.has_alpha else np.ones(samples.shape[1:], np.float32)
        colors = samples[: layer.base.channels]
        return Raster(box, space, self._color(layer.base, colors, space), alpha)

    def _color(self, base: BaseType, samples: Samples, space: Space) -> Color:
        if base is BaseType.INDEXED:
            color = converted(self._palette, self._space, space)[:, samples[0].astype(np.intp) & 0xFF]
        elif samples.dtype == np.uint8:
            color = converted(_LEVELS, self._space, space)[samples]
        else:
            color = converted(_floats(samples), self._space, space)
        if len(color) < self._planes:
            return np.broadcast_to(color, (self._planes, *color.shape[1:]))
        return color[: self._planes]

    def _samples(self, layer: Layer, drawable: Drawable, box: Box) -> Samples:
        left, top = layer.left, layer.top
        return self._tiles.read(drawable, box[0] - left, box[1] - top, box[2] - left, box[3] - top)


def _box(layer: Layer, drawable: Drawable) -> Box:
    return (layer.left, layer.top, layer.left + drawable.width, layer.top + drawable.height)


def _floats(samples: Samples) -> Color:
    """Return *samples* scaled so that the largest integer is 1.0; a NaN becomes 0."""
    if samples.dtype.kind == "u":
        return samples.astype(np.float32) * np.float32(1 / np.iinfo(samples.dtype).max)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.nan_to_num(samples.astype(np.float32), posinf=_MAX_SAMPLE, neginf=-_MAX_SAMPLE)
    return np.clip(values, -_MAX_SAMPLE, _MAX_SAMPLE)


def _bytes(values: Color) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return (np.clip(values, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
