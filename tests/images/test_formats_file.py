"""The file that the catalog of formats is read from, and what is said about a broken one."""

from pathlib import Path

import pytest

from imageconverter.images.formats_file import FormatsFileError, load_formats, parse_formats

FORMAT = """[[format]]
id = "small"
name = "small"
type = "product"
targetDirectory = "small"
maxWidth = 100
maxHeight = 100
"""
OTHER = FORMAT.replace('"small"', '"other"')
FIELDS = (
    "maxWidth, maxHeight, fit, focus, focalPoint, fill, autoRotate, output, quality, targetScore, lossless, chroma, "
    "progressive, encoder, maxKilobytes, animation, reencode, background, upscale, leastSide, comment, "
    "sharpen, cornerRadius, gray, trim, keep, dpi, watermark, watermarkPosition, "
    "watermarkWidth, watermarkOpacity, variants, "
    "id, aliases, name, type, targetDirectory, sourceDirectory, automatic, follow, widths"
)


def problems(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a file, without its path."""
    file = folder / "formats.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FormatsFileError) as caught:
        load_formats(file)
    assert str(caught.value).splitlines() == [f"{file}: {each}" for each in caught.value.problems]
    return [str(each) for each in caught.value.problems]


def with_field(line: str) -> str:
    """Return a file whose eighth line is *line*."""
    return f"{FORMAT}{line}\n"


SIDE = "a whole number from 1 to 16384"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (with_field('output = "jpegxl"'),
         'line 8: output: "jpegxl" is not allowed; it must be one of keep, auto, jpeg, png, webp, avif, gif'),
        (with_field('fit = "stretch"'),
         'line 8: fit: "stretch" is not allowed; it must be one of contain, cover, crop, pad'),
        (with_field('chroma = "4:2:2"'), 'line 8: chroma: "4:2:2" is not allowed; it must be one of 4:2:0, 4:4:4'),
        (with_field('encoder = "mozjpeg"'),
         'line 8: encoder: "mozjpeg" is not allowed; it must be one of standard, small'),
        (FORMAT.replace('type = "product"', 'type = "shop"'),
         'line 4: type: "shop" is not allowed; it must be one of product, category, app'),
        (with_field('focus = "left"'),
         ('line 8: focus: "left" is not allowed; it must be "center", "entropy", "saliency", "face" or two numbers '
         "from 0 to 1 such as [0.5, 0.2]")),
        (with_field("focus = [0.5, 2]"),
         ('line 8: focus: [0.5, 2] is not allowed; it must be "center", "entropy", "saliency", "face" or two numbers '
         "from 0 to 1 such as [0.5, 0.2]")),
        (FORMAT.replace("maxWidth = 100", "maxWidth = 0"), f"line 6: maxWidth: 0 is not allowed; it must be {SIDE}"),
        (FORMAT.replace("maxWidth = 100", "maxWidth = 16385"),
         f"line 6: maxWidth: 16385 is not allowed; it must be {SIDE}"),
        (FORMAT.replace("maxWidth = 100", 'maxWidth = "wide"'),
         f'line 6: maxWidth: "wide" is not allowed; it must be {SIDE}'),
        (with_field("quality = 101"),
         'line 8: quality: 101 is not allowed; it must be a whole number from 1 to 100, or "auto"'),
        (with_field('quality = "best"'),
         'line 8: quality: "best" is not allowed; it must be a whole number from 1 to 100, or "auto"'),
        (with_field('quality = "auto"\ntargetScore = 0'),
         "line 9: targetScore: 0 is not allowed; it must be a whole number from 1 to 100"),
        (with_field("targetScore = 80"), 'line 8: targetScore: must not be there unless quality is "auto"'),
        (with_field("maxKilobytes = 0"),
         "line 8: maxKilobytes: 0 is not allowed; it must be a whole number of at least 1"),
        (with_field("automatic = true"),
         "line 8: automatic: must not be true without a sourceDirectory, which is none of uploads"),
        (with_field('follow = "mark"'), 'line 8: follow: must be "off" unless automatic is true'),
        (with_field('follow = "delete"'),
         'line 8: follow: "delete" is not allowed; it must be one of off, mark, trash'),
        (with_field('variants = ["jxl"]'),
         'line 8: variants: ["jxl"] is not allowed; it must be a list of avif and webp such as ["avif", "webp"]'),
        (with_field('output = "webp"\nvariants = ["avif", "webp"]'),
         'line 9: variants: must not have "webp", because that is the output'),
        (with_field('lossless = true\nvariants = ["avif"]'),
         'line 9: variants: must not have "avif" if the format is lossless, because AVIF is not'),
        (with_field("upscale = 7"), "line 8: upscale: 7 is not allowed; it must be true or false"),
        (with_field('background = "red"'),
         'line 8: background: "red" is not allowed; it must be a color such as "#ffffff", or "dominant"'),
        (with_field("cornerRadius = -1"),
         'line 8: cornerRadius: -1 is not allowed; it must be a whole number from 0 to 16384, or "max"'),
        (with_field("trim = true"),
         "line 8: trim: true is not allowed; it must be a whole number from 0 to 255"),
        (with_field('keep = ["exif"]'),
         'line 8: keep: ["exif"] is not allowed; it must be a list of "copyright" and "icc"'),
        (with_field("dpi = 0"), "line 8: dpi: 0 is not allowed; it must be a whole number from 1 to 9600"),
        (with_field('watermark = "../logo.png"'),
         'line 8: watermark: The name ".." is empty, only dots, or begins or ends with a space.'),
        (with_field('watermark = "a.png"\nwatermarkPosition = "middle"'),
         ('line 9: watermarkPosition: "middle" is not allowed; it must be one of center, top, bottom, left, right, '
         "topLeft, topRight, bottomLeft, bottomRight, repeat")),
        (with_field('watermark = "a.png"\nwatermarkWidth = 25'),
         "line 9: watermarkWidth: 25 is not allowed; it must be a number from 0.01 to 1"),
        (with_field("watermarkOpacity = 0.5"), "line 8: watermarkOpacity: must not be there without watermark"),
        (with_field("sharpen = 201"),
         "line 8: sharpen: 201 is not allowed; it must be a whole number from 0 to 200"),
        (with_field('aliases = ["a", "b c"]'),
         ('line 8: aliases: ["a", "b c"] is not allowed; it must be a list of ids: 1 to 64 letters, digits, - and _ '
         "each")),
        (FORMAT.replace('id = "small"', 'id = "a b"'),
         'line 2: id: "a b" is not allowed; it must be 1 to 64 letters, digits, - and _'),
        (FORMAT.replace('name = "small"', 'name = ""'),
         'line 3: name: "" is not allowed; it must be a text that is not empty'),
        (with_field(f'comment = "{"c" * 201}"'),
         f'line 8: comment: "{"c" * 59}… is not allowed; it must be a text of at most 200 characters'),
        (FORMAT.replace('targetDirectory = "small"', 'targetDirectory = "../up"'),
         'line 5: targetDirectory: The name ".." is empty, only dots, or begins or ends with a space.'),
        (FORMAT.replace('targetDirectory = "small"', 'targetDirectory = "_/small"'),
         'line 5: targetDirectory: must not begin with "_", which is for signed URLs'),
        (FORMAT.replace('targetDirectory = "small"', "targetDirectory = 5"),
         "line 5: targetDirectory: 5 is not allowed; it must be a text"),
        (FORMAT.replace("maxHeight = 100\n", ""), f"line 1: maxHeight: is missing; it must be {SIDE}"),
        (FORMAT + "\n" + OTHER.replace('type = "product"\n', ""),
         "line 9: type: is missing; it must be one of product, category, app"),
        (with_field("maxHeigth = 100"),
         f'line 8: maxHeigth: there is no such field, did you mean "maxHeight"? The fields are: {FIELDS}'),
        (with_field("zzz = 3"), f"line 8: zzz: there is no such field. The fields are: {FIELDS}"),
        (FORMAT + OTHER + 'aliases = ["small"]\n',
         'line 15: aliases: "small" is used twice, first in line 2'),
        (FORMAT + FORMAT.replace('Directory = "small"', 'Directory = "b"'),
         'line 9: id: "small" is used twice, first in line 2'),
        (FORMAT.replace("[[format]]", "[[formats]]"),
         "line 1: formats: formats are tables that begin with [[format]]"),
        (FORMAT.replace("[[format]]", "[format]"), "line 1: format: formats are tables that begin with [[format]]"),
        ("\nformat = 3\n", "line 2: format: formats are tables that begin with [[format]]"),
        (with_field("background = red"), "line 8, column 14: Invalid value"),
        ('x = """a', "Unterminated string (at end of document)"),
    ],
)  # fmt: skip
def test_a_problem_is_reported_with_its_line_its_field_and_what_is_allowed(
    tmp_path: Path, text: str, problem: str
) -> None:
    """So that a person finds it, and need not look for the document."""
    assert problems(tmp_path, text) == [problem]


