"""From one source to all of its outputs."""

import random
import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
from PIL import Image

from imageconverter.engine import Converted, Failed, Limits, OutputType, Target, pipeline, steps
from imageconverter.engine.animation import Timing
from imageconverter.engine.decode import load
from imageconverter.engine.encode import encode
from imageconverter.engine.geometry import Region, Size
from imageconverter.engine.steps import Plan
from imageconverter.errors import ImageError, ImageTooLarge, Undecodable
from tests.testing import broken_files, drawings, icc_profiles, image_files
from tests.testing.judging import (
    alpha,
    converted,
    difference,
    is_near,
    is_upright,
    opened,
    outcomes,
    psnr,
    result,
    results,
    target,
)

_OUTPUTS: tuple[OutputType, ...] = get_args(OutputType)
_WHITE = (255, 255, 255)
_LANCZOS = Image.Resampling.LANCZOS

# Sources that show `drawings.photo` in colors that need no more than 8 bits and no conversion.
_PHOTOS = [
    "JPEG",
    "JPEG progressive",
    "JPEG CMYK",
    "JPEG turned",
    "JPEG of several images",
    "PNG",
    "PNG palette",
    "PNG 16-bit RGB",
    "PNG animated",
    "GIF",
    "GIF animated",
    "WebP",
    "WebP animated",
    "AVIF",
    "AVIF animated",
    "BMP",
    "BMP OS/2",
    "TIFF",
    "TIFF LZW",
    "TIFF deflate",
    "TIFF CMYK",
    "TIFF LAB",
    "TIFF of several pages",
]


# --- sources and outputs ------------------------------------------------------------------------
@pytest.mark.parametrize("make", image_files.SOURCES.values(), ids=image_files.SOURCES.keys())
def test_every_source_becomes_every_output(make: Callable[[], bytes]) -> None:
    """Each is what it says it is, of the size that it says."""
    data = make()
    made = results(data, *(target(32, output=output) for output in _OUTPUTS))
    size = made[0].size

    assert [each.output for each in made] == list(_OUTPUTS)
    for each in made:
        image = opened(each.data)
        assert image.format == each.output.upper()
        assert image.size == each.size == size
        assert max(size) == min(32, max(opened(data).size))
        assert each.seconds > 0


@pytest.mark.parametrize("name", _PHOTOS)
def test_every_source_shows_what_it_shows(name: str) -> None:
    """Smaller, but not darker, not inverted, not turned."""
    expected = drawings.photo().resize((48, 32), _LANCZOS)

    assert difference(converted(image_files.SOURCES[name](), 48).convert("RGB"), expected) < 5


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WebP", "AVIF", "TIFF", "BMP"])
def test_keep_keeps_what_browsers_show(name: str) -> None:
    """The others become PNG."""
    kept = result(image_files.SOURCES[name](), output="keep")

    assert kept.output == {"TIFF": "png", "BMP": "png"}.get(name, name.lower())


@pytest.mark.parametrize("kind", ["GIF", "WebP", "PNG", "AVIF"])
def test_an_animation_that_cannot_stay_one_comes_out_with_a_warning(kind: str) -> None:
    """Its first frame is what comes out."""
    moving, still = (result(image_files.SOURCES[name](), 96, animation=False) for name in (f"{kind} animated", kind))

    assert moving.warning == "Only the first frame of the animation was converted."
    assert still.warning == ""
    assert difference(opened(moving.data).convert("RGB"), drawings.photo()) < 5


@pytest.mark.parametrize("output", _OUTPUTS)
def test_gray_stays_grey(output: OutputType) -> None:
    """Through all steps."""
    image = converted(image_files.grey_jpeg(), 48, output=output)
    red, _, blue = image.convert("RGB").split()

    assert difference(red, blue) < 0.5
    assert image.mode == {"webp": "RGB", "gif": "P"}.get(output, "L")


# --- orientation and fit ------------------------------------------------------------------------
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("fit", "size"), [("contain", (40, 27)), ("cover", (60, 40)), ("crop", (40, 40)), ("pad", (40, 40))]
)
def test_every_fit_is_upright(fit: str, size: Size, orientation: int) -> None:
    """However the camera was held."""
    data = image_files.jpeg(image=drawings.corners((120, 80)), orientation=orientation)
    image = converted(data, 40, fit=fit)

    assert image.size == size
    assert is_upright(image.crop((0, 7, 40, 33)) if fit == "pad" else image)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_crop_keeps_the_middle(orientation: int) -> None:
    """As a person sees it, in both directions."""
    stripes = Image.new("RGB", (160, 40), (0, 0, 255))
    stripes.paste((255, 0, 0), (60, 0, 100, 40))

    for upright in (stripes, stripes.transpose(Image.Transpose.ROTATE_90)):
        image = converted(image_files.png(image=upright, orientation=orientation), 20, fit="crop")

        assert image.size == (20, 20)
        assert all(is_near(pixel, (255, 0, 0), 60) for pixel in image.get_flattened_data())


