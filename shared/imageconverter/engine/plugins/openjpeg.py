"""OpenJPEG by its C interface, as the package imagecodecs ships it: one tile after the other, components apart.

imagecodecs itself takes components of one size only, always at full scale, and nothing that is cut off. The structure
is that of openjpeg.h of version 2.5, the layout of which does not change within version 2.
"""

import ctypes
from collections.abc import Iterator, Sequence
from ctypes import CFUNCTYPE, POINTER, byref, c_char, c_int, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from typing import Any, ClassVar, NamedTuple

import numpy as np
from imagecodecs import _jpeg2k

Samples = np.ndarray[Any, np.dtype[Any]]

_CODESTREAM = 0  # OPJ_CODEC_J2K
_CHUNK = 1024 * 1024
_END = ctypes.c_size_t(-1).value
_MAX_MESSAGES = 3
_Fields = Sequence[tuple[str, Any]]


class Tile(NamedTuple):
    """A decoded tile."""

    area: tuple[int, int, int, int]
    """On the reference grid: left, top, right, bottom."""
    data: Samples
    """The bytes of its components, one after the other, each row by row."""


class _Parameters(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [
        ("reduce", c_uint32), ("layer", c_uint32), ("infile", c_char * 4096), ("outfile", c_char * 4096),
        ("formats", c_int * 2), ("area", c_uint32 * 4), ("verbose", c_int), ("tile", c_uint32), ("tiles", c_uint32),
        ("jpwl", c_int * 3), ("flags", c_uint32),
    ]  # fmt: skip


class _Source(ctypes.Structure):
    """The bytes that are read, as the callbacks see them."""

    _fields_: ClassVar[_Fields] = [("data", c_void_p), ("size", c_size_t), ("at", c_size_t)]


def _read(buffer: int, count: int, source: Any) -> int:
    stream = source.contents
    count = min(count, stream.size - stream.at)
    if count <= 0:
        return _END
    ctypes.memmove(buffer, stream.data + stream.at, count)
    stream.at += count
    return count


def _skip(count: int, source: Any) -> int:
    stream = source.contents
    if count < 0 or stream.at >= stream.size:
        return -1
    count = min(count, stream.size - stream.at)
    stream.at += count
    return count


def _seek(position: int, source: Any) -> int:
    stream = source.contents
    if not 0 <= position <= stream.size:
        return 0
    stream.at = position
    return 1


_READ = CFUNCTYPE(c_size_t, c_void_p, c_size_t, POINTER(_Source))
_SKIP = CFUNCTYPE(c_int64, c_int64, POINTER(_Source))
_SEEK = CFUNCTYPE(c_int, c_int64, POINTER(_Source))
_CALLBACKS = _READ(_read), _SKIP(_skip), _SEEK(_seek)


def _loaded() -> ctypes.CDLL:
    """Return OpenJPEG with the types of its functions; the module that is linked to it leads to its symbols."""
    library = ctypes.CDLL(_jpeg2k.__file__)
    numbers = [POINTER(c_uint32), POINTER(c_uint32), *[POINTER(c_int32)] * 4, POINTER(c_uint32), POINTER(c_int)]
    for name, result, arguments in (
        ("stream_create", c_void_p, [c_size_t, c_int]),
        ("stream_destroy", None, [c_void_p]),
        ("stream_set_read_function", None, [c_void_p, _READ]),
        ("stream_set_skip_function", None, [c_void_p, _SKIP]),
        ("stream_set_seek_function", None, [c_void_p, _SEEK]),
        ("stream_set_user_data", None, [c_void_p, c_void_p, c_void_p]),
        ("stream_set_user_data_length", None, [c_void_p, c_int64]),
        ("create_decompress", c_void_p, [c_int]),
        ("destroy_codec", None, [c_void_p]),
        ("set_default_decoder_parameters", None, [POINTER(_Parameters)]),
        ("setup_decoder", c_int, [c_void_p, POINTER(_Parameters)]),
        ("decoder_set_strict_mode", c_int, [c_void_p, c_int]),
        ("read_header", c_int, [c_void_p, c_void_p, POINTER(c_void_p)]),
        ("read_tile_header", c_int, [c_void_p, c_void_p, *numbers]),
        ("decode_tile_data", c_int, [c_void_p, c_uint32, c_void_p, c_uint32, c_void_p]),
        ("image_destroy", None, [c_void_p]),
    ):
        function = getattr(library, f"opj_{name}")
        function.restype, function.argtypes = result, arguments
    return library


_LIBRARY = _loaded()


def tiles(data: bytes, start: int, end: int, *, reduce: int = 0) -> Iterator[Tile]:
    """Decode the tiles of the code stream between *start* and *end*, at 1/2^*reduce* of its scale, in their order.

    Of a code stream that is cut off, as much as there is. Raises OSError if it is broken, MemoryError.
    """
    array = np.frombuffer(data, np.uint8)
    source = _Source(array.ctypes.data + start, end - start, 0)
    codec, stream, image = (
        _LIBRARY.opj_create_decompress(_CODESTREAM),
        _LIBRARY.opj_stream_create(_CHUNK, 1),
        c_void_p(),
    )
    try:
        if not codec or not stream:
            raise MemoryError
        _connect(stream, source)
        parameters = _Parameters()
        _LIBRARY.opj_set_default_decoder_parameters(byref(parameters))
        parameters.reduce = reduce
        if not _LIBRARY.opj_setup_decoder(codec, byref(parameters)):
            raise OSError("it cannot be decoded")
        _LIBRARY.opj_decoder_set_strict_mode(codec, 0)
        if not _LIBRARY.opj_read_header(stream, codec, byref(image)):
            raise OSError("the header of the code stream is broken")
        while (tile := _next_tile(codec, stream)) is not None:
            yield tile
    finally:
        _LIBRARY.opj_image_destroy(image)
        _LIBRARY.opj_destroy_codec(codec)
        _LIBRARY.opj_stream_destroy(stream)


def _connect(stream: int, source: _Source) -> None:
    read, skip, seek = _CALLBACKS
    _LIBRARY.opj_stream_set_read_function(stream, read)
    _LIBRARY.opj_stream_set_skip_function(stream, skip)
    _LIBRARY.opj_stream_set_seek_function(stream, seek)
    _LIBRARY.opj_stream_set_user_data(stream, ctypes.addressof(source), None)
    _LIBRARY.opj_stream_set_user_data_length(stream, source.size)


def _next_tile(codec: int, stream: int) -> Tile | None:
    index, size, components, goes_on = c_uint32(), c_uint32(), c_uint32(), c_int()
    area = (c_int32 * 4)()
    left, top, right, bottom = (
        ctypes.cast(ctypes.addressof(area) + 4 * number, POINTER(c_int32)) for number in range(4)
    )
    numbers = byref(index), byref(size), left, top, right, bottom, byref(components), byref(goes_on)
    if not _LIBRARY.opj_read_tile_header(codec, stream, *numbers):
        raise OSError("the header of a tile is broken")
    if not goes_on.value:
        return None
    data = np.empty(size.value, np.uint8)
    if not _LIBRARY.opj_decode_tile_data(codec, index, data.ctypes.data, size, stream):
        raise OSError("a tile cannot be decoded")
    return Tile((area[0], area[1], area[2], area[3]), data)
