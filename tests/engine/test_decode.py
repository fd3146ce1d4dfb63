"""Opening a source: what its header says, what is refused before a pixel is decoded, what is decoded at all."""

import io
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import AvifImagePlugin, Image

from imageconverter.engine import Limits, check_header, probe
from imageconverter.engine.decode import load, open_image
from imageconverter.engine.geometry import Size
from imageconverter.engine.header import is_expensive
from imageconverter.errors import ImageError, ImageTooLarge, NotAnImage, Undecodable
from tests.testing import broken_files, drawings, gif_files, image_files
from tests.testing.image_assertions import converted, difference, is_upright, outcomes

_ORIENTED: dict[str, Callable[[int], bytes]] = {
    "JPEG": lambda o: image_files.jpeg(image=drawings.corners(), orientation=o),
    "PNG": lambda o: image_files.png(image=drawings.corners(), orientation=o),
    "WebP": lambda o: image_files.webp(image=drawings.corners(), orientation=o),
    "AVIF": lambda o: image_files.avif(image=drawings.corners(), orientation=o),
    "TIFF": lambda o: image_files.tiff(image=drawings.corners(), orientation=o),
    "TIFF LZW": lambda o: image_files.tiff(image=drawings.corners(), orientation=o, compression="tiff_lzw"),
}


# --- what the header says -----------------------------------------------------------------------
@pytest.mark.parametrize("make", image_files.SOURCES.values(), ids=image_files.SOURCES.keys())
def test_the_extents_are_known_before_decoding(make: Callable[[], bytes]) -> None:
    """They are those that come out of the decoder."""
    image, info = open_image(io.BytesIO(make()), Limits())
    load(image, info, at_least=(10_000, 10_000))

    assert info.size == (image.size[::-1] if info.is_sideways else image.size)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", _ORIENTED)
def test_every_format_that_can_be_turned_is_turned(kind: str, orientation: int) -> None:
    """Extents are those that a person sees, and the image comes out upright."""
    data = _ORIENTED[kind](orientation)
    _, info = open_image(io.BytesIO(data), Limits())

    assert info.size == drawings.SIZE
    assert is_upright(converted(data, 48))


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_is_passed_over(orientation: int) -> None:
    """The image is taken as it is stored."""
    _, info = open_image(io.BytesIO(image_files.jpeg(orientation=orientation)), Limits())

    assert info.orientation == 1


def test_an_orientation_behind_the_pixels_of_a_png_is_found() -> None:
    """The chunk may stand anywhere."""
    data = image_files.png(image=drawings.corners(), orientation=6)
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    moved = data[:start] + data[end:-12] + data[start:end] + data[-12:]

    assert is_upright(converted(moved))


@pytest.mark.parametrize("make", [image_files.jpeg, image_files.webp])
def test_broken_exif_does_not_break_the_image(make: Callable[..., bytes]) -> None:
    """An image that every browser shows is not rejected for its metadata."""
    data = make(orientation=6)
    broken = data.replace(b"MM\0*", b"XX\0*")
    image, info = open_image(io.BytesIO(broken), Limits())
    load(image, info, at_least=drawings.SIZE)

    assert broken != data
    assert info.orientation == 1


def test_broken_exif_does_not_break_a_png() -> None:
    """Nor one that pretends to be longer than it is."""
    for exif in (b"XX\0*nothing", b"MM\0*\0\0\0\x08\xff\xff", b""):
        data = image_files.raw_png((4, 4), 8, 0, [bytes(4)] * 4, (b"eXIf", exif))
        image, info = open_image(io.BytesIO(data), Limits())
        load(image, info, at_least=(4, 4))

        assert info.orientation == 1


