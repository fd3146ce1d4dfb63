"""JPEG files that are cut off or damaged: what is there is converted, and what is missing is said."""

import io
import re
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import Converted, Limits, probe
from imageconverter.engine.jpeg_losses import cut_points
from imageconverter.errors import Undecodable, Unsupported
from tests.testing.drawings import photo
from tests.testing.image_assertions import difference, opened, outcomes, results, target

_SIZE = (320, 320)
_BANDS = 20  # of 16 rows: one MCU each with 4:2:0
_END = b"\xff\xd9"
_REFUSING = Limits(truncated=False)


def _jpeg(**options: Any) -> bytes:
    file = io.BytesIO()
    photo(_SIZE).save(file, "JPEG", **{"quality": 85, "subsampling": "4:2:0", "restart_marker_rows": 1, **options})
    return file.getvalue()


def _cut_in_band(number: int) -> bytes:
    """Cut a JPEG with a restart marker after each band of rows in the middle of one of them, counted from 0."""
    data = _jpeg()
    ends = [marker.start() for marker in re.finditer(rb"\xff[\xd0-\xd7\xd9]", data)][-_BANDS:]
    return data[: (ends[number - 1] + 2 + ends[number]) // 2]


@pytest.mark.parametrize("band", [10, 14, 18])
def test_a_jpeg_that_is_cut_off_is_converted_as_far_as_it_goes(band: int) -> None:
    """The rows before are those of the whole image, at every scale; the share is that of the bands not begun."""
    whole = results(_jpeg(), target(320), target(40))
    cut = results(_cut_in_band(band), target(320), target(40))

    for before, after in zip(whole, cut, strict=True):
        assert (
            after.warning == f"The file is cut off: {round(100 * (19 - band) / _BANDS)} % of the image are missing."
        )
        there = (0, 0, after.size[0], after.size[1] * (band - 1) // _BANDS)
        assert difference(opened(before.data).crop(there), opened(after.data).crop(there)) < 1


@pytest.mark.parametrize("band", [1, 4, 7])
def test_a_jpeg_of_which_less_than_half_is_there_is_broken(band: int) -> None:
    """The band in which it is cut off counts as there, and one more is not counted so exactly."""
    with pytest.raises(Undecodable, match=f"it is cut off after {100 * (band + 1) // _BANDS}% of the image"):
        outcomes(_cut_in_band(band), target())


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"subsampling": "4:4:4"}, *({"quality": quality} for quality in range(20, 40))],
)
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_end_marker_is_complete(options: dict[str, Any], missing: int) -> None:
    """But a client is to know that the file is not what it was."""
    whole, cut = results(_jpeg(**options), target(320)), results(_jpeg(**options)[:-missing], target(320))

    assert cut[0].warning == "The file is cut off: its end is missing, but 0 % of the image."
    assert cut[0].data == whole[0].data


def test_zeros_in_place_of_data_count_as_missing() -> None:
    """As downloads leave them behind that reserved the space."""
    cut = _cut_in_band(14)

    assert results(cut + bytes(10_000), target())[0].warning == results(cut, target())[0].warning


