"""Coded image data are kept where nothing changes, and only then; metadata and hidden data go."""

import io
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from imageconverter.engine import Converted
from tests.testing import icc_profiles, image_files
from tests.testing.chunks import chunk, riff, segment
from tests.testing.drawings import SIZE, photo
from tests.testing.image_assertions import result

_SECRET = image_files.GPS_TEXT
_EXIF = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + _SECRET


def own_size(data: bytes, **fields: Any) -> Converted:
    """Convert *data* at its own size and type."""
    return result(data, 2000, **{"output": "keep", **fields})


def frames(data: bytes) -> list[tuple[bytes, object]]:
    """Return pixels and duration of all frames."""
    with Image.open(io.BytesIO(data)) as image:
        every = ImageSequence.Iterator(image)
        return [(frame.convert("RGBA").tobytes(), frame.info.get("duration")) for frame in every]


def pixels_of(data: bytes) -> bytes:
    """Return the coded pixels of a JPEG of one scan."""
    return data[data.rindex(b"\xff\xda") : data.index(b"\xff\xd9", data.rindex(b"\xff\xda"))]


def jpeg(**options: Any) -> bytes:
    """Make a JPEG at a low quality."""
    return image_files.jpeg(**{"quality": 30, "metadata": True, **options})


def hidden_png() -> bytes:
    """Make a PNG with data behind the compressed pixels."""
    rows = zlib.compress(bytes(25 * 8), 9) + _SECRET
    return image_files.raw_png((8, 8), 8, 2, [bytes(24)] * 8)[:33] + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


_KEPT: dict[str, Callable[[], bytes]] = {
    "JPEG": jpeg,
    "JPEG progressive": lambda: jpeg(progressive=True),
    "JPEG gray": lambda: jpeg(image=photo(SIZE).convert("L")),
    "JPEG with an sRGB profile": lambda: jpeg(profile=icc_profiles.srgb_profile()),
    "JPEG and more": lambda: jpeg() + b"\xff\xd8" + _SECRET,
    "PNG palette": lambda: image_files.palette_png(colors=16),
    "PNG bitmap": image_files.bitmap_png,
    "PNG soft palette": lambda: image_files.transparent_png(kind="soft palette"),
    "PNG color key": lambda: image_files.transparent_png(kind="color key"),
    "PNG with texts": lambda: _optimized(image_files.png(metadata=True)),
    "PNG and more": lambda: _optimized(image_files.png()) + _SECRET,
    "APNG": image_files.animated_png,
    "GIF": lambda: image_files.gif(metadata=True),
    "GIF and more": lambda: image_files.gif() + _SECRET,
    "GIF animated": image_files.animated_gif,
    "WebP": lambda: _coarse_webp(exif=_EXIF, xmp=_SECRET),
    "WebP with a profile": lambda: _coarse_webp(icc_profile=icc_profiles.srgb_profile()),
    "WebP and more": lambda: _coarse_webp() + _SECRET,
    "WebP animated": lambda: _coarse_webp(save_all=True, append_images=[photo(SIZE, seed=2)], exif=_EXIF),
}


def _coarse_webp(**options: Any) -> bytes:
    file = io.BytesIO()
    photo(SIZE).save(file, "WEBP", quality=20, **options)
    return file.getvalue()


def _optimized(data: bytes) -> bytes:
    """Compress the pixels of a PNG better than the encoder does."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        texts = PngInfo()
        texts.add_text("Comment", _SECRET.decode())
        image.save(file, "PNG", optimize=True, exif=image.getexif(), pnginfo=texts)
    return file.getvalue()


@pytest.mark.parametrize("name", _KEPT)
def test_data_are_kept(name: str) -> None:
    """Every pixel is the source's, the file is not larger, and nothing else is in it."""
    data = _KEPT[name]()
    made = own_size(data)

    assert frames(made.data) == frames(data)
    assert len(made.data) <= len(data)
    assert not any(mark in made.data for mark in (_SECRET, b"Exif", b"ICC", b"iCCP", b"xmp", b"XMP", b"tEXt"))
    assert made.warning == ""
    assert own_size(made.data).data == made.data


def test_the_data_of_a_jpeg_are_the_very_bytes() -> None:
    """No decoder can find a difference."""
    data = jpeg()

    assert pixels_of(own_size(data).data) == pixels_of(data)


@pytest.mark.parametrize("keep_rgb", [True, False])
def test_how_a_jpeg_codes_its_colors_is_kept(*, keep_rgb: bool) -> None:
    """Adobe's marker says whether three channels are RGB."""
    file = io.BytesIO()
    photo(SIZE).save(file, "JPEG", quality=40, keep_rgb=keep_rgb)
    for data in (file.getvalue(), file.getvalue().replace(b"JFIF", b"JFXX")):
        assert frames(own_size(data).data) == frames(data)


@pytest.mark.parametrize("kind", [image_files.animated_png, image_files.animated_gif, image_files.animated_webp])
def test_an_animation_is_kept_whole_or_not_at_all(kind: Callable[[], bytes]) -> None:
    """If only the first frame is wanted, it is encoded."""
    assert len(frames(own_size(kind()).data)) == len(frames(kind()))
    assert len(frames(own_size(kind(), animation=False).data)) == 1


