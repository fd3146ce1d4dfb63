"""What an output may keep of its source's metadata, and the resolution that it states."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import OutputType
from tests.testing import drawings, hostile_files, icc_profiles, image_files
from tests.testing.image_assertions import converted, difference, is_near, opened, result, results, target

_CREDIT, _ARTIST = "© 2026 Léa Müller", "Léa Müller"
_WITH_METADATA: list[OutputType] = ["jpeg", "png", "webp", "avif"]
_P3_RED = (234, 51, 35)  # of Display P3, the red of sRGB


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _credits() -> Image.Exif:
    """Return credits with a camera and a place."""
    exif = Image.Exif()
    exif[0x010F], exif[0x013B], exif[0x8298] = "Camera Works", _ARTIST.encode(), _CREDIT.encode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    return exif


def _credited(kind: str = "JPEG") -> bytes:
    return _saved(drawings.photo(), kind, exif=_credits())


def _texts(image: Image.Image) -> dict[int, str]:
    return {tag: str(text).encode("latin-1").decode() for tag, text in image.getexif().items()}


# --- keep = ["copyright"] -----------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("output", _WITH_METADATA)
def test_artist_and_copyright_are_kept_and_nothing_else(kind: str, output: OutputType) -> None:
    """Neither the camera nor the place, and no letter is lost."""
    made = converted(_credited(kind), output=output, keep=("copyright",))

    assert _texts(made) == {0x013B: _ARTIST, 0x8298: _CREDIT}
    assert not made.getexif().get_ifd(0x8825)
    assert "icc_profile" not in made.info


@pytest.mark.parametrize("encoder", ["standard", "small"])
def test_both_jpeg_encoders_write_credits_profile_and_resolution(encoder: str) -> None:
    """In the order that readers expect: JFIF first."""
    profile = icc_profiles.p3_profile() + bytes(70_000)  # takes two segments
    source = _saved(drawings.photo(), "JPEG", exif=_credits(), icc_profile=profile)
    fields = {"encoder": encoder, "keep": ("copyright", "icc"), "dpi": 300, "comment": "a shop", "quality": "auto"}
    made = result(source, 64, output="jpeg", **fields).data

    assert made[:20] == b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1" + struct.pack(">BHHBB", 1, 300, 300, 0, 0)
    assert _texts(opened(made)) == {0x013B: _ARTIST, 0x8298: _CREDIT}
    assert opened(made).info["icc_profile"] == profile
    assert opened(made).info["comment"] == b"a shop"


def test_a_source_without_credits_keeps_its_coded_data() -> None:
    """There is nothing to be added to them."""
    source = image_files.jpeg(quality=60)
    kept, plain = results(source, target(96, output="jpeg", keep=("copyright", "icc")), target(96, output="jpeg"))

    assert kept.data == plain.data
    assert _texts(opened(result(_credited(), 96, output="jpeg", keep=("copyright",)).data))


def test_an_animation_keeps_its_credits() -> None:
    """Once for all frames; in a GIF there is no place for them."""
    frames = [drawings.photo(seed=seed) for seed in (1, 2, 3)]
    source = _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], exif=_credits())
    webp, png, gif = (
        opened(result(source, 64, output=output, keep=("copyright", "icc")).data) for output in ("webp", "png", "gif")
    )

    assert _texts(webp) == _texts(png) == {0x013B: _ARTIST, 0x8298: _CREDIT}
    assert not gif.getexif()


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(200), b"x"]
)
def test_broken_metadata_are_no_credits(exif: bytes) -> None:
    """The image is converted all the same."""
    source = _saved(drawings.photo(), "JPEG", exif=exif)

    assert not opened(result(source, 64, output="jpeg", keep=("copyright",)).data).getexif()


def test_credits_are_bounded() -> None:
    """Those of a hostile file would not fit into the segment of a JPEG."""
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "é".encode() * 30_000, "c\0\x1b[31m\u202e".encode()
    source = _saved(drawings.photo(), "PNG", exif=exif)
    texts = _texts(opened(result(source, 64, output="jpeg", keep=("copyright",)).data))

    assert len(texts[0x013B]) <= 4096
    assert texts[0x8298].isprintable()


# --- keep = ["icc"] -----------------------------------------------------------------------------
@pytest.mark.parametrize("output", _WITH_METADATA)
def test_colors_stay_as_they_are_with_their_profile(output: OutputType) -> None:
    """Without `keep` they become sRGB, and have none."""
    profile, photo = icc_profiles.p3_profile(), drawings.photo()
    source = _saved(photo, "PNG", icc_profile=profile)
    fields: dict[str, Any] = {"output": output, "quality": 95, "chroma": "4:4:4"}
    kept, plain = (converted(source, 96, **fields, keep=keep) for keep in (("icc",), ()))

    assert kept.info["icc_profile"] == profile
    assert difference(kept.convert("RGB"), photo) < 3.5
    assert "icc_profile" not in plain.info
    assert difference(plain.convert("RGB"), photo) > 6


def test_variants_keep_what_their_main_file_keeps() -> None:
    """They show the same pixels."""
    profile = icc_profiles.p3_profile()
    source = _saved(drawings.photo((300, 300)), "JPEG", quality=95, icc_profile=profile, exif=_credits())
    made = result(source, 200, output="jpeg", quality=95, variants=("avif", "webp"), keep=("copyright", "icc"))

    assert [each.output for each in made.variants] == ["avif", "webp"]
    for each in made.variants:
        assert opened(each.data).info["icc_profile"] == profile
        assert _texts(opened(each.data)) == {0x013B: _ARTIST, 0x8298: _CREDIT}


def test_the_background_has_its_color_in_the_profile_of_the_image() -> None:
    """The red of sRGB has other numbers in Display P3."""
    source = _saved(drawings.photo(), "PNG", icc_profile=icc_profiles.p3_profile())
    made = converted(source, 96, keep=("icc",), fit="pad", background="#ff0000")

    assert is_near(made.getpixel((48, 2)), _P3_RED, 1)


def test_outputs_with_and_without_their_profile_are_not_mixed_up() -> None:
    """Each is resized from a larger one of its own colors."""
    source = _saved(Image.new("RGB", (400, 400), _P3_RED), "PNG", icc_profile=icc_profiles.p3_profile())
    made = results(source, *(target(side, keep=keep) for side in (300, 100, 40) for keep in (("icc",), ())))
    colors = [opened(each.data).convert("RGB").getpixel((5, 5)) for each in made]

    assert all(is_near(color, _P3_RED, 1) for color in colors[::2])
    assert all(is_near(color, (255, 0, 0), 2) for color in colors[1::2])


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        (image_files.cmyk_jpeg(profile=icc_profiles.cmyk_profile()), {}),
        (image_files.grey_jpeg(profile=icc_profiles.grey_profile(gamma=1.8)), {}),
        (image_files.grey_jpeg(profile=icc_profiles.p3_profile()), {}),
        (image_files.jpeg(profile=icc_profiles.p3_profile()), {"gray": True}),
        (image_files.jpeg(profile=icc_profiles.p3_profile()), {"output": "gif"}),
        (image_files.jpeg(profile=icc_profiles.p3_profile() + bytes(1_000_000)), {}),
        (image_files.jpeg(profile=icc_profiles.p3_profile()[:200]), {}),
    ],
    ids=["CMYK", "gray", "RGB for gray", "made gray", "GIF", "too large", "broken"],
)
def test_a_profile_that_does_not_fit_is_applied_instead(source: bytes, fields: dict[str, Any]) -> None:
    """The output is as without `keep`."""
    kept, plain = results(source, *(target(64, **fields, keep=keep) for keep in (("icc",), ())))

    assert kept.data == plain.data
    assert "icc_profile" not in opened(kept.data).info


def test_a_png_with_a_profile_for_rgb_is_not_stored_in_gray() -> None:
    """Though all of its colors are grays: readers would refuse the profile (PNG, third edition, 11.3.2.3)."""
    ramp = Image.linear_gradient("L").convert("RGB")
    made = result(_saved(ramp, "PNG", icc_profile=icc_profiles.p3_profile()), 256, keep=("icc",)).data

    assert Image.open(io.BytesIO(made)).mode in ("RGB", "P")
    assert np.abs(np.asarray(opened(made).convert("RGB"), int) - np.asarray(ramp, int)).max() == 0


def test_a_profile_bomb_is_not_kept() -> None:
    """A PNG whose profile is a hundred times as large as its file."""
    made = result(hostile_files.png_profile_bomb(), 64, keep=("icc",)).data

    assert len(made) < 100_000
    assert "icc_profile" not in opened(made).info


# --- dpi ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("dpi", [72, 300, 9600])
def test_jpeg_and_png_state_their_resolution(dpi: int) -> None:
    """In pixels an inch (JFIF 1.02), and in pixels a meter (PNG, third edition, 11.3.4.3)."""
    jpeg, png, webp = (result(image_files.jpeg(), 48, output=kind, dpi=dpi).data for kind in ("jpeg", "png", "webp"))

    assert struct.unpack_from(">BHH", jpeg, 13) == (1, dpi, dpi)
    assert struct.unpack_from(">IIB", png, png.index(b"pHYs") + 4) == (round(dpi / 0.0254), round(dpi / 0.0254), 1)
    assert "dpi" not in opened(webp).info


def test_an_image_that_has_its_size_already_states_the_resolution_too() -> None:
    """It is encoded anew for it."""
    made = result(image_files.jpeg(quality=60), 96, output="jpeg", dpi=150).data

    assert opened(made).info["dpi"] == (150, 150)