@pytest.mark.parametrize(
    ("data", "animated"),
    [
        (image_files.gif(), False),
        (image_files.animated_gif(), True),
        (image_files.webp(), False),
        (image_files.animated_webp(), True),
        (image_files.png(), False),
        (image_files.animated_png(), True),
        (image_files.avif(), False),
        (image_files.animated_avif(), True),
        (image_files.jpeg(), False),
        (image_files.mpo(), False),
    ],
)
def test_animations_are_recognized(data: bytes, animated: bool) -> None:  # noqa: FBT001
    """The second image in a telephone's JPEG is no frame."""
    _, info = open_image(io.BytesIO(data), Limits())

    assert info.animated is animated


@pytest.mark.parametrize(
    ("data", "expensive"),
    [
        (image_files.raw_png((6000, 6000), 8, 2, []), True),
        (image_files.raw_png((5000, 5000), 8, 2, []), False),
        (broken_files.flat_webp((16_000, 5000)), True),
        (broken_files.jpeg_bomb(), False),  # decoded at a smaller scale, or not at all
        (image_files.png()[:10], False),
        (b"no image", False),
        (b"", False),
    ],
)
def test_expensive_images_are_known_by_their_header(data: bytes, expensive: bool) -> None:  # noqa: FBT001
    """And what does not say it is taken for quick."""
    assert is_expensive(io.BytesIO(data)) is expensive


def test_frames_are_not_counted() -> None:
    """A file of a few megabytes may hold a million of them."""
    frame = b",\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0"
    data = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + frame * 200_000 + b";"
    began = time.process_time()
    _, info = open_image(io.BytesIO(data), Limits())

    assert info.animated
    assert time.process_time() - began < 0.2


def test_a_second_frame_that_is_broken_costs_only_itself() -> None:
    """The first frame is all that is needed, wherever the file ends behind it."""
    first = image_files.gif()[:-1]
    second = b"!\xf9\4\0\0\0\0\0" + b",\0\0\0\0\1\0\1\0\x80" + bytes(6) + b"\2\2\x4c\1\0"

    for cut in range(len(second)):
        image, info = open_image(io.BytesIO(first + second[:cut]), Limits())
        load(image, info, at_least=(1, 1))

        assert difference(image.convert("RGB"), drawings.photo()) < 8


