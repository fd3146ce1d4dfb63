"""The recipes for image formats make what docs/formats-cookbook.md says and shows."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from imageconverter.images.formats_file import parse_formats
from tests.documents.cookbook import DOCUMENT, IMAGES, Example, examples, recipes
from tests.documents.cookbook_sources import SOURCES

TEXT = DOCUMENT.read_text(encoding="utf-8")
EXAMPLES = {each.name: each for each in examples(TEXT)}

# Type, width and height, frames.
EXPECTED = {
    "squareProduct-coffee": ("JPEG", (160, 160), 1),
    "detailProduct-coffee": ("JPEG", (160, 160), 1),
    "salientProduct-coffee": ("JPEG", (160, 160), 1),
    "paddedProduct-coffee": ("JPEG", (200, 200), 1),
    "paddedProduct-lamp": ("JPEG", (200, 200), 1),
    "logoJpeg-logo": ("JPEG", (240, 107), 1),
    "mediumJpeg-coffee": ("JPEG", (300, 200), 1),
    "mediumWebp-coffee": ("WEBP", (300, 200), 1),
    "mediumAvif-coffee": ("AVIF", (300, 200), 1),
    "autoProduct-coffee": ("JPEG", (200, 133), 1),
    "autoProduct-logo": ("PNG", (200, 89), 1),
    "mailProduct-coffee": ("JPEG", (320, 213), 1),
    "pageProduct-200w-coffee": ("WEBP", (200, 133), 1),
    "pageProduct-400w-coffee": ("WEBP", (400, 267), 1),
    "pageProduct-800w-coffee": ("WEBP", (600, 400), 1),
    "animatedProduct-turn": ("WEBP", (120, 80), 8),
    "stillProduct-turn": ("JPEG", (120, 80), 1),
    "iconApp-icon": ("PNG", (48, 48), 1),
    "largeIconApp-icon": ("PNG", (128, 128), 1),
    "paddedIconApp-icon": ("JPEG", (128, 128), 1),
    "keptCategory-coffee": ("JPEG", (120, 80), 1),
    "keptCategory-logo": ("PNG", (120, 53), 1),
    "keptCategory-layers": ("PNG", (120, 75), 1),
    "screenApp-screenshot": ("PNG", (560, 312), 1),
    "screenWebpApp-screenshot": ("WEBP", (560, 312), 1),
    "tileProduct-lamp": ("WEBP", (90, 120), 1),
    "tileProduct2x-lamp": ("WEBP", (180, 240), 1),
    "bannerCategory-coffee": ("WEBP", (480, 160), 1),
    "zoomProduct-lamp": ("JPEG", (1125, 1500), 1),
    "printProduct-lamp": ("JPEG", (753, 1004), 1),
    "archiveProduct-layers": ("PNG", (160, 100), 1),
    "archiveProduct-inks": ("PNG", (160, 100), 1),
    "archiveProduct-sky": ("PNG", (96, 72), 1),
    "archiveProduct-scan": ("PNG", (96, 64), 1),
    "creditProduct-coffee": ("JPEG", (160, 107), 1),
    "asIsProduct-cup": ("JPEG", (240, 160), 1),
    "anewProduct-cup": ("JPEG", (240, 160), 1),
    "listProduct-lamp": ("PNG", (90, 120), 1),
    "softProduct-coffee": ("JPEG", (160, 107), 1),
    "sharpProduct-coffee": ("JPEG", (160, 107), 1),
    "roundedApp-coffee": ("WEBP", (160, 107), 1),
    "circleApp-coffee": ("JPEG", (120, 120), 1),
    "grayProduct-coffee": ("JPEG", (160, 107), 1),
    "dominantProduct-coffee": ("JPEG", (160, 160), 1),
    "trimmedProduct-lamp": ("PNG", (88, 160), 1),
    "tightProduct-lamp": ("PNG", (160, 160), 1),
    "pressProduct-coffee": ("JPEG", (300, 200), 1),
    "markedProduct-lamp": ("JPEG", (225, 300), 1),
    "markedProduct-coffee": ("JPEG", (300, 200), 1),
    "coveredProduct-lamp": ("JPEG", (225, 300), 1),
    "coveredProduct-coffee": ("JPEG", (300, 200), 1),
    "variedProduct-coffee": ("JPEG", (300, 200), 1),
    "variedProduct-coffee-avif": ("AVIF", (300, 200), 1),
    "variedProduct-coffee-webp": ("WEBP", (300, 200), 1),
}

WARNINGS = {"stillProduct-turn": "Only the first frame of the animation was converted."}


def test_every_recipe_has_an_example() -> None:
    """Their numbers are consecutive, and nothing is expected that is not there."""
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", TEXT, re.MULTILINE)]

    assert numbers == list(range(1, len(recipes(TEXT)) + 1))
    assert len(numbers) >= 27
    assert EXAMPLES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recipe_makes_what_the_document_shows(name: str) -> None:
    """If this fails after a change of the engine or of a recipe, run `make docs` and look at the images."""
    example = EXAMPLES[name]
    result = example.made()
    shown = _opened(example.file.read_bytes())

    assert result.warning == WARNINGS.get(name, "")
    for image in (_opened(result.data), shown):
        assert (image.format, image.size, getattr(image, "n_frames", 1)) == EXPECTED[name]
    assert len(result.data) == pytest.approx(example.file.stat().st_size, rel=0.05)
    assert np.abs(_pixels(_opened(result.data)) - _pixels(shown)).mean() < 1


def test_all_recipes_can_be_used_together() -> None:
    """No id, alias or path is used twice."""
    together = parse_formats("\n".join(recipes(TEXT).values()), "all")

    assert len(together) == len({each.format.id for each in EXAMPLES.values()})
    assert together["content.imageFormat.small"].target_directory == "products/list"


def test_no_image_is_left_over() -> None:
    """Of each folder the document uses every file, and together they stay small."""
    made, sources = (set((IMAGES / name).iterdir()) for name in ("cookbook", "sources"))

    assert made == {each.file for each in EXAMPLES.values()}
    assert {each.name for each in sources} == SOURCES.keys()
    assert sum(each.stat().st_size for each in made | sources) < 800_000
    for each in made:
        assert f'src="images/cookbook/{each.name}"' in TEXT


@pytest.mark.parametrize("name", SOURCES)
def test_sources_are_what_the_code_draws(name: str) -> None:
    """Compared as the engine reads them, because another processor may compress them differently."""
    (example, *_) = [each for each in EXAMPLES.values() if each.source.name == name]
    drawn = example.made_of(SOURCES[name]())

    assert np.abs(_pixels(_opened(drawn.data)) - _pixels(_opened(example.file.read_bytes()))).mean() < 1


def test_a_size_limit_holds() -> None:
    """Recipe 6: at most 10 kB."""
    assert len(EXAMPLES["mailProduct-coffee"].made().data) <= 10_000


def test_newer_types_are_smaller() -> None:
    """Recipe 4: AVIF is smallest."""
    jpeg, webp, avif = (len(EXAMPLES[f"medium{kind}-coffee"].made().data) for kind in ("Jpeg", "Webp", "Avif"))

    assert avif < webp < jpeg


def test_the_srcset_has_the_widths_that_are_made() -> None:
    """Recipe 7: those in the HTML."""
    widths = re.findall(r"page/(\d+w)/coffee\.webp (\d+)w", TEXT)

    assert [int(width) for _, width in widths] == [EXPECTED[f"pageProduct-{each}-coffee"][1][0] for each, _ in widths]
    assert len(widths) == 3


def test_screenshots_lose_nothing() -> None:
    """Recipe 12: every pixel is as in the source."""
    for name in ("screenApp-screenshot", "screenWebpApp-screenshot"):
        assert not (_pixels(_made(EXAMPLES[name])) - _pixels(_source(EXAMPLES[name]))).any()


def test_metadata_go_and_the_comment_comes() -> None:
    """Recipe 18: the source has a camera, an owner and a place."""
    example = EXAMPLES["creditProduct-coffee"]
    made = _made(example)

    assert {0x010F, 0x8298, 0x8825} <= set(_source(example).getexif())
    assert not made.getexif()
    assert made.info["comment"] == b"(c) 2026 Lamps Ltd., all rights reserved"


def test_the_copyright_stays_for_the_press() -> None:
    """Recipe 26: without the camera and the place."""
    made = _made(EXAMPLES["pressProduct-coffee"])

    assert dict(made.getexif()) == {0x8298: "CC0, Rachel Michetti"}
    assert made.info["dpi"] == (300, 300)


def test_coded_data_are_kept_unless_the_recipe_switches_that_off() -> None:
    """Recipe 19: all pixels stay, or are encoded anew; metadata go from both."""
    kept, anew = EXAMPLES["asIsProduct-cup"], EXAMPLES["anewProduct-cup"]

    assert not (_pixels(_made(kept)) - _pixels(_source(kept))).any()
    assert (_pixels(_made(anew)) - _pixels(_source(anew))).any()
    assert _source(kept).getexif()
    assert not _made(kept).getexif()
    assert not _made(anew).getexif()


def test_terms_of_other_programs_have_fields_here() -> None:
    """Each assignment in the last section is valid in an entry that has nothing but the fields that are needed."""
    entry = '[[format]]\nid = "x"\nname = "x"\ntype = "app"\ntargetDirectory = "x"\n'
    assignments = re.findall(r"`(\w+ = [^`]+)`", TEXT.split("## From other programs")[1])

    assert len(assignments) > 10
    for each in assignments:
        fields = {"maxWidth": 300, "maxHeight": 200} if "widths" not in each else {}
        fields.pop(each.split()[0], None)
        parse_formats(entry + "".join(f"{name} = {value}\n" for name, value in fields.items()) + each, each)


def _made(example: Example) -> Image.Image:
    return _opened(example.made().data)


def _source(example: Example) -> Image.Image:
    return _opened(example.source.read_bytes())


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _pixels(image: Image.Image) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    return np.asarray(image.convert("RGBA"), np.int16)
