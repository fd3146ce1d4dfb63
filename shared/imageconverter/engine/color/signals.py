"""Which of a file's statements on its colors counts.

In a PNG, cICP comes before iCCP, then sRGB, then gAMA with cHRM (PNG, third edition, section 12.8); elsewhere an ICC
profile comes before the numbers of ITU-T H.273 (ISO/IEC 23000-22). Without any, colors are those of sRGB.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from PIL import Image

from imageconverter.engine.color import management, primaries, transfer
from imageconverter.engine.color.bmp_colors import read_bmp
from imageconverter.engine.color.depth import eight_bit_mode
from imageconverter.engine.color.gif_profile import read_gif
from imageconverter.engine.color.isobmff_colors import read_isobmff
from imageconverter.engine.color.png_colors import read_png
from imageconverter.engine.color.profile import build_profile
from imageconverter.engine.color.statements import CodePoints, Statements, UnusableError
from imageconverter.engine.color.tone_mapping import DEFAULT_PEAK, HighDynamicRange
from imageconverter.engine.decoder_errors import ignore_decoder_errors

_READERS: dict[str, Callable[[IO[bytes]], Statements]] = {
    "PNG": read_png,
    "GIF": read_gif,
    "BMP": read_bmp,
    "AVIF": read_isobmff,
    "HEIC": read_isobmff,
}
_UNSPECIFIED = 2
_BT709, _SRGB = 1, 13
_VIDEO = ("AVIF", "HEIC")
# What PNG recommends to write for sRGB, and how much libpng and browsers neglect in a gamma alone.
_SRGB_GAMMA, _NEGLIGIBLE_GAMMA = 1 / 2.2, 0.05
_NEAR_GAMMA, _NEAR_CHROMATICITY = 0.005, 0.001
_GAMMAS = (0.1, 10)


@dataclass(frozen=True)
class SourceColor:
    """The color space of a source; without a value, colors need no conversion."""

    profile: bytes = b""
    """An ICC profile."""
    high_dynamic_range: HighDynamicRange | None = None


def read_color(source: IO[bytes], image: Image.Image, file_type: str) -> SourceColor:
    """Return the color space of the *image* that was opened from *source* as one of the type named *file_type*.

    What cannot be used does not count; `image.info["warnings"]` says so. If a decoder has dealt with the colors
    itself, `image.info["source_color"]` is what is left to do.
    """
    mode = eight_bit_mode(image.mode)
    left = image.info.get("source_color")
    if isinstance(left, SourceColor):
        return left if not left.profile or management.check(left.profile, mode) else SourceColor()
    statements = _read(source, image, file_type)
    for interpret in _in_order(statements, file_type):
        try:
            found = interpret()
            if found is not None and found.profile and not management.check(found.profile, mode):
                return SourceColor()
        except UnusableError as error:
            image.info.setdefault("warnings", []).append(f"The color profile cannot be used; {error}.")
        else:
            if found is not None:
                return found
    return SourceColor()


def _read(source: IO[bytes], image: Image.Image, file_type: str) -> Statements:
    """Read what *source* says, and what its decoder found."""
    statements, position = Statements(), source.tell()
    if file_type in _READERS:
        with ignore_decoder_errors():  # a broken statement does not count
            statements = _READERS[file_type](source)
        source.seek(position)
    profile, code_points = image.info.get("icc_profile"), image.info.get("cicp")
    if isinstance(profile, bytes) and profile:
        statements = replace(statements, icc_profile=profile)
    if code_points is not None and statements.code_points is None:
        statements = replace(statements, code_points=CodePoints(*code_points))
    return statements


def _in_order(statements: Statements, file_type: str) -> Iterator[Callable[[], SourceColor | None]]:
    """Yield how to interpret the statements, those that count first."""
    is_png = file_type == "PNG"
    by_numbers, by_profile = (lambda: _by_numbers(statements, file_type)), (lambda: _by_profile(statements))
    yield from (by_numbers, by_profile) if is_png else (by_profile, by_numbers)
    if statements.is_srgb:
        yield SourceColor
    yield lambda: _by_gamma(statements)


def _by_profile(statements: Statements) -> SourceColor | None:
    if not statements.icc_profile:
        return None
    numbers = management.code_points(statements.icc_profile)
    if numbers is not None and numbers.transfer in (transfer.PQ, transfer.HLG):
        return _high_dynamic_range(numbers, statements.peak)
    return SourceColor(statements.icc_profile)


def _by_numbers(statements: Statements, file_type: str) -> SourceColor | None:
    numbers = statements.code_points
    if numbers is None or (numbers.primaries, numbers.transfer) == (_UNSPECIFIED, _UNSPECIFIED):
        return None
    if file_type == "PNG":
        _check_png(numbers)
    numbers = _completed(numbers, is_video=file_type in _VIDEO)
    if numbers.transfer in (transfer.PQ, transfer.HLG):
        return _high_dynamic_range(numbers, statements.peak)
    if numbers.transfer not in transfer.H273:
        raise UnusableError(f"transfer characteristics {numbers.transfer} are not supported")
    return _described(_primaries(numbers), transfer.H273[numbers.transfer])


def _check_png(numbers: CodePoints) -> None:
    """Raise UnusableError for what browsers ignore in the chunk cICP."""
    if _UNSPECIFIED in (numbers.primaries, numbers.transfer):
        raise UnusableError("it leaves the color space open")
    if numbers.matrix != 0 or numbers.full_range != 1:
        raise UnusableError("a PNG has RGB of full range only")


def _completed(numbers: CodePoints, *, is_video: bool) -> CodePoints:
    """Take what is open for sRGB, and in AVIF and HEIC the curves of video cameras too, as browsers do."""
    means_srgb = (_UNSPECIFIED, *transfer.CAMERAS) if is_video else (_UNSPECIFIED,)
    return numbers._replace(
        primaries=_BT709 if numbers.primaries == _UNSPECIFIED else numbers.primaries,
        transfer=_SRGB if numbers.transfer in means_srgb else numbers.transfer,
    )


def _primaries(numbers: CodePoints) -> primaries.Primaries:
    if numbers.primaries not in primaries.H273:
        raise UnusableError(f"color primaries {numbers.primaries} are not supported")
    return primaries.H273[numbers.primaries]


def _high_dynamic_range(numbers: CodePoints, peak: float) -> SourceColor:
    return SourceColor(
        high_dynamic_range=HighDynamicRange(numbers.transfer, _primaries(numbers), peak or DEFAULT_PEAK)
    )


def _by_gamma(statements: Statements) -> SourceColor | None:
    """Interpret gamma, with primaries if there are any; primaries alone do not count, as in browsers."""
    gamma, found = statements.gamma, statements.primaries
    if not gamma:
        return None
    if not _GAMMAS[0] <= gamma <= _GAMMAS[1]:
        raise UnusableError(f"a gamma of {gamma:g} is not supported")
    distance = abs(gamma / _SRGB_GAMMA - 1)
    if distance < _NEGLIGIBLE_GAMMA if found is None else distance < _NEAR_GAMMA and _is_near_srgb(found):
        return SourceColor()
    return _described(found or primaries.BT709, transfer.Curve(1 / gamma))


def _is_near_srgb(found: primaries.Primaries) -> bool:
    pairs = zip(_flat(found), _flat(primaries.BT709), strict=True)
    return all(abs(one - other) <= _NEAR_CHROMATICITY for one, other in pairs)


def _flat(found: primaries.Primaries) -> list[float]:
    return [*found.red, *found.green, *found.blue, *found.white]


def _described(found: primaries.Primaries, curve: transfer.Curve) -> SourceColor:
    if found == primaries.BT709 and curve == transfer.SRGB:
        return SourceColor()
    try:
        return SourceColor(build_profile(found, curve))
    except ValueError as error:
        raise UnusableError(str(error)) from None
