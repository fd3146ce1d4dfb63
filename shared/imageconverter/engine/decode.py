"""Opening a source image safely: its own decoder only, limits before pixels, only the scale that is needed."""

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO

from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from imageconverter.engine import decoders, jpeg
from imageconverter.engine.color import SourceColor, read_color
from imageconverter.engine.decoder_errors import DECODER_ERRORS, ignore_decoder_errors, raise_refusal
from imageconverter.engine.geometry import Box, Region, Size
from imageconverter.engine.header import check_extents, check_header
from imageconverter.engine.limits import Limits
from imageconverter.engine.plugins.jpeg2000 import Jpeg2000File
from imageconverter.engine.source_types import SourceType
from imageconverter.errors import ImageTooLarge, Undecodable

_ORIENTATION_TAG = 0x0112
_SIDEWAYS = range(5, 9)
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_XMP = ("xmp", "XML:com.adobe.xmp")  # in the `info` of an image
# A scaled JPEG decode keeps so many times the extent that is needed, because it and the Lanczos step after it both
# blur a little. How much of that is seen depends on the detail, which shows in the bytes that a pixel takes: with
# these reserves photographs of all kinds stay at an SSIM of 0.99 beside a full decode (docs/decisions.md).
_RESERVE, _RESERVE_FOR_DETAIL = 1.25, 1.75
_WAVELET_RESERVE = 2  # likewise of a JPEG 2000, the smaller scales of which alias a little
_MUCH_DETAIL = 0.35  # bytes a pixel
_WHOLE_FILE = 64 * 1024 * 1024
_MAX_MISSING = 0.5  # share of the rows of an image that is cut off


@dataclass(frozen=True)
class ImageInfo:
    """What the header of an image says."""

    format: SourceType
    size: Size
    """Width and height in pixels as a person sees them, that is after the EXIF orientation."""
    orientation: int
    """EXIF orientation, 1 to 8."""
    animated: bool
    """Whether frames follow the first one."""
    density: float = 0.0
    """Bytes of the file for each pixel."""
    color: SourceColor = field(default_factory=SourceColor)
    xmp: bytes = field(default=b"", repr=False)
    """The packet in a JPEG, WebP or AVIF."""

    @property
    def as_stored(self) -> "ImageInfo":
        """The same image without its orientation."""
        return replace(self, size=self.size[::-1] if self.is_sideways else self.size, orientation=1)

    def cropped(self, box: Box) -> "ImageInfo":
        """Return the image that is the *box* of this one as it is stored."""
        width, height = box[2] - box[0], box[3] - box[1]
        return replace(self, size=(height, width) if self.is_sideways else (width, height))

    @property
    def turn(self) -> Image.Transpose | None:
        """How the stored pixels are turned so that they are upright; None if they are so."""
        return _TRANSPOSE.get(self.orientation)

    @property
    def is_sideways(self) -> bool:
        """Whether the stored rows are the columns that a person sees."""
        return self.orientation in _SIDEWAYS


def open_image(source: IO[bytes], limits: Limits) -> tuple[Image.Image, ImageInfo]:
    """Open *source* (seekable) and read its header, no pixels yet. Raises ImageError."""
    found = check_header(source, limits)
    if found.decoder not in decoders.available():
        raise Undecodable(f"{found.name} files cannot be read by this installation.")
    with _decoding(found):
        image: Image.Image = Image.open(source, formats=[found.decoder])
        check_extents(image.size, limits)
        packets = [image.info.pop(key, None) for key in _XMP]  # Pillow would turn a TIFF by it
        if isinstance(image, JpegImageFile):
            jpeg.check_scans(source, image.size, limits)
        animated = _is_animated(image, found)
        orientation = _orientation(image, found)
        color = read_color(source, image, found.name)
    width, height = image.size
    upright = (height, width) if orientation in _SIDEWAYS else (width, height)
    density = source.seek(0, io.SEEK_END) / (width * height)
    xmp = next((packet for packet in packets if isinstance(packet, bytes)), b"")
    return image, ImageInfo(found, upright, orientation, animated, density, color, xmp)


