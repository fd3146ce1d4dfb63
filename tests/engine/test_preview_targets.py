"""The options that previews use."""

from collections.abc import Callable

import pytest
from PIL import Image

from imageconverter.engine import OutputType
from imageconverter.engine.geometry import Size
from tests.testing import drawings, image_files
from tests.testing.image_assertions import converted, is_upright, opened, result, results, target


@pytest.mark.parametrize(
    ("make", "output"),
    [
        (image_files.jpeg, "jpeg"),
        (image_files.transparent_png, "png"),
        (lambda: image_files.png(image=drawings.photo().convert("RGBA")), "jpeg"),
        (lambda: image_files.transparent_png(kind="color key"), "png"),
        (image_files.gif, "jpeg"),
        (image_files.animated_gif, "jpeg"),
    ],
)
def test_auto_is_png_if_the_image_is_transparent(make: Callable[[], bytes], output: OutputType) -> None:
    """Not if it only has an alpha channel."""
    made = result(make(), 40, output="auto", animation=False)

    assert made.output == output
    assert opened(made.data).format == output.upper()


def test_an_image_may_be_left_as_it_is_stored() -> None:
    """Beside others that are turned."""
    data = image_files.jpeg(image=drawings.corners((120, 80)), orientation=6)
    made = results(data, target(60), target(60, auto_rotate=False), target(30), target(30, auto_rotate=False))
    upright, stored, small_upright, small_stored = (opened(each.data) for each in made)

    assert upright.size == (60, 40)
    assert stored.size == (40, 60)
    assert is_upright(upright)
    assert is_upright(small_upright)
    assert not is_upright(stored)
    assert is_upright(stored.transpose(Image.Transpose.ROTATE_270))
    assert is_upright(small_stored.transpose(Image.Transpose.ROTATE_270))


@pytest.mark.parametrize(
    ("box", "size"),
    [((60, None), (60, 40)), ((None, 20), (30, 20)), ((None, None), (120, 80)), ((500, None), (120, 80))],
)
def test_a_side_of_the_box_may_be_free(box: tuple[int | None, int | None], size: Size) -> None:
    """The other one decides, or none."""
    made = result(image_files.jpeg(size=(120, 80)), max_width=box[0], max_height=box[1])

    assert made.size == size


def test_a_crop_may_be_filled_up() -> None:
    """With the background, on all sides."""
    made = converted(image_files.png(image=drawings.photo((30, 50))), 40, fit="crop", fill=True, background="#00ff00")

    assert made.size == (40, 40)
    assert made.getpixel((2, 20)) == made.getpixel((37, 20)) == (0, 255, 0)
    assert made.crop((5, 0, 35, 40)).tobytes() == drawings.photo((30, 50)).crop((0, 5, 30, 45)).tobytes()


def test_a_line_stays_visible() -> None:
    """Where a least side says so."""
    data = image_files.png(image=Image.new("RGB", (2000, 4)))

    assert result(data, 100).size == (100, 1)
    assert result(data, 100, least_side=3).size == (100, 3)


@pytest.mark.parametrize("output", ["jpeg", "png", "gif"])
def test_a_comment_is_written_into_the_file(output: OutputType) -> None:
    """And nothing if there is none."""
    made, plain = (opened(result(image_files.jpeg(), output=output, comment=each).data) for each in ("OX_IC", ""))

    assert made.info.get("comment", made.info.get("Comment")) in (b"OX_IC", "OX_IC")
    assert not {"comment", "Comment"} & plain.info.keys()
