"""What decoders and encoders raise for broken files, and what they must never hide: a refused system call."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

# What Pillow's decoders raise for broken files, besides OSError and its subclasses.
DECODER_ERRORS = (
    OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError, AssertionError,
    EOFError, OverflowError, ZeroDivisionError, NotImplementedError, RuntimeError, BufferError, SystemError,
    struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


def raise_refusal(error: BaseException) -> None:
    """Raise the PermissionError that *error* is or was caused by, if there is one.

    The engine works on bytes: if the kernel refuses it a system call, the sandbox is at fault, never the file.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PermissionError):
            raise cause
        cause = cause.__cause__ or cause.__context__


@contextmanager
def ignore_decoder_errors(*more: type[Exception]) -> Iterator[None]:
    """Suppress what a decoder raises for a broken part of a file, and *more*, but not a refused system call."""
    ignored: tuple[type[Exception], ...] = (*DECODER_ERRORS, *more)
    try:
        yield
    except ignored as error:
        raise_refusal(error)
