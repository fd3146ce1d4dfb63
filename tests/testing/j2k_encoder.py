"""The encoder of OpenJPEG by its C interface, for components of any depth, sign and resolution."""

import ctypes
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, byref, c_int, c_int32, c_int64, c_size_t, c_uint16, c_uint32, c_void_p
from typing import Any, NamedTuple

import numpy as np
from imagecodecs import _jpeg2k

_Plane = np.ndarray[Any, np.dtype[Any]]
_CODESTREAM, _UNKNOWN_COLORS = 0, 0
_BYTES = 64 * 1024
_WRITE = CFUNCTYPE(c_size_t, c_void_p, c_size_t, c_void_p)
_SKIP = CFUNCTYPE(c_int64, c_int64, c_void_p)
_SEEK = CFUNCTYPE(c_int, c_int64, c_void_p)


class Samples(NamedTuple):
    """A component."""

    plane: _Plane
    bits: int = 8
    is_signed: bool = False
    dx: int = 1
    dy: int = 1


class _Size(ctypes.Structure):
    _fields_ = tuple((name, c_uint32) for name in ("dx", "dy", "w", "h", "x0", "y0", "bits", "bpp", "sign"))


class _Component(ctypes.Structure):
    _fields_ = (("numbers", c_uint32 * 11), ("data", POINTER(c_int32)), ("alpha", c_uint16))


class _Image(ctypes.Structure):
    _fields_ = (("area", c_uint32 * 4), ("count", c_uint32), ("colors", c_int), ("components", POINTER(_Component)))


class _Parameters(ctypes.Structure):
    _fields_ = (("has_tiles", c_int), ("tile", c_int * 4), ("others", ctypes.c_uint8 * _BYTES))


def encode(*components: Samples, offset: tuple[int, int] = (0, 0), tile: int = 0) -> bytes:
    """Encode *components* without loss; the image begins at *offset* of the reference grid, *tile* is a side."""
    library = ctypes.CDLL(_jpeg2k.__file__)
    for name in ("image_create", "create_compress", "stream_create"):
        getattr(library, f"opj_{name}").restype = c_void_p
    written = bytearray()
    place = 0

    def write(buffer: int, count: int, _data: Any) -> int:
        nonlocal place
        written[place : place + count] = ctypes.string_at(buffer, count)
        place += count
        return count

    def skip(count: int, _data: Any) -> int:
        nonlocal place
        place += count
        return count

    def seek(position: int, _data: Any) -> int:
        nonlocal place
        place = position
        return 1

    callbacks = _WRITE(write), _SKIP(skip), _SEEK(seek)
    image = _image(library, components, offset)
    parameters = _Parameters()
    library.opj_set_default_encoder_parameters(byref(parameters))
    if tile:
        parameters.has_tiles, parameters.tile = 1, (c_int * 4)(0, 0, tile, tile)
    codec, stream = c_void_p(library.opj_create_compress(_CODESTREAM)), c_void_p(library.opj_stream_create(_BYTES, 0))
    try:
        for name, callback in zip(("write", "skip", "seek"), callbacks, strict=True):
            getattr(library, f"opj_stream_set_{name}_function")(stream, callback)
        assert library.opj_setup_encoder(codec, byref(parameters), image)
        assert library.opj_start_compress(codec, image, stream)
        assert library.opj_encode(codec, stream)
        assert library.opj_end_compress(codec, stream)
    finally:
        library.opj_stream_destroy(stream)
        library.opj_destroy_codec(codec)
        library.opj_image_destroy(image)
    return bytes(written)


def _image(library: ctypes.CDLL, components: Sequence[Samples], offset: tuple[int, int]) -> Any:
    """Make OpenJPEG's structure of an image."""
    sizes = (_Size * len(components))()
    for size, each in zip(sizes, components, strict=True):
        height, width = each.plane.shape
        size.dx, size.dy, size.w, size.h = each.dx, each.dy, width, height
        size.x0, size.y0 = offset
        size.bits = size.bpp = each.bits
        size.sign = each.is_signed
    image = ctypes.cast(library.opj_image_create(len(components), sizes, _UNKNOWN_COLORS), POINTER(_Image))
    first = components[0]
    height, width = first.plane.shape
    image.contents.area = (c_uint32 * 4)(*offset, offset[0] + width * first.dx, offset[1] + height * first.dy)
    for index, each in enumerate(components):
        plane = np.ascontiguousarray(each.plane, np.int32)
        ctypes.memmove(image.contents.components[index].data, plane.ctypes.data, plane.nbytes)
    return image
