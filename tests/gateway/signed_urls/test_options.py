"""What a signed URL may ask for."""

import pytest

from imageconverter.engine import Target
from imageconverter.errors import InvalidValue
from imageconverter.images.formats_file import parse_formats
from imageconverter.settings import SignedUrlSettings
from services.gateway.signed_urls.options import OptionsParser, SignedOptions, parse_options

SETTINGS = SignedUrlSettings(max_side=2000)
TEXT = """
[[format]]
id = "normalProduct"
aliases = ["normal"]
name = "normal"
type = "product"
targetDirectory = "products/normal"
maxWidth = 320
maxHeight = 320
output = "jpeg"
variants = ["avif", "webp"]

[[format]]
id = "wide"
name = "wide"
type = "product"
targetDirectory = "products/wide"
widths = [320, 640]"""
FORMATS = parse_formats(TEXT, "test")


def parsed(text: str, settings: SignedUrlSettings = SETTINGS) -> SignedOptions:
    """Return the options in *text*."""
    return parse_options(text, settings, FORMATS)


def target(options: str) -> Target:
    """Return the target of *options*."""
    found = parsed(f"{options}/products/a.jpg")
    assert found.path == "products/a.jpg"
    return found.target


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("rs:fit:300:200", {"max_width": 300, "max_height": 200, "fit": "contain"}),
        ("resize:fill:300:200:1", {"max_width": 300, "max_height": 200, "fit": "crop", "upscale": True}),
        ("rs:fill:300:200/g:sm", {"fit": "crop", "focus": "saliency", "focal_point": False}),
        ("rs:fill:300:200/g:obj:face", {"fit": "crop", "focus": "face", "focal_point": False}),
        ("rs:fill:300:200/g:fp:0.25:1", {"fit": "crop", "focus": (0.25, 1.0)}),
        ("rt:fill/s:300:200/gravity:ce", {"fit": "crop", "max_width": 300, "focus": "centre"}),
        ("rs:fit:300:200/ex:1/bg:FF0000", {"fit": "pad", "background": "#ff0000"}),
        ("rs::300:200", {"fit": "contain", "max_width": 300, "max_height": 200}),
        ("w:300", {"max_width": 300, "max_height": 2000}),
        ("width:0/height:200", {"max_width": 2000, "max_height": 200}),
        ("q:80", {"quality": 80, "max_width": 2000, "max_height": 2000}),
        ("w:300/el:1", {"upscale": True, "max_width": 300, "max_height": 2000}),
        ("f:webp", {"output": "webp"}),
        ("ext:jpg", {"output": "jpeg"}),
        ("w:300/cb:2026-11.a_b", {"max_width": 300, "output": "auto", "quality": 82, "upscale": False}),
    ],
)
def test_options_of_imgproxy_are_understood(options: str, expected: dict[str, object]) -> None:
    """In their long and short forms. Both sides are always bounded, and an animation becomes one frame."""
    found = target(options)

    assert {name: getattr(found, name) for name in expected} == expected
    assert not found.animation


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("blur:5", "There is no option 'blur'."),
        ("W:300", "There is no option 'W'."),
        (":300", "There is no option ''."),
        ("w:300:200", "The option 'w' has too many arguments."),
        ("rs:fit:1:1:0:0", "The option 'rs' has too many arguments."),
        ("w:300/width:300", "The option 'w' is stated twice."),
        ("rs:fit:300/w:200", "The option 'w' is stated twice."),
        ("w:2001", "The option w must be a whole number from 0 to 2000."),
        ("h:" + "9" * 4000, "The option h must be a whole number from 0 to 2000."),
        ("w:-1", "The option w must be a whole number from 0 to 2000."),
        ("w:٣", "The option w must be a whole number from 0 to 2000."),
        ("w:1e3", "The option w must be a whole number from 0 to 2000."),
        ("w:", "The option w must be a whole number from 0 to 2000."),
        ("w:010", "The option w must be a whole number from 0 to 2000."),
        ("q:0", "The option q must be a whole number from 1 to 100."),
        ("el:true", "The option el must be a whole number from 0 to 1."),
        ("rs:force:1:1", "The option rt must be one of fit, fill."),
        ("rs:fill:300", "The options rt:fill and ex need a width and a height."),
        ("rs:fill:1:1/ex:1", "The option ex needs rt:fit."),
        ("ex:1", "The options rt:fill and ex need a width and a height."),
        ("f:gif", "The option f must be one of jpg, png, webp, avif."),
        ("f:", "The option f must be one of jpg, png, webp, avif."),
        ("g:no", "The option g must be ce, sm, fp:X:Y with shares from 0 to 1, or obj:face with the extra faces."),
        (
            "g:fp:0.5",
            "The option g must be ce, sm, fp:X:Y with shares from 0 to 1, or obj:face with the extra faces.",
        ),
        (
            "g:fp:nan:1.1",
            "The option g must be ce, sm, fp:X:Y with shares from 0 to 1, or obj:face with the extra faces.",
        ),
        ("bg:red", "The option bg must be a color such as ffffff."),
        ("cb:", "The option cb must be 1 to 64 letters, digits, dots, underscores and hyphens."),
        ("exp:0", "The option exp must be a whole number from 1 to 9999999999."),
        ("pr:none", "The image format 'none' is not configured."),
        ("pr:wide", "The image format 'wide' is not configured."),
        ("pr:normal/w:300", "The option 'w' cannot be combined with pr."),
    ],
)
def test_what_is_unknown_or_out_of_bounds_is_refused(options: str, reason: str) -> None:
    """The reason names the option."""
    with pytest.raises(InvalidValue) as error:
        parsed(f"{options}/products/a.jpg")
    assert error.value.reason.replace("“", "'").replace("”", "'").replace('"', "'") == reason