@pytest.mark.parametrize("field", FIELDS.split(", "))
def test_every_field_says_what_it_may_be(tmp_path: Path, field: str) -> None:
    """A table is allowed nowhere."""
    lines = [line for line in FORMAT.splitlines() if not line.startswith(f"{field} =")]
    found = problems(tmp_path, "\n".join([*lines, f"{field} = {{ a = 1 }}"]))

    line, value = len(lines) + 1, '{"a": 1}'
    assert found[0].startswith(f"line {line}: {field}: {value} is not allowed; it must be ")


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """Each in a line of its own."""
    text = FORMAT.replace("maxWidth = 100", "maxWidth = 0") + OTHER.replace('"product"', '"shop"')

    assert [each.partition(" is ")[0] for each in problems(tmp_path, text)] == [
        "line 6: maxWidth: 0",
        'line 11: type: "shop"',
    ]


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(FormatsFileError, match=r"nowhere\.toml: No such file or directory"):
        load_formats(tmp_path / "nowhere.toml")
    with pytest.raises(FormatsFileError, match=r"latin\.toml: is not text in UTF-8"):
        load_formats(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("webp", "webp", "webp"),
        ("keep", "keep", "jpeg, png, webp, avif, gif"),
        ("keep", "webp", "webp"),
        ("auto", "keep", "jpeg, png"),
        ("auto", "png", "png"),
    ],
)
def test_formats_that_would_overwrite_each_other_are_refused(
    tmp_path: Path, one: str, other: str, common: str
) -> None:
    """With both ids and lines: one of the outputs would be lost."""
    text = f'{FORMAT}output = "{one}"\n' + OTHER.replace('y = "other"', 'y = "small"') + f'output = "{other}"\n'

    (found,) = problems(tmp_path, text)
    assert found == (
        'line 13: targetDirectory: "other" would overwrite the images of "small" (line 5): '
        f'both write {common} files to "small"'
    )


@pytest.mark.parametrize(("one", "other"), [("jpeg", "webp"), ("auto", "avif"), ("png", "gif")])
def test_formats_of_different_output_types_share_a_directory(tmp_path: Path, one: str, other: str) -> None:
    """Their files have different extensions."""
    file = tmp_path / "formats.toml"
    file.write_text(
        f'{FORMAT}output = "{one}"\n' + OTHER.replace('y = "other"', 'y = "small"') + f'output = "{other}"\n'
    )

    assert {each.target_directory for each in load_formats(file).values()} == {"small"}


def test_faces_need_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem names it."""
    text = with_field('fit = "crop"\nfocus = "face"')
    assert parse_formats(text, "file")["content.imageFormat.small"].focus == "face"
    monkeypatch.setattr("imageconverter.engine.face_extra.find_spec", lambda _name: None)

    with pytest.raises(FormatsFileError, match=r'line 9: focus: must not be "face" without the extra faces'):
        parse_formats(text, "file")