_CHANGED: dict[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "turned": (lambda: jpeg(orientation=6), {}),
    "another color space": (lambda: jpeg(profile=icc_profiles.p3_profile()), {}),
    "if the operator wants so": (jpeg, {"reencode": True}),
    "a comment": (jpeg, {"comment": "by us"}),
    "progressive": (jpeg, {"progressive": True}),
    "auto": (jpeg, {"output": "auto"}),
    "a lower quality": (jpeg, {"quality": 20}),
    "a smaller file": (jpeg, {"max_kilobytes": 1}),
    "resized": (jpeg, {"max_width": 48}),
    "padded": (jpeg, {"fit": "pad", "max_width": 100, "max_height": 100}),
    "cropped": (jpeg, {"fit": "crop", "max_width": 50, "max_height": 60}),
    "damaged": (lambda: _damaged(jpeg()), {}),
    "full color": (image_files.cmyk_jpeg, {}),
    "lossless": (image_files.webp, {"lossless": True}),
    "on a background": (
        lambda: image_files.transparent_png(kind="palette"),
        {"fit": "pad", "max_width": SIZE[0], "max_height": SIZE[1]},
    ),
    "hidden in the pixels": (hidden_png, {}),
    "16 bits": (image_files.rgb16_png, {}),
}


def _damaged(data: bytes) -> bytes:
    """Cut some bytes out of the pixels: libjpeg only warns."""
    at = data.rindex(b"\xff\xda") + 200
    return data[:at] + data[at + 20 :]


@pytest.mark.parametrize("name", _CHANGED)
def test_data_are_not_kept(name: str) -> None:
    """If anything changes, or if there is the least fault."""
    make, fields = _CHANGED[name]
    data = make()
    made = own_size(data, **fields)

    assert _SECRET not in made.data
    if made.output == "jpeg":
        assert pixels_of(made.data) != pixels_of(data)
    elif made.output == "png":
        assert data[data.index(b"IDAT") :][:50] not in made.data
    else:
        assert b"VP8L" in made.data


def test_what_is_cut_off_is_encoded() -> None:
    """A new file, with its end."""
    made = own_size(jpeg()[:-2])

    assert made.warning
    assert pixels_of(made.data) != pixels_of(jpeg())


def test_a_setting_for_full_colors_is_met() -> None:
    """4:2:0 data have too few of them."""
    file = io.BytesIO()
    photo(SIZE).save(file, "JPEG", quality=30, subsampling="4:2:0")

    assert pixels_of(own_size(file.getvalue()).data) == pixels_of(file.getvalue())
    with Image.open(io.BytesIO(own_size(file.getvalue(), chroma="4:4:4").data)) as image:
        assert [layer[1:3] for layer in getattr(image, "layer", [])] == [(1, 1)] * 3


def test_the_smaller_file_is_taken() -> None:
    """A PNG that is hardly compressed, and a JPEG of a higher quality than is wanted."""
    file = io.BytesIO()
    photo(SIZE).save(file, "PNG", compress_level=0)
    assert len(own_size(file.getvalue()).data) < len(file.getvalue()) * 0.9

    data = image_files.jpeg(quality=98)
    assert len(own_size(data).data) < len(data) / 2


def test_what_is_not_pixels_goes() -> None:
    """Unknown chunks, thumbnails in JFIF, blocks of applications."""
    jfif = segment(0xE0, b"JFIF\0\1\2\1\0\x48\0\x48\2\2" + bytes(12))
    data = image_files.jpeg(quality=30)
    jpeg_data = data[:2] + jfif + segment(0xEF, b"any") + segment(0xE2, b"MPF\0") + data[2:]
    assert len(own_size(jpeg_data).data) <= len(data)
    assert b"MPF" not in own_size(jpeg_data).data

    png = image_files.palette_png(colors=4)
    at = png.index(b"IDAT") - 4
    png_data = png[:at] + chunk(b"prVt", _SECRET) + chunk(b"tIME", bytes(7)) + png[at:]
    assert own_size(png_data).data == own_size(png).data

    file = io.BytesIO()
    photo(SIZE).save(file, "GIF", save_all=True, append_images=[photo(SIZE, seed=2)], loop=0, duration=[70, 90])
    gif = file.getvalue()
    at = gif.index(b"!\xf9")
    gif_data = gif[:at] + b"!\xff\x0bXMP DataXMP" + bytes([len(_SECRET)]) + _SECRET + b"\0" + gif[at:]
    assert own_size(gif_data).data == own_size(gif).data
    assert b"NETSCAPE2.0" in own_size(gif_data).data

    webp = _coarse_webp(icc_profile=icc_profiles.srgb_profile())
    size = len(webp) + len(riff(b"abcd", _SECRET)) - 8
    webp_data = b"RIFF" + size.to_bytes(4, "little") + webp[8:] + riff(b"abcd", _SECRET)
    assert own_size(webp_data).data == own_size(webp).data


def test_pixels_are_those_of_an_exact_copy() -> None:
    """Not only after decoding to eight bits with the same library: a gray JPEG stays gray."""
    data = image_files.grey_jpeg()
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(own_size(data, quality=95).data)) as after:
        assert after.mode == "L"
        assert np.array_equal(np.asarray(before), np.asarray(after))


def test_what_readers_do_not_agree_on_is_encoded_anew() -> None:
    """An image before the animation that is not part of it: some programs show it as the first frame."""
    still, moving = photo(SIZE), image_files.animated_png()
    file = io.BytesIO()
    still.save(
        file, "PNG", save_all=True, default_image=True, append_images=[photo(SIZE, seed=2), photo(SIZE, seed=3)]
    )
    made = own_size(file.getvalue())

    assert made.data.index(b"fcTL") < made.data.index(b"IDAT")
    assert own_size(moving).data.count(b"fcTL") == 3