def load(image: Image.Image, info: ImageInfo, *, at_least: Size, truncated: bool = True) -> Region:
    """Decode the pixels, of JPEG and JPEG 2000 at the smallest scale that leaves *at_least* (as stored) to resize.

    Returns the region of the decoded pixels that is the image: at a smaller scale the last column and row
    may be there for a fraction only, and taking them for whole would shift the image. Raises ImageError,
    also if the file is cut off and not to be accepted *truncated*.
    """
    drafted = None
    with _decoding(info.format):
        if isinstance(image, JpegImageFile):
            reserve = _RESERVE if info.density < _MUCH_DETAIL else _RESERVE_FOR_DETAIL
            width, height = (math.ceil(side * reserve) for side in at_least)
            drafted = image.draft(None, (width, height))
            image.decodermaxblock = _WHOLE_FILE  # of bytes at once: it takes up the work less often
        elif isinstance(image, Jpeg2000File):
            drafted = image.draft(None, (_WAVELET_RESERVE * at_least[0], _WAVELET_RESERVE * at_least[1]))
        image.load()
    accepted = _MAX_MISSING + image.info.get("missing_band", 0) if truncated else -1
    if image.info.get("missing", -1) > accepted:
        raise Undecodable(f"The {info.format.name} file is broken: {_what_is_there(image)}.")
    return drafted[1] if drafted else (0, 0, *image.size)


def warnings_of(image: Image.Image) -> list[str]:
    """Return what was lost while *image* was decoded, in sentences."""
    lost = [str(warning) for warning in image.info.get("warnings", ())]
    if missing := image.info.get("missing"):
        lost.insert(0, f"The file is cut off: {_percent(missing)} of the image are missing.")
    elif detail := image.info.get("missing_detail"):
        lost.insert(0, f"The file is cut off: {_percent(detail)} of the image's detail is missing.")
    elif missing is not None:
        lost.insert(0, "The file is cut off: its end is missing, but 0 % of the image.")
    return lost


def _percent(share: float) -> str:
    return f"{max(1, round(100 * share))} %"


def _what_is_there(image: Image.Image) -> str:
    missing = image.info["missing"]
    return f"it is cut off after {1 - missing:.0%} of the image" if missing else "its end is missing"


@contextmanager
def _decoding(found: SourceType) -> Iterator[None]:
    """Turn whatever a decoder raises into a ImageError; its warnings are of no use to anybody."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is normal in hostile files; limits are our own
            yield
    except MemoryError:
        raise ImageTooLarge("The image needs more memory than is allowed.") from None
    except Image.DecompressionBombError:  # Pillow's own, larger limit
        raise ImageTooLarge("The image has too many pixels.") from None
    except UnidentifiedImageError:
        raise Undecodable(f"The {found.name} file is broken.") from None
    except DECODER_ERRORS as error:
        raise_refusal(error)
        raise Undecodable(f"The {found.name} file is broken: {error}") from error


def _orientation(image: Image.Image, found: SourceType) -> int:
    """Return the orientation in the EXIF block, 1 if there is no valid one.

    Pillow's `getexif` takes that of XMP and of a text in a PNG too; browsers and other converters do not.
    """
    block = image.info.get("exif")
    if found.oriented_by_decoder or not isinstance(block, bytes):
        return 1
    with ignore_decoder_errors():  # the image may be valid even if its EXIF is not
        exif = Image.Exif()
        exif.load(block)
        orientation = exif.get(_ORIENTATION_TAG)
        if isinstance(orientation, int) and 1 <= orientation < _SIDEWAYS.stop:
            return orientation
    return 1


def _is_animated(image: Image.Image, found: SourceType) -> bool:
    """Whether there is a second frame; asking for their number would read all of them."""
    with ignore_decoder_errors():
        return found.can_be_animated and bool(getattr(image, "is_animated", False))
    return False
