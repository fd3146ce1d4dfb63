"""The recipes in docs/formats-cookbook.md, and the images that the engine makes by them."""

import io
import re
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from imageconverter.engine import OUTPUT_TYPES, Converted, Limits
from imageconverter.engine.decode import open_image
from imageconverter.engine.pipeline import convert
from imageconverter.engine.target import VariantType
from imageconverter.images.formats_file import parse_formats
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.names import with_extension

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DOCUMENT = IMAGES.parent / "formats-cookbook.md"

# Those of each recipe, by its name.
_SOURCES = {
    "square": ("coffee.jpg",),
    "padded": ("coffee.jpg", "lamp.png"),
    "logo": ("logo.png",),
    "modern": ("coffee.jpg",),
    "auto": ("coffee.jpg", "logo.png"),
    "limited": ("coffee.jpg",),
    "responsive": ("coffee.jpg",),
    "animated": ("turn.gif",),
    "still": ("turn.gif",),
    "enlarged": ("icon.png",),
    "kept": ("coffee.jpg", "logo.png", "layers.xcf"),
    "screenshot": ("screenshot.png",),
    "retina": ("lamp.png",),
    "banner": ("coffee.jpg",),
    "zoom": ("lamp.png",),
    "print": ("lamp.png",),
    "archive": ("layers.xcf", "inks.psd", "sky.fits", "scan.tif"),
    "credit": ("coffee.jpg",),
    "unchanged": ("cup.jpg",),
    "aliases": ("lamp.png",),
    "sharp": ("coffee.jpg",),
    "rounded": ("coffee.jpg",),
    "gray": ("coffee.jpg",),
    "dominant": ("coffee.jpg",),
    "trimmed": ("lamp.png",),
    "press": ("coffee.jpg",),
    "marked": ("lamp.png", "coffee.jpg"),
    "variants": ("coffee.jpg",),
}
_MAX_SHOWN = 320  # pixels


class Example(NamedTuple):
    """A format of a recipe, and a source that it is shown with."""

    recipe: str
    format: ImageFormat
    source: Path
    variant: VariantType | None = None
    """Of the format, if it is shown instead of the output."""

    @property
    def name(self) -> str:
        """That of the result's file, without its extension."""
        return "-".join(filter(None, (self.format.id, self.source.stem, self.variant)))

    @property
    def file(self) -> Path:
        """The result that the document shows; raises ValueError if there is not exactly one."""
        (file,) = (IMAGES / "cookbook").glob(f"{self.name}.*")
        return file

    def made(self) -> Converted:
        """Return what the engine makes of the source; raises AssertionError if that fails."""
        return self.made_of(self.source.read_bytes())

    def made_of(self, data: bytes) -> Converted:
        """Return what the engine makes of *data*; raises AssertionError if that fails."""
        mark = self.format.watermark
        watermarks = {mark: (IMAGES / "sources" / mark).read_bytes()} if mark else {}
        (result,) = convert(io.BytesIO(data), [self.format.as_target()], watermarks=watermarks)
        assert isinstance(result, Converted), result
        if self.variant is None:
            return result
        (variant,) = [each for each in result.variants if each.output == self.variant]
        return result._replace(data=variant.data, output=variant.output)


def recipes(text: str) -> dict[str, str]:
    """Return the entries of the formats file in the document *text*, by the names of its recipes."""
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    return {
        marker[1]: entries[1]
        for section in sections
        if (entries := re.search(r"^```toml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
        and (marker := re.search(r"^<!-- /(\w+) -->$", section, re.MULTILINE))
    }


def examples(text: str) -> list[Example]:
    """Return all formats of the document *text* with each of their sources."""
    return [
        Example(name, each, IMAGES / "sources" / source, variant)
        for name, entries in recipes(text).items()
        for source in _SOURCES[name]
        for each in parse_formats(entries, name).values()
        for variant in (None, *each.variants)
    ]


def tables(text: str) -> dict[str, str]:
    """Return the generated part of each recipe in the document *text*, of the files that are there."""
    rows: dict[str, list[str]] = {}
    for each in examples(text):
        name = f"`{each.format.id}`{', variant' if each.variant else ''}"
        shown = f"{_described(each.source)} | {name}: {_described(each.file)} | {_shown(each.file)}"
        rows.setdefault(each.recipe, ["| source | format | |", "|---|---|---|"]).append(f"| {shown} |")
    return {name: "\n".join(lines) for name, lines in rows.items()}


def _described(file: Path) -> str:
    """Return type, extents and bytes of *file*; its name too if it is a source."""
    data = file.read_bytes()
    image, info = open_image(io.BytesIO(data), Limits())
    with image:
        width, height = info.size
        frames = f", {count} frames" if (count := getattr(image, "n_frames", 1)) > 1 else ""
    name = f"[{file.name}](images/sources/{file.name}): " if file.parent.name == "sources" else ""
    return (
        f"{name}{info.format.name}, {width:,} \N{MULTIPLICATION SIGN} {height:,}{frames}, {len(data) / 1000:.1f} kB"
    )


def _shown(file: Path) -> str:
    with Image.open(file) as image:
        scale = min(1, _MAX_SHOWN / max(image.size))
    return f'<img src="images/cookbook/{file.name}" width="{round(image.width * scale)}" alt="">'


def write_images() -> None:
    """Make all images of the document anew."""
    folder = IMAGES / "cookbook"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for each in examples(DOCUMENT.read_text(encoding="utf-8")):
        result = each.made()
        (folder / with_extension(each.name, OUTPUT_TYPES[result.output].extensions)).write_bytes(result.data)
