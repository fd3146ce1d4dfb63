"""libjxl by its C interface, as the package imagecodecs ships it.

No package for Python hands over frame after frame, how long each is shown, the color encoding, or what else
imageconverter.engine.plugins.jpeg_xl needs. The structures are those of libjxl 0.11: jxl/codestream_header.h,
jxl/color_encoding.h, jxl/cms_interface.h and jxl/types.h.
"""

import ctypes
import weakref
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int, c_int32, c_size_t, c_uint32, c_void_p
from typing import Any, ClassVar

import numpy as np
from imagecodecs import _jpegxl

Samples = np.ndarray[Any, np.dtype[np.uint8]] | np.ndarray[Any, np.dtype[np.uint16]]

# JxlDecoderStatus
SUCCESS, _ERROR, NEED_MORE_INPUT, NEED_PIXELS = 0, 1, 2, 5
BASIC_INFO, COLOR_ENCODING, FRAME, FULL_IMAGE, BOX = 0x40, 0x100, 0x400, 0x1000, 0x4000

RGB, GRAY = 0, 1  # color spaces
ALPHA, BLACK = 0, 4  # extra channels
BT709, LINEAR, SRGB, PQ, DCI, HLG, GAMMA = 1, 8, 13, 16, 17, 18, 65535  # transfer functions, but for one as in H.273
SRGB_PRIMARIES, BT2100_PRIMARIES, P3_PRIMARIES = 1, 9, 11
D65, DCI_WHITE = 1, 11
_RELATIVE, _ORIGINAL = 1, 0
_TYPES = {np.dtype(np.uint8): 2, np.dtype(np.uint16): 3}
_MAX_BOXES = 1000
_Fields = Sequence[tuple[str, Any]]


class BasicInfo(ctypes.Structure):
    """JxlBasicInfo: extents, depths and channels of an image."""

    _fields_: ClassVar[_Fields] = [
        ("have_container", c_int), ("width", c_uint32), ("height", c_uint32),
        ("bits", c_uint32), ("exponent_bits", c_uint32),
        ("intensity_target", c_float), ("min_nits", c_float), ("relative_to_max", c_int), ("linear_below", c_float),
        ("uses_original_profile", c_int), ("have_preview", c_int), ("have_animation", c_int), ("orientation", c_int),
        ("color_channels", c_uint32), ("extra_channels", c_uint32),
        ("alpha_bits", c_uint32), ("alpha_exponent_bits", c_uint32), ("alpha_premultiplied", c_int),
        ("preview", c_uint32 * 2),
        ("ticks_numerator", c_uint32), ("ticks_denominator", c_uint32), ("loops", c_uint32), ("timecodes", c_int),
        ("intrinsic", c_uint32 * 2), ("padding", ctypes.c_uint8 * 100),
    ]  # fmt: skip


class ExtraChannelInfo(ctypes.Structure):
    """JxlExtraChannelInfo: what a channel besides those of the color is."""

    _fields_: ClassVar[_Fields] = [
        ("type", c_int), ("bits", c_uint32), ("exponent_bits", c_uint32), ("dim_shift", c_uint32),
        ("name_length", c_uint32), ("alpha_premultiplied", c_int), ("spot_color", c_float * 4), ("cfa", c_uint32),
    ]  # fmt: skip


class FrameHeader(ctypes.Structure):
    """JxlFrameHeader: how long a frame is shown."""

    _fields_: ClassVar[_Fields] = [
        ("duration", c_uint32), ("timecode", c_uint32), ("name_length", c_uint32), ("is_last", c_int),
        ("have_crop", c_int), ("crop", c_int32 * 2), ("size", c_uint32 * 2),
        ("blend", c_uint32 * 4), ("save_as_reference", c_uint32),
    ]  # fmt: skip