def test_only_configured_types_are_allowed() -> None:
    """Also where the client's `Accept` decides."""
    settings = SignedUrlSettings(types="jpg,webp")

    assert parsed("f:auto/a.jpg", settings).variants == ("webp",)
    assert parsed("f:auto/a.jpg").variants == ("avif", "webp")
    assert parsed("w:5/a.jpg").variants == ()
    with pytest.raises(InvalidValue):
        parsed("f:avif/a.jpg", settings)


@pytest.mark.parametrize("name", ["normalProduct", "normal"])
def test_a_preset_is_an_image_format(name: str) -> None:
    """By its id or an alias; its variants are made on request too."""
    found = parsed(f"pr:{name}/exp:5/a.jpg")

    assert found.target == FORMATS["content.imageFormat.normal"].as_target().without_variants
    assert (found.variants, found.expires, found.output) == (("avif", "webp"), 5, "jpeg")
    assert parsed("preset:wide-640w/a.jpg").target.max_width == 640


def test_the_path_begins_behind_the_last_option() -> None:
    """It may contain colons later on."""
    assert parsed("w:5/products/b:c/d:e.jpg").path == "products/b:c/d:e.jpg"
    assert parsed("w:5").path == ""


@pytest.mark.parametrize("types", ["", "gif", "jpg,,png"])
def test_an_unknown_type_in_the_settings_is_an_error(types: str) -> None:
    """GIF is none of those that can be made on request."""
    with pytest.raises(ValueError, match="is not one of"):
        SignedUrlSettings(types=types)


def test_what_was_parsed_is_kept_until_the_formats_change() -> None:
    """A preset is that of the formats in effect."""
    parser = OptionsParser(SETTINGS)
    first = parser.parse("pr:normal/a.jpg", FORMATS)
    assert parser.parse("pr:normal/a.jpg", FORMATS) is first

    changed = parse_formats(TEXT.replace("320\noutput", "30\noutput"), "test")
    assert (first.target.max_height, parser.parse("pr:normal/a.jpg", changed).target.max_height) == (320, 30)
