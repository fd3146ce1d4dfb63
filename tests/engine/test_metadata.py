"""Metadata of images: groups and names, and their independence of the file type."""

from typing import Any

import pytest

from imageconverter.engine.metadata import names
from tests.testing import image_files
from tests.testing.exif_files import LONG, RATIONAL, SHORT, Order, block, exif_of, holding, numbers, raw, read, text


def test_every_group_has_the_names_of_the_original() -> None:
    """Clients look up entries by name, so that names must be unique in a group."""
    assert {group: len(known) for group, known in names.GROUPS.items()} == {
        "Header": 3,
        "File": 3,
        "Exif": 155,
        "GPS": 31,
        "Thumbnail": 2,
    }
    assert all(len(set(known.values())) == len(known) for known in names.GROUPS.values())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_metadata_is_read_from_every_file_type(kind: str) -> None:
    """All five groups."""
    exif = block(
        [text(0x010F, "Canon"), numbers(0x011A, RATIONAL, 72, 1)],
        sub=[numbers(0x829A, RATIONAL, 1, 125)],
        gps=[text(0x01, "N")],
        thumbnail=[numbers(0x0201, LONG, 300), numbers(0x0202, LONG, 0)],
    )
    data = holding(exif, kind, (16, 12))
    name = {"HEIF": "heic"}.get(kind, kind.lower())

    metadata = read(data)

    assert metadata["Exif"]["Make"] == {"id": 0x010F, "value": "Canon", "description": "Canon"}
    assert metadata["Exif"]["Exposure Time"] == {"id": 0x829A, "value": 0.008, "description": "1/125 sec"}
    assert metadata["GPS"]["GPS Latitude Ref"] == {"id": 0x01, "value": "N", "description": "N"}
    assert metadata["File"] == {
        "File Size": {"id": 0x0002, "value": len(data), "description": f"{len(data)} bytes"},
    }
    assert metadata["Header"] == {
        "Header Pixel Width": {"id": 0x9001, "value": 16, "description": "16 pixels"},
        "Header Pixel Height": {"id": 0x9002, "value": 12, "description": "12 pixels"},
        "Header Format Name": {"id": 0x9010, "value": name, "description": name},
    }
    if kind != "TIFF":  # there the next directory is the next page
        assert metadata["Thumbnail"]["Thumbnail Offset"] == {"id": 0x0201, "value": 300, "description": "300 bytes"}


def test_an_image_without_metadata_has_a_header_and_a_size() -> None:
    """Groups without entries are omitted."""
    assert set(read(image_files.png())) == {"Header", "File"}
    assert set(read(image_files.gif())) == {"Header", "File"}


@pytest.mark.parametrize("make", image_files.SOURCES.values(), ids=image_files.SOURCES.keys())
def test_every_source_has_a_header(make: Any) -> None:
    """With its extents."""
    assert read(make())["Header"]["Header Pixel Width"]["value"] > 0


@pytest.mark.parametrize(("orientation", "expected"), [(3, (96, 64)), (6, (64, 96)), (8, (64, 96))])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "AVIF", "TIFF"])
def test_the_header_has_the_extents_as_stored(kind: str, orientation: int, expected: tuple[int, int]) -> None:
    """They are before the orientation, which the client receives too; `drawings.SIZE` is after it."""
    make = {"PNG": image_files.png, "WebP": image_files.webp, "AVIF": image_files.avif, "TIFF": image_files.tiff}

    metadata = read(make.get(kind, image_files.jpeg)(orientation=orientation))

    header = metadata["Header"]
    assert metadata["Exif"]["Orientation"]["value"] == orientation
    assert (header["Header Pixel Width"]["value"], header["Header Pixel Height"]["value"]) == expected


def test_the_orientation_of_a_heic_is_the_stored_one() -> None:
    """Its decoder applies the orientation and resets the tag."""
    metadata = read(holding(block([numbers(0x0112, SHORT, 6)]), "HEIF", (96, 64)))

    assert metadata["Exif"]["Orientation"]["value"] == 6
    assert metadata["Header"]["Header Pixel Width"]["value"] == 96


def test_both_byte_orders_are_read() -> None:
    """With the same result."""
    orders: tuple[tuple[Order, str], ...] = (("<", "utf-16-le"), (">", "utf-16-be"))
    little, big = (
        block(
            [text(0x0110, "EOS"), numbers(0x0112, SHORT, 1, order=order)],
            sub=[numbers(0x829D, RATIONAL, 28, 10, order=order), raw(0x9286, b"UNICODE\0" + "Größe".encode(codec))],
            order=order,
        )
        for order, codec in orders
    )

    exif = read(holding(little))["Exif"]

    assert exif == read(holding(big))["Exif"]
    assert exif["User Comment"]["value"] == "Größe"


def test_all_directories_of_a_camera_are_one_group() -> None:
    """The main, the EXIF and the interoperability directory; entries are in the order of their tags."""
    exif = exif_of(
        numbers(0x8827, SHORT, 400),
        main=[text(0x8298, "A. Person")],
        interop=[text(0x0001, "R98"), raw(0x0002, b"0100")],
    )

    assert exif == {
        "Interoperability Index": ("R98", "Recommended Exif Interoperability Rules (ExifR98)"),
        "Interoperability Version": ("0100", "1.00"),
        "Copyright": ("A. Person", "A. Person"),
        "ISO Speed Ratings": (400, "400"),
    }


def test_exif_in_a_text_chunk_of_a_png_is_read() -> None:
    """ImageMagick used one before PNG had a chunk for EXIF."""
    exif = b"Exif\0\0" + block([text(0x0131, "ImageMagick")])
    profile = f"\nexif\n{len(exif):8}\n{exif.hex()}\n"
    chunk = b"Raw profile type exif\0" + profile.encode()

    metadata = read(image_files.raw_png((1, 1), 8, 0, [b"\0"], (b"tEXt", chunk)))

    assert metadata["Exif"]["Software"]["value"] == "ImageMagick"