class ColorEncoding(ctypes.Structure):
    """JxlColorEncoding: a color space by numbers."""

    _fields_: ClassVar[_Fields] = [
        ("color_space", c_int), ("white_point", c_int), ("white_point_xy", c_double * 2),
        ("primaries", c_int), ("red_xy", c_double * 2), ("green_xy", c_double * 2), ("blue_xy", c_double * 2),
        ("transfer", c_int), ("gamma", c_double), ("intent", c_int),
    ]  # fmt: skip


class _PixelFormat(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [
        ("channels", c_uint32),
        ("type", c_int),
        ("endianness", c_int),
        ("align", c_size_t),
    ]


class _Cms(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [("pointers", c_void_p * 8)]


def _loaded() -> ctypes.CDLL:
    """Return libjxl with the types of its functions; the module that is linked to it leads to its symbols."""
    library = ctypes.CDLL(_jpegxl.__file__)
    decoder, output = c_void_p, c_void_p
    for name, result, arguments in (
        ("Create", c_void_p, [c_void_p]),
        ("Destroy", None, [decoder]),
        ("SubscribeEvents", c_int, [decoder, c_int]),
        ("SetUnpremultiplyAlpha", c_int, [decoder, c_int]),
        ("SetDecompressBoxes", c_int, [decoder, c_int]),
        ("SetCms", c_int, [decoder, _Cms]),
        ("SetInput", c_int, [decoder, c_char_p, c_size_t]),
        ("CloseInput", None, [decoder]),
        ("ProcessInput", c_int, [decoder]),
        ("GetBasicInfo", c_int, [decoder, POINTER(BasicInfo)]),
        ("GetExtraChannelInfo", c_int, [decoder, c_size_t, POINTER(ExtraChannelInfo)]),
        ("GetColorAsEncodedProfile", c_int, [decoder, c_int, POINTER(ColorEncoding)]),
        ("GetICCProfileSize", c_int, [decoder, c_int, POINTER(c_size_t)]),
        ("GetColorAsICCProfile", c_int, [decoder, c_int, c_char_p, c_size_t]),
        ("SetOutputColorProfile", c_int, [decoder, POINTER(ColorEncoding), c_char_p, c_size_t]),
        ("GetFrameHeader", c_int, [decoder, POINTER(FrameHeader)]),
        ("SetImageOutBuffer", c_int, [decoder, POINTER(_PixelFormat), output, c_size_t]),
        ("SetExtraChannelBuffer", c_int, [decoder, POINTER(_PixelFormat), output, c_size_t, c_uint32]),
        ("FlushImage", c_int, [decoder]),
        ("GetBoxType", c_int, [decoder, c_char_p, c_int]),
        ("SetBoxBuffer", c_int, [decoder, output, c_size_t]),
        ("ReleaseBoxBuffer", c_size_t, [decoder]),
    ):
        function = getattr(library, f"JxlDecoder{name}")
        function.restype, function.argtypes = result, arguments
    library.JxlGetDefaultCms.restype, library.JxlGetDefaultCms.argtypes = POINTER(_Cms), []
    return library


_LIBRARY = _loaded()


class Decoder:
    """The decoding of one file, step by step, on one core."""

    def __init__(self, data: bytes, events: int) -> None:
        """Prepare to decode *data*, stopping at *events*. Raises MemoryError."""
        self._handle = _LIBRARY.JxlDecoderCreate(None)
        if not self._handle:
            raise MemoryError
        weakref.finalize(self, _LIBRARY.JxlDecoderDestroy, self._handle)
        self._data = data  # is not copied
        self._output: list[Samples] = []  # likewise
        self._call("SubscribeEvents", events)
        self._call("SetUnpremultiplyAlpha", 1)
        self._call("SetCms", _LIBRARY.JxlGetDefaultCms().contents)
        self._call("SetInput", data, len(data))

    def step(self) -> int:
        """Decode up to the next event and return it: SUCCESS at the end. Raises OSError if the file is broken."""
        status: int = _LIBRARY.JxlDecoderProcessInput(self._handle)
        if status == _ERROR:
            raise OSError("the code stream cannot be decoded")
        return status

    def basic_info(self) -> BasicInfo:
        """Return what is known from BASIC_INFO on; the extents are those of the upright image."""
        info = BasicInfo()
        self._call("GetBasicInfo", byref(info))
        return info

    def channel(self, kind: int) -> int | None:
        """Return the index of the first extra channel of a *kind*."""
        info = ExtraChannelInfo()
        for index in range(self.basic_info().extra_channels):
            self._call("GetExtraChannelInfo", index, byref(info))
            if info.type == kind:
                return index
        return None

    def encoding(self) -> ColorEncoding | None:
        """Return the color space of the file at COLOR_ENCODING, None if it has a profile instead."""
        encoding = ColorEncoding()
        status = _LIBRARY.JxlDecoderGetColorAsEncodedProfile(self._handle, _ORIGINAL, byref(encoding))
        return encoding if status == SUCCESS else None

    def profile(self) -> bytes:
        """Return the ICC profile of the file, or one made from its color space, at COLOR_ENCODING; or b""."""
        size = c_size_t()
        if _LIBRARY.JxlDecoderGetICCProfileSize(self._handle, _ORIGINAL, byref(size)) != SUCCESS:
            return b""
        buffer = ctypes.create_string_buffer(size.value)
        self._call("GetColorAsICCProfile", _ORIGINAL, buffer, size)
        return buffer.raw

    def convert(self, color_space: int, primaries: int, transfer: int) -> bool:
        """Let the pixels become a color space with the white point D65; may be called at COLOR_ENCODING.

        Returns whether it is possible. Has no effect if the file uses its original profile.
        """
        wanted = ColorEncoding(color_space, D65, primaries=primaries, transfer=transfer, intent=_RELATIVE)
        status = _LIBRARY.JxlDecoderSetOutputColorProfile(self._handle, byref(wanted), None, 0)
        return bool(status == SUCCESS)

    def frame_header(self) -> FrameHeader:
        """Return the header of the frame, at FRAME."""
        header = FrameHeader()
        self._call("GetFrameHeader", byref(header))
        return header

    def decode_into(self, pixels: Samples, extra: Samples | None = None, index: int = 0) -> None:
        """Have a frame decoded into *pixels*, and the extra channel *index* into *extra*, at NEED_PIXELS."""
        self._output = [pixels]
        layout = _PixelFormat(pixels.shape[2], _TYPES[pixels.dtype])
        self._call("SetImageOutBuffer", byref(layout), pixels.ctypes.data, pixels.nbytes)
        if extra is not None:
            self._output.append(extra)
            layout = _PixelFormat(1, _TYPES[extra.dtype])
            self._call("SetExtraChannelBuffer", byref(layout), extra.ctypes.data, extra.nbytes, index)

    def flush(self) -> bool:
        """Complete the pixels of a frame that is cut off by what is known of them, at NEED_MORE_INPUT."""
        return bool(_LIBRARY.JxlDecoderFlushImage(self._handle) == SUCCESS)

    def find_box(self, kind: bytes, limit: int) -> bytes:
        """Return the first box of a *kind*, decompressed, or b"" if there is none of up to *limit* bytes."""
        self._call("SetDecompressBoxes", 1)
        _LIBRARY.JxlDecoderCloseInput(self._handle)
        name, buffer = ctypes.create_string_buffer(4), np.empty(limit, np.uint8)
        for _ in range(_MAX_BOXES):
            if self.step() != BOX:
                break
            self._call("GetBoxType", name, 1)
            if name.raw == kind:
                self._call("SetBoxBuffer", buffer.ctypes.data, limit)
                at_end = self.step() in (SUCCESS, BOX)
                left = _LIBRARY.JxlDecoderReleaseBoxBuffer(self._handle)
                return buffer[: limit - left].tobytes() if at_end else b""
        return b""

    def _call(self, name: str, *arguments: Any) -> None:
        if getattr(_LIBRARY, f"JxlDecoder{name}")(self._handle, *arguments) != SUCCESS:
            raise OSError(f"libjxl refused {name}")