@pytest.mark.parametrize(("depth", "key", "greys"), [(1, 1, 2), (2, 2, 4), (4, 3, 16)])
def test_a_gray_that_stands_for_transparency_is_found_at_every_depth(depth: int, key: int, greys: int) -> None:
    """Optimisers write small icons this way."""
    row = int("".join(f"{grey:0{depth}b}" for grey in range(greys)).ljust(8, "0"), 2)
    data = image_files.raw_png(
        (greys, 1), depth, 0, [row.to_bytes(max(1, greys * depth // 8), "big")], (b"tRNS", key.to_bytes(2, "big"))
    )
    out = converted(data)

    assert list(out.getchannel("A").tobytes()) == [0 if grey == key else 255 for grey in range(greys)]


# --- what is refused ----------------------------------------------------------------------------
@pytest.mark.parametrize("make", broken_files.BOMBS.values(), ids=broken_files.BOMBS.keys())
def test_a_bomb_is_refused_at_once(make: Callable[[], bytes]) -> None:
    """It is measured by its header."""
    data = make()
    began = time.process_time()
    with pytest.raises(ImageTooLarge, match=r"more than 100 megapixels|too many pixels"):
        open_image(io.BytesIO(data), Limits())

    assert time.process_time() - began < 0.2


def test_the_frame_of_a_gif_may_not_outgrow_the_limit() -> None:
    """Its screen may be smaller."""
    data = broken_files.gif_frame_bomb(size=(40, 30))

    assert check_header(io.BytesIO(data), Limits(pixels=1200)).name == "GIF"
    with pytest.raises(ImageTooLarge, match="more than"):
        check_header(io.BytesIO(data), Limits(pixels=1199))


@pytest.mark.parametrize("name", broken_files.BOMBS)
def test_a_bomb_is_refused_by_its_header_alone(name: str) -> None:
    """So the gateway can do it, which has no decoder."""
    with pytest.raises(ImageTooLarge):
        probe(broken_files.BOMBS[name](), Limits())


def test_no_bomb_is_given_memory() -> None:
    """All of them are refused in a process that may have 64 MB more than it starts with."""
    program = """
import io, resource
from imageconverter.engine import Target
from imageconverter.engine.pipeline import convert
from imageconverter.errors import ImageTooLarge
from tests.testing import broken_files
bombs = {name: make() for name, make in broken_files.BOMBS.items()}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open("/proc/self/statm") as statm:
    space = int(statm.read().split()[0]) * resource.getpagesize() + (64 << 20)
resource.setrlimit(resource.RLIMIT_AS, (space, space))
for name, data in bombs.items():
    try:
        convert(io.BytesIO(data), [Target(max_width=100, max_height=100)])
    except ImageTooLarge as error:
        assert "pixels" in error.reason, (name, error.reason)
    else:
        raise AssertionError(name)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 16 * 1024


def test_the_limit_is_what_the_caller_says() -> None:
    """An image of exactly that many pixels passes."""
    data = image_files.png(size=(40, 30))

    assert check_header(io.BytesIO(data), Limits(pixels=1200)).name == "PNG"
    with pytest.raises(ImageTooLarge, match=r"more than 0\.001199 megapixels"):
        check_header(io.BytesIO(data), Limits(pixels=1199))


def test_the_frame_of_an_animation_may_not_outgrow_its_canvas() -> None:
    """A canvas of 16 pixels does not hide a frame of 268 megapixels."""
    bomb = broken_files.webp_bomb()[12:]
    extended = b"VP8X" + (10).to_bytes(4, "little") + bytes(4) + b"\3\0\0" + b"\3\0\0"
    data = b"RIFF" + (4 + len(extended) + len(bomb)).to_bytes(4, "little") + b"WEBP" + extended + bomb

    with pytest.raises(Undecodable):
        open_image(io.BytesIO(data), Limits())


@pytest.mark.parametrize(
    "name", [name for name in image_files.SOURCES if not {"animated", "pages", "progressive"} & set(name.split())]
)
def test_less_than_half_a_file_is_refused(name: str) -> None:
    """No image with a gray lower half goes to a shop."""
    data = broken_files.truncated(image_files.SOURCES[name](), share=0.1 if "JPEG" in name else 0.4)

    with pytest.raises(Undecodable, match=rf"^The {name.split(maxsplit=1)[0]} file is broken"):
        outcomes(data)


@pytest.mark.parametrize(("name", "magic"), broken_files.MAGICS.items(), ids=broken_files.MAGICS.keys())
def test_a_magic_number_is_no_image(name: str, magic: bytes) -> None:
    """Neither alone nor before bytes that mean nothing."""
    with pytest.raises(Undecodable, match=rf"^The {name} file is broken") as caught:
        open_image(io.BytesIO(magic), Limits())
    assert not isinstance(caught.value, NotAnImage)  # that is for files which do not pretend to be images
    with pytest.raises(ImageError):
        open_image(io.BytesIO(magic + broken_files.garbage()), Limits())


@pytest.mark.parametrize("data", [b"", b"\0", broken_files.garbage(), b"just some words, no image"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    """The reason says what is wrong."""
    with pytest.raises(NotAnImage, match=r"^The file is not of a supported image format\.$"):
        open_image(io.BytesIO(data), Limits())


@pytest.mark.parametrize("name", broken_files.MAGICS)
def test_only_the_decoder_that_is_announced_is_tried(name: str) -> None:
    """A PNG that pretends to be something else is broken, not a PNG."""
    magic = broken_files.MAGICS[name]
    other = image_files.png() if name != "PNG" else image_files.bmp()

    with pytest.raises(ImageError):
        open_image(io.BytesIO(magic + other[len(magic) :]), Limits())


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_an_image_without_pixels_is_broken(size: Size) -> None:
    """There is nothing to scale."""
    for data in (image_files.raw_png(size, 8, 0, [b""]), gif_files.gif(size, gif_files.Frame(size, b""))):
        with pytest.raises(Undecodable):
            open_image(io.BytesIO(data), Limits())


def test_a_decoder_without_memory_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory limit of a sandbox process is reached inside the decoders."""

    def no_memory(*_args: object, **_options: object) -> None:
        raise MemoryError

    image, info = open_image(io.BytesIO(image_files.jpeg()), Limits())
    monkeypatch.setattr(image, "load", no_memory)
    monkeypatch.setattr(Image, "open", no_memory)

    with pytest.raises(ImageTooLarge, match="more memory than is allowed"):
        load(image, info, at_least=drawings.SIZE)
    with pytest.raises(ImageTooLarge, match="more memory than is allowed"):
        open_image(io.BytesIO(image_files.webp()), Limits())


# --- what is decoded ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wanted", "density", "decoded"),
    [
        ((80, 60), 0.2, (100, 75)),
        ((81, 61), 0.2, (200, 150)),
        ((57, 42), 0.5, (100, 75)),
        ((58, 43), 0.5, (200, 150)),
        ((320, 240), 0.2, (400, 300)),
        ((320, 240), 0.5, (800, 600)),
    ],
)
def test_a_jpeg_is_decoded_at_the_scale_that_is_needed(wanted: Size, density: float, decoded: Size) -> None:
    """Some reserve is left to resize from, and more where a pixel takes many bytes: there is much detail to lose."""
    image, info = open_image(io.BytesIO(image_files.jpeg(size=(800, 600))), Limits())
    region = load(image, replace(info, density=density), at_least=wanted)

    assert image.size == decoded
    assert region == (0, 0, *decoded)


def test_a_jpeg_that_is_turned_is_decoded_at_the_scale_of_the_turned_box() -> None:
    """The box that is asked for lies as the image does."""
    image, info = open_image(io.BytesIO(image_files.jpeg(size=(800, 200), orientation=6)), Limits())
    load(image, info, at_least=(50, 250))

    assert info.size == (800, 200)
    assert image.size == (100, 400)


def test_a_column_that_is_there_for_a_fraction_is_not_taken_for_whole() -> None:
    """1001 pixels at an eighth are 126 columns, of which the last one is an eighth of a column."""
    image, info = open_image(io.BytesIO(image_files.jpeg(size=(1001, 668))), Limits())
    region = load(image, info, at_least=(60, 40))

    assert image.size == (126, 84)
    assert region == (0, 0, 125.125, 83.5)


@pytest.mark.parametrize("orientation", [None, 6])
def test_the_first_image_of_a_telephones_jpeg_is_taken(orientation: int | None) -> None:
    """It is scaled while it is decoded like any other JPEG."""
    image, info = open_image(io.BytesIO(image_files.mpo(size=(800, 600), orientation=orientation)), Limits())
    load(image, info, at_least=(100, 75))

    assert info.format.name == "JPEG"
    assert info.size == (800, 600)
    assert sorted(image.size) == [150, 200]


def test_a_source_may_be_a_real_file() -> None:
    """As in a sandbox process; the TIFF library reads from its descriptor."""
    for data in (image_files.tiff(compression="tiff_lzw"), image_files.jpeg(), image_files.webp()):
        with tempfile.TemporaryFile() as file:
            file.write(data)
            image, info = open_image(file, Limits())
            with image:
                load(image, info, at_least=(1, 1))

            assert not file.closed


def test_odd_metadata_causes_no_warning() -> None:
    """The sender of an image cannot write to the log."""
    data = image_files.jpeg(metadata=True).replace(b"\x82\x25", b"\xff\xff")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load(*open_image(io.BytesIO(data), Limits()), at_least=drawings.SIZE)

    assert not caught


def test_an_avif_is_decoded_on_one_core() -> None:
    """On a machine of many cores its threads would not fit into the address space of a sandbox process."""
    assert AvifImagePlugin._get_default_max_threads() == 1
