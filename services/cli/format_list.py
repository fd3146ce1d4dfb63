"""`imageconverter formats list` and `check`."""

from pathlib import Path

import click

from imageconverter.images.formats_file import load_formats
from imageconverter.images.image_formats import ImageFormat, ImageFormats
from imageconverter.settings import load_settings
from services.cli import output
from services.cli.output import output_options
from services.cli.terminal import pluralize
from services.stack.formats_file import formats_file


@click.command("list")
@click.option(
    "--formats", "file", metavar="FILE", type=click.Path(path_type=Path), help="Default: the file of the settings."
)
@output_options
def list_formats(file: Path | None) -> int:
    """Print the image formats, one a line."""
    _print(load_formats(file or formats_file(load_settings())))
    return 0


@click.command
@click.argument("file", type=click.Path(path_type=Path), required=False)
@output_options
def check(file: Path | None) -> int:
    """Check the formats file FILE and print its formats.

    Default: the file of the settings. If it is invalid, each problem is printed with its line; the exit status is 2.
    """
    catalog = load_formats(file or formats_file(load_settings()))
    output.echo(f"OK: {pluralize(len(catalog), 'format')}")
    _print(catalog)
    return 0


def _print(catalog: ImageFormats) -> None:
    output.table([_row(each) for each in catalog.values()])
    output.result([each.model_dump(mode="json", by_alias=True) | {"id": each.node_id} for each in catalog.values()])


def _row(each: ImageFormat) -> tuple[str, ...]:
    """Return the cells of a format: id, type, box, output and directory."""
    box = f"{each.max_width or 'any'} x {each.max_height or 'any'}"
    return each.node_id, each.type, f"{box} {each.fit}", each.output, each.target_directory