def test_a_progressive_jpeg_says_how_much_detail_is_missing() -> None:
    """All rows are there from its first scan on."""
    data = _jpeg(progressive=True, restart_marker_rows=0)
    shares = []
    for kept in (0.3, 0.6, 0.9):
        made = results(data[: int(len(data) * kept)], target(320))[0]
        found = re.fullmatch(r"The file is cut off: (\d+) % of the image's detail is missing\.", made.warning)
        assert found, made.warning
        shares.append(int(found[1]))
        assert difference(opened(made.data), photo(_SIZE)) < 8

    assert shares == sorted(shares, reverse=True)
    first_scan = cut_points(data)[0]
    with pytest.raises(Undecodable, match="cut off after"):
        outcomes(data[: first_scan // 2 + data.index(b"\xff\xda") // 2], target())


def test_a_progressive_jpeg_is_measured_by_the_scans() -> None:
    """All scans but the last, which refines 63 of 64 coefficients of 4 of 6 blocks by the second half of 2 bits."""
    data = _jpeg(progressive=True, restart_marker_rows=0)
    last = cut_points(data)[-2]  # before the tables of the last scan

    made = results(data[:last], target(320))[0]

    share = 63 / 64 * 4 / 6 / 3  # Al is 2 at first
    assert f"{round(100 * share)} % of the image's detail" in made.warning


@pytest.mark.parametrize("bogus", [b"\xff\xc4\xff\xff", b"\xff\xc4\0\5\xff\xff", b"\xff\xda\0\2"])
def test_a_broken_segment_among_the_pixels_costs_what_follows(bogus: bytes) -> None:
    """Tables that are none, and a scan of nothing: the decoder stops there, but the rows before are converted."""
    data = _jpeg(restart_marker_rows=0)
    at = len(data) * 8 // 10

    made = results(data[:at] + bogus + data[at + len(bogus) :], target(320))[0]

    assert re.search(r"cut off: (1\d|2\d) % of the image are missing", made.warning)


def test_damage_in_the_middle_is_decoded_as_well_as_it_goes() -> None:
    """As every reader does, without a warning: which pixels are wrong is not known."""
    data = bytearray(_jpeg())
    at = len(data) // 2
    data[at : at + 40] = bytes(40)

    assert results(bytes(data), target())[0].warning == ""


def test_garbage_after_the_end_is_not_looked_at() -> None:
    """Whatever it is."""
    assert results(_jpeg() + b"\xff\xd8\xff\xe0garbage" * 100, target())[0].warning == ""


@pytest.mark.parametrize("data", [_cut_in_band(15), _jpeg()[:-2], _jpeg(progressive=True)[:-500]])
def test_an_operator_may_refuse_what_is_cut_off(data: bytes) -> None:
    """Even if only the end marker is missing."""
    with pytest.raises(Undecodable, match="broken: it"):
        outcomes(data, target(), limits=_REFUSING)


@pytest.mark.parametrize(
    "segment", [b"\xff\xe0\0\7JFIF\0", b"\xff\xee\0\7Adobe", b"\xff\xed\0\x12Photoshop 3.0\0\x38\x42"]
)
def test_a_broken_application_segment_costs_nothing(segment: bytes) -> None:
    """It does not matter for the pixels."""
    data = _jpeg()

    assert results(data[:2] + segment + data[2:], target())[0].data == results(data, target())[0].data


@pytest.mark.parametrize("levels", [12, 16, 10, 8])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_deep_and_lossless_files_are_decoded(levels: int, mode: str) -> None:
    """12 bits with losses, and 2 to 16 without; white stays white."""
    image = photo(_SIZE).convert(mode)
    largest = (1 << levels) - 1
    pixels = (np.asarray(image).astype(float) * largest / 255).round().astype(np.uint16 if levels > 8 else np.uint8)
    data = bytes(imagecodecs.jpeg8_encode(pixels, level=95, lossless=levels != 12, bitspersample=levels))

    for made in results(data, target(320), target(40)):
        assert made.warning == ""
        assert difference(opened(made.data), image.resize(made.size, Image.Resampling.LANCZOS)) < 2
    assert results(data[:-2], target(320))[0].warning.startswith("The file is cut off: its end")
    assert "% of the image are missing" in results(data[: len(data) * 7 // 10], target(320))[0].warning


def _with_frame(kind: int, depth: int = 8, channels: int = 3, height: int = 320) -> bytes:
    """Replace the frame's marker, depth, height and number of channels."""
    data = bytearray(_jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4], data[at + 9] = kind, depth, channels
    data[at + 5 : at + 7] = height.to_bytes(2, "big")
    if channels == 2:
        data[at + 3] -= 3
        del data[at + 16 : at + 19]
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (_with_frame(0xC5), "hierarchical JPEG"),
        (_with_frame(0xCF), "hierarchical JPEG"),
        (_with_frame(0xF7), "JPEG-LS"),
        (_with_frame(0xCB), "lossless JPEG with arithmetic coding"),
        (_with_frame(0xC1, depth=10), "10-bit JPEG"),
        (_with_frame(0xC0, channels=2), "JPEG of 2 channels"),
        (_with_frame(0xC0, height=0), "JPEG with its height after the pixels"),
    ],
)
def test_a_variant_that_is_not_decoded_is_refused_by_its_header(data: bytes, name: str) -> None:
    """With its name: the gateway says so at the upload."""
    with pytest.raises(Unsupported, match=f"not supported: {name}"):
        probe(data, Limits())


def test_what_is_converted_in_the_sandbox_says_so() -> None:
    """The confined process needs nothing that it may not have."""
    assert all(isinstance(each, Converted) for each in outcomes(_jpeg()[:-9], target()))