@pytest.mark.parametrize(
    ("fit", "size"), [("contain", (96, 64)), ("cover", (96, 64)), ("crop", (96, 64)), ("pad", (300, 200))]
)
def test_a_small_image_is_not_enlarged(fit: str, size: Size) -> None:
    """A canvas is filled up, the image on it stays as it is."""
    image = converted(image_files.png(), max_width=300, max_height=200, fit=fit)
    middle = image.crop(((size[0] - 96) // 2, (size[1] - 64) // 2, (size[0] + 96) // 2, (size[1] + 64) // 2))

    assert image.size == size
    assert middle.tobytes() == drawings.photo().tobytes()


@pytest.mark.parametrize(
    ("fit", "size"), [("contain", (288, 192)), ("cover", (300, 200)), ("crop", (288, 200)), ("pad", (288, 200))]
)
def test_a_small_image_is_enlarged_where_that_is_asked_for(fit: str, size: Size) -> None:
    """Smoothly."""
    image = converted(image_files.png(), max_width=288, max_height=200, fit=fit, upscale=True)
    inner = image.crop((0, 4, 288, 196)) if fit == "pad" else image

    assert image.size == size
    assert difference(inner.resize((96, 64), _LANCZOS), drawings.photo()) < 12


@pytest.mark.parametrize("output", _OUTPUTS)
def test_a_pad_shows_the_background_on_both_sides(output: OutputType) -> None:
    """In every output type."""
    image = converted(image_files.jpeg(), 48, fit="pad", background="#3366cc", output=output, quality=95).convert(
        "RGB"
    )

    assert image.size == (48, 48)
    for at in ((2, 2), (45, 2), (2, 45), (45, 45), (24, 4), (24, 43)):
        assert is_near(image.getpixel(at), (0x33, 0x66, 0xCC), 10)
    assert difference(image.crop((0, 8, 48, 40)), drawings.photo().resize((48, 32), _LANCZOS)) < 7


# --- transparency -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "make",
    [
        *(
            lambda kind=kind: image_files.transparent_png(kind=kind)
            for kind in ("RGBA", "LA", "palette", "color key")
        ),
        lambda: image_files.gif(image=drawings.cutout()),
        lambda: image_files.webp(image=drawings.cutout()),
        lambda: image_files.avif(image=drawings.cutout()),
        lambda: image_files.tiff(image=drawings.cutout()),
    ],
    ids=["PNG RGBA", "PNG LA", "PNG palette", "PNG color key", "GIF", "WebP", "AVIF", "TIFF"],
)
def test_transparency_is_kept_or_laid_on_the_background(make: Callable[[], bytes]) -> None:
    """Kept where the output type has it, at every size."""
    made = results(make(), *(target(side, output=o, background="#00ff00") for side in (96, 48) for o in _OUTPUTS))

    for each in made:
        image = opened(each.data)
        width, height = image.size
        opaque = alpha(image)
        if each.output == "jpeg":
            assert is_near(image.getpixel((1, 1)), (0, 255, 0), 12)
        else:
            assert opaque[1, 1] == 0
            assert opaque[height // 2, width // 2] == 255


@pytest.mark.parametrize("output", ["jpeg", "gif"])
def test_soft_edges_have_no_halo(output: OutputType) -> None:
    """What lies below the transparency, here black, shows nowhere."""
    disc = drawings.cutout((300, 200), softness=6)
    reference = Image.new("RGB", disc.size, _WHITE)
    reference.paste(disc, mask=disc.getchannel("A"))
    expected = reference.resize((150, 100), _LANCZOS).convert("L")
    image = converted(image_files.png(image=disc), 150, output=output, quality=95).convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("L")

    assert psnr(on_white, expected) > (40 if output == "jpeg" else 30)
    assert min(on_white.tobytes()) >= min(expected.tobytes()) - 6


# --- what must not come out ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "make", [image_files.jpeg, image_files.png, image_files.webp, image_files.avif, image_files.tiff, image_files.gif]
)
@pytest.mark.parametrize("side", [96, 48])
def test_nothing_but_the_image_comes_out(make: Callable[..., bytes], side: int) -> None:
    """No place, no comment, no profile, whether the image had to be resized or not."""
    data = make(metadata=True)
    orders = [target(side, output=output, fit=fit) for output in _OUTPUTS for fit in ("contain", "pad")]

    assert image_files.GPS_TEXT in data
    for each in results(data, *orders):
        image = opened(each.data)
        assert not {"icc_profile", "exif", "xmp", "comment", "XML:com.adobe.xmp", "Comment", "dpi"} & set(image.info)
        assert not image.getexif()
        assert image_files.GPS_TEXT not in each.data
        assert not any(
            mark in each.data for mark in (b"ICC_PROFILE", b"iCCP", b"ICCP", b"Exif", b"EXIF", b"x:xmpmeta")
        )


@pytest.mark.parametrize(
    "kind", [image_files.jpeg, image_files.png, image_files.webp, image_files.avif, image_files.tiff]
)
def test_a_profile_is_applied_and_taken_off(kind: Callable[..., bytes]) -> None:
    """Whoever shows the output takes it for sRGB, which it is."""
    data = kind(profile=icc_profiles.p3_profile())

    for each in results(data, *(target(96, output=output) for output in _OUTPUTS)):
        assert "icc_profile" not in opened(each.data).info


# --- fidelity -----------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(1001, 667), (1015, 679), (777, 1033)])
@pytest.mark.parametrize("side", [60, 100, 200, 333])
def test_a_scaled_decode_loses_nothing(size: Size, side: int) -> None:
    """It neither blurs nor shifts against a full decode with one Lanczos step."""
    data = image_files.jpeg(size=size, quality=95)
    image = converted(data, side)

    assert psnr(image, opened(data).resize(image.size, _LANCZOS)) > 46


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_scaled_decode_loses_nothing_when_it_is_turned(orientation: int) -> None:
    """The fraction of a column is cut off on the right side."""
    photo = drawings.photo((1001, 667))
    image = converted(image_files.jpeg(image=photo, orientation=orientation, quality=97), 80)

    assert psnr(image, photo.resize(image.size, _LANCZOS)) > 42


def test_outputs_made_from_outputs_are_as_good_as_direct_ones() -> None:
    """The smaller ones come from the larger ones."""
    photo = drawings.photo((900, 600))
    sides = (450, 430, 360, 288, 200, 64)
    made = results(image_files.png(image=photo), *(target(side) for side in sides))

    for each in made:
        assert psnr(opened(each.data), photo.resize(each.size, _LANCZOS)) > 44


@pytest.mark.parametrize("profile", [b"", icc_profiles.p3_profile()])
def test_one_output_is_the_same_alone_and_among_others(profile: bytes) -> None:
    """To the eye."""
    data = image_files.jpeg(size=(800, 600), profile=profile, orientation=8)
    alone = converted(data, 100)
    among = opened(results(data, target(700), target(100), target(90, fit="crop"))[1].data)

    assert psnr(alone, among) > 40


# --- several outputs ----------------------------------------------------------------------------
def test_a_source_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of outputs is asked for, and at the scale that the largest one needs."""
    asked: list[Size] = []

    def count(*args: Any, at_least: Size) -> Region:
        asked.append(at_least)
        return load(*args, at_least=at_least)

    monkeypatch.setattr(pipeline, "load", count)
    targets = (target(40), target(120), target(60, fit="crop"), target(120, output="jpeg"))
    results(image_files.jpeg(size=(300, 200)), *targets, in_process="a step of the pipeline is replaced")

    assert asked == [(120, 80)]


@pytest.mark.parametrize(("sides", "times"), [((48, 80, 20, 60), 1), ((80, 70), 2), ((80, 80), 1)])
def test_smaller_outputs_come_from_larger_ones(monkeypatch: pytest.MonkeyPatch, sides: Size, times: int) -> None:
    """Whatever their order; only one that is nearly as large is made from the source again, for sharpness."""
    developed: list[Size] = []

    def note(image: Image.Image, _plan: Plan) -> Image.Image:
        developed.append(image.size)
        return image

    monkeypatch.setattr(pipeline, "FRAME_STEPS", (*steps.FRAME_STEPS, note))
    results(image_files.jpeg(), *map(target, sides), in_process="a step of the pipeline is replaced")

    assert len(developed) == times


def test_results_come_in_the_order_of_the_targets() -> None:
    """Not in the order in which they were made."""
    sides = [40, 90, 10, 96, 33, 90]

    assert [max(each.size) for each in results(image_files.jpeg(), *map(target, sides))] == sides


def test_equal_targets_give_equal_results() -> None:
    """The frame is made once."""
    first, second = results(image_files.jpeg(), target(50, output="jpeg"), target(50, output="jpeg"))

    assert first.data == second.data


def test_no_target_is_no_result() -> None:
    """The image is read all the same."""
    assert outcomes(image_files.jpeg()) == []
    with pytest.raises(Undecodable):
        outcomes(b"")


def test_an_output_that_fails_does_not_spoil_the_others() -> None:
    """WebP has no images of 17,000 pixels width."""
    data = image_files.png(image=Image.new("RGB", (17_000, 2)))
    wide = Target(max_width=16_384, max_height=16, output="webp")
    first, second, third = outcomes(data, wide, target(100), wide.model_copy(update={"output": "jpeg"}))

    assert isinstance(first, Failed)
    assert first.reason.startswith("The output could not be made: ")
    assert isinstance(second, Converted)
    assert isinstance(third, Converted)
    assert third.size == (16_384, 2)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "The output needs more memory than is allowed."),
        (ValueError("bad"), "The output could not be made: bad"),
        (ImageTooLarge("Too large."), "Too large."),
    ],
)
def test_trouble_of_one_output_is_its_own(monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str) -> None:
    """The reason is a sentence."""

    def trouble(frames: list[Image.Image], timing: Timing, output: OutputType, made_for: Target) -> tuple[bytes, str]:
        if output == "avif":
            raise error
        return encode(frames, timing, output, made_for)

    monkeypatch.setattr(pipeline, "encode", trouble)
    targets = [target(96, output=output) for output in _OUTPUTS]
    made = outcomes(image_files.jpeg(), *targets, in_process="the encoder is replaced")

    assert [each.reason for each in made if isinstance(each, Failed)] == [reason]
    assert len(made) == len(_OUTPUTS)


@pytest.mark.parametrize("fit", ["cover", "crop", "pad"])
def test_an_output_may_not_be_a_bomb(fit: str) -> None:
    """A line of 2,000 pixels that must cover a square would be a hundred times as wide as the largest image."""
    data = image_files.png(image=Image.new("RGB", (2000, 1)))
    large = Target(max_width=16_000, max_height=16_000, fit=fit, upscale=True, output="png")
    refused, made = outcomes(data, large, target(100))

    assert refused == Failed("The output would have more than 100 megapixels.")
    assert isinstance(made, Converted)


# --- broken sources -----------------------------------------------------------------------------
@pytest.mark.parametrize("make", broken_files.BOMBS.values(), ids=broken_files.BOMBS.keys())
def test_a_bomb_raises(make: Callable[[], bytes]) -> None:
    """It is the source that is at fault, not one of its outputs."""
    with pytest.raises(ImageTooLarge, match="pixels"):
        outcomes(make(), target())


_MUTATED = [name for name in image_files.SOURCES if name not in ("PNG 16-bit RGB", "JPEG CMYK with profile")]


@pytest.mark.parametrize("name", _MUTATED)
def test_a_broken_file_raises_nothing_but_image_errors(name: str) -> None:
    """Bits flipped, bytes overwritten, ends cut off: it comes out, or is refused with a reason. Nothing warns."""
    data = image_files.SOURCES[name]()
    dice = random.Random(name)  # noqa: S311 - the same files in every run

    for _ in range(60):
        broken = bytearray(data)
        # headers are where the interesting bytes are
        span = len(broken) if dice.random() < 0.5 else min(len(broken), 700)
        match dice.randrange(4):
            case 0:
                del broken[dice.randrange(span) :]
            case 1:
                for _ in range(dice.choice((1, 1, 3, 20))):
                    broken[dice.randrange(span)] ^= 1 << dice.randrange(8)
            case 2:
                at = dice.randrange(span)
                broken[at : at + 4] = dice.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0")
                )
            case _:
                at = dice.randrange(span)
                del broken[at : at + dice.randrange(1, 40)]
        _convert_or_refuse(bytes(broken))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WebP", "AVIF", "TIFF", "BMP"])
def test_a_file_may_end_anywhere(name: str) -> None:
    """Every length of the header, and sixty of the rest."""
    data = image_files.SOURCES[name]()

    for length in [*range(64), *range(64, len(data), max(1, len(data) // 60))]:
        _convert_or_refuse(data[:length])


def _convert_or_refuse(data: bytes) -> None:
    """In this process, in which warnings are errors."""
    try:
        made = outcomes(data, target(24, output="jpeg"), target(8), limits=Limits(pixels=4_000_000))
    except ImageError as error:
        refused: list[Converted | Failed] = [Failed(error.reason)]
        made = refused

    for each in made:
        assert each.data if isinstance(each, Converted) else re.fullmatch(r"The [^\n]+", each.reason)


# --- what previews ask for ----------------------------------------------------------------------
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
def test_auto_is_png_where_something_shines_through(make: Callable[[], bytes], output: OutputType) -> None:
    """Not where it only could."""
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
    """And nothing where there is none."""
    made, plain = (opened(result(image_files.jpeg(), output=output, comment=each).data) for each in ("OX_IC", ""))

    assert made.info.get("comment", made.info.get("Comment")) in (b"OX_IC", "OX_IC")
    assert not {"comment", "Comment"} & plain.info.keys()
