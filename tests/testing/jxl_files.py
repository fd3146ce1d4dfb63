"""JPEG XL files of all kinds, by the encoder of libjxl: what is put in is what a decoder must deliver."""

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import byref, c_char_p, c_float, c_int, c_size_t, c_uint32, c_void_p
from typing import Any

import numpy as np
from imagecodecs import _jpegxl

from imageconverter.engine.plugins.libjxl import BasicInfo, ColorEncoding, ExtraChannelInfo, FrameHeader

_Pixels = np.ndarray[Any, np.dtype[Any]]
_MORE_OUTPUT, _SUCCESS, _EFFORT = 2, 0, 0
_TYPES = {"uint8": 2, "uint16": 3, "float32": 0}
_CHUNK = 1024 * 1024


class _PixelFormat(ctypes.Structure):
    _fields_ = (("channels", c_uint32), ("type", c_int), ("endianness", c_int), ("align", c_size_t))


def jxl(
    *frames: _Pixels,
    durations: Sequence[int] = (),
    loops: int = 0,
    encoding: Mapping[str, Any] | None = None,
    profile: bytes = b"",
    distance: float | None = None,
    extra: Sequence[tuple[int, _Pixels]] = (),
    boxes: Sequence[tuple[bytes, bytes, bool]] = (),
    container: bool = False,
    **header: Any,
) -> bytes:
    """Encode *frames* of rows, columns and 1 to 4 channels; the second or fourth is alpha.

    *durations* are in milliseconds. *encoding* has fields of `ColorEncoding`; without it and without a *profile* the
    colors are sRGB. With a *distance* the colors become the decoder's own, without it they are kept as they are.
    *extra* are further channels with their type; *boxes* have a name, a content and whether it is to be compressed.
    *header* has fields of `BasicInfo`.
    """
    first = frames[0]
    height, width, channels = first.shape
    has_alpha = channels in (2, 4)
    encoder = _Encoder()
    try:
        info = BasicInfo()
        encoder.call("InitBasicInfo", byref(info), result=False)
        bits = first.dtype.itemsize * 8
        fields = {
            "width": width, "height": height, "bits": bits, "exponent_bits": 8 if first.dtype.kind == "f" else 0,
            "color_channels": channels - has_alpha, "extra_channels": has_alpha + len(extra),
            "alpha_bits": bits if has_alpha else 0, "uses_original_profile": distance is None,
        }  # fmt: skip
        if durations:
            fields |= {"have_animation": 1, "ticks_numerator": 1000, "ticks_denominator": 1, "loops": loops}
        _set(info, fields | header)
        encoder.call("UseContainer", c_int(container or bool(boxes)))
        if boxes:
            encoder.call("UseBoxes")
        encoder.call("SetBasicInfo", byref(info))
        encoder.set_color(encoding, profile, is_gray=channels - has_alpha == 1)
        if has_alpha:
            encoder.declare(0, 0, bits, premultiplied=header.get("alpha_premultiplied", 0))
        for index, (kind, plane) in enumerate(extra, start=int(has_alpha)):
            encoder.declare(index, kind, plane.dtype.itemsize * 8)
        for index, frame in enumerate(frames):
            encoder.add(frame, durations[index] if durations else None, distance, extra, int(has_alpha))
        for name, content, compressed in boxes:
            encoder.call("AddBox", c_char_p(name), c_char_p(content), c_size_t(len(content)), c_int(compressed))
        return encoder.finish()
    finally:
        encoder.call("Destroy", result=False)


class _Encoder:
    """An encoder of libjxl."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(_jpegxl.__file__)
        self._library.JxlEncoderCreate.restype = c_void_p
        self._library.JxlEncoderFrameSettingsCreate.restype = c_void_p
        self._handle = c_void_p(self._library.JxlEncoderCreate(None))

    def call(self, name: str, *arguments: Any, result: bool = True) -> None:
        """Call a function; it must succeed if it has a *result*."""
        handle = () if name.startswith("Init") else (self._handle,)
        status = getattr(self._library, f"JxlEncoder{name}")(*handle, *arguments)
        assert not result or status == _SUCCESS, (
            f"{name} failed with error {self._library.JxlEncoderGetError(*handle)}"
        )

    def set_color(self, encoding: Mapping[str, Any] | None, profile: bytes, *, is_gray: bool) -> None:
        """Say what the colors mean."""
        if profile:
            self.call("SetICCProfile", c_char_p(profile), c_size_t(len(profile)))
            return
        color = ColorEncoding()
        self._library.JxlColorEncodingSetToSRGB(byref(color), c_int(is_gray))
        _set(color, encoding or {})
        self.call("SetColorEncoding", byref(color))

    def declare(self, index: int, kind: int, bits: int, premultiplied: int = 0) -> None:
        """Say what the extra channel *index* is."""
        channel = ExtraChannelInfo()
        self.call("InitExtraChannelInfo", c_int(kind), byref(channel), result=False)
        color = (c_float * 4)(1, 0, 0, 1)
        _set(channel, {"bits": bits, "alpha_premultiplied": premultiplied, "spot_color": color})
        self.call("SetExtraChannelInfo", c_size_t(index), byref(channel))

    def add(
        self,
        frame: _Pixels,
        duration: int | None,
        distance: float | None,
        extra: Sequence[tuple[int, _Pixels]],
        first_extra: int,
    ) -> None:
        """Add a frame with its extra channels."""
        library = self._library
        settings = c_void_p(library.JxlEncoderFrameSettingsCreate(self._handle, None))
        library.JxlEncoderFrameSettingsSetOption(settings, c_int(_EFFORT), ctypes.c_int64(3))
        if distance is None:
            library.JxlEncoderSetFrameLossless(settings, c_int(1))
        else:
            library.JxlEncoderSetFrameDistance(settings, c_float(distance))
        if duration is not None:
            header = FrameHeader()
            library.JxlEncoderInitFrameHeader(byref(header))
            header.duration = duration
            assert library.JxlEncoderSetFrameHeader(settings, byref(header)) == _SUCCESS
        layout = _PixelFormat(frame.shape[2], _TYPES[frame.dtype.name])
        data = frame.tobytes()
        added = library.JxlEncoderAddImageFrame(settings, byref(layout), c_char_p(data), c_size_t(len(data)))
        assert added == _SUCCESS, f"error {library.JxlEncoderGetError(self._handle)}"
        for index, (_, plane) in enumerate(extra, start=first_extra):
            layout, data = _PixelFormat(1, _TYPES[plane.dtype.name]), plane.tobytes()
            added = library.JxlEncoderSetExtraChannelBuffer(
                settings, byref(layout), c_char_p(data), c_size_t(len(data)), c_uint32(index)
            )
            assert added == _SUCCESS

    def finish(self) -> bytes:
        """Return the file."""
        self.call("CloseInput", result=False)
        written, status = b"", _MORE_OUTPUT
        while status == _MORE_OUTPUT:
            buffer = ctypes.create_string_buffer(_CHUNK)
            at, left = c_void_p(ctypes.addressof(buffer)), c_size_t(_CHUNK)
            status = self._library.JxlEncoderProcessOutput(self._handle, byref(at), byref(left))
            written += buffer.raw[: _CHUNK - left.value]
        assert status == _SUCCESS
        return written


def _set(structure: ctypes.Structure, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(structure, name, value)
