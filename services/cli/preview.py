"""`imageconverter formats preview`: convert an image on this machine, as a worker would."""

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePath

import click

from imageconverter.engine import OUTPUT_TYPES, Converted, Failed
from imageconverter.errors import ImageError, InvalidValue
from imageconverter.images.formats_file import load_formats
from imageconverter.images.image_formats import ID_PREFIX, ImageFormat, ImageFormats
from imageconverter.images.names import with_extension
from imageconverter.settings import Settings, load_settings
from services.cli import terminal
from services.cli.terminal import CommandError, escape_for_terminal
from services.runtime.logs import set_up_logging
from services.stack.formats_file import formats_file
from services.worker.sandbox.pool import SandboxPool


@click.command
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--format", "format_id", metavar="ID", required=True, help="A format or a set.")
@click.option(
    "-o", "--output", metavar="FILE", help="- is stdout. Default: the image's name with the id, in this folder."
)
@click.option(
    "--formats", "file", metavar="FILE", type=click.Path(path_type=Path), help="Default: the file of the settings."
)
def preview(image: Path, format_id: str, output: str | None, file: Path | None) -> int:
    """Convert IMAGE to an image format on this machine.

    In a sandbox process, as a worker does, and without a server.
    """
    settings = load_settings()
    set_up_logging(settings.process, role="preview")
    formats = _select(load_formats(file or formats_file(settings)), format_id)
    if output is not None and len(formats) > 1:
        names = ", ".join(each.node_id for each in formats)
        raise CommandError(f"-o: {format_id} is a set and makes several files; name one of {names}")
    try:
        results = asyncio.run(_convert(_read(image, settings.conversion.max_source_bytes), formats, settings))
    except ImageError as error:
        raise CommandError(escape_for_terminal(f"{image}: {error.reason}")) from None
    done = [_write(image, each, result, output) for each, result in zip(formats, results, strict=True)]
    return 0 if all(done) else terminal.FAILED


def _select(catalog: ImageFormats, format_id: str) -> list[ImageFormat]:
    node_id = format_id if format_id.startswith(ID_PREFIX) else ID_PREFIX + format_id
    try:
        return catalog.select([node_id])
    except InvalidValue:
        there = ", ".join([*catalog, *catalog.sets])
        unknown = escape_for_terminal(format_id)
        raise CommandError(f"--format: {unknown} is not configured; there are: {there}") from None


def _read(image: Path, max_bytes: int) -> bytes:
    try:
        with image.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise CommandError(f"{escape_for_terminal(str(image))}: {error.strerror}") from None
    if len(data) > max_bytes:
        raise CommandError(f"{escape_for_terminal(str(image))}: is larger than IMAGECONVERTER_MAX_SOURCE_MB")
    return data


async def _convert(data: bytes, formats: Sequence[ImageFormat], settings: Settings) -> Sequence[Converted | Failed]:
    pool = SandboxPool(
        settings.worker.model_copy(update={"children": 1}),
        max_pixels=settings.conversion.max_pixels,
        truncated=settings.conversion.accepts_truncated,
    )
    async with pool:
        return await pool.convert(data, [each.as_target().without_variants for each in formats], interactive=True)


def _write(image: Path, each: ImageFormat, result: Converted | Failed, output: str | None) -> bool:
    """Write a result and describe it; returns whether there was one."""
    if isinstance(result, Failed):
        terminal.print_error(escape_for_terminal(f"{image}: {each.node_id}: {result.reason}"))
        return False
    path = output or _default_name(image, each, result)
    if path == "-":
        click.echo(result.data, nl=False)
    else:
        try:
            Path(path).write_bytes(result.data)
        except OSError as error:
            raise CommandError(f"{escape_for_terminal(path)}: {error.strerror}") from None
    width, height = result.size
    size = f"{max(1, round(len(result.data) / 1000))} kB"
    line = f"{path}: {result.output}, {width} x {height} pixels, {size}, {result.seconds:.2f} s"
    click.echo(escape_for_terminal(line), err=path == "-")
    if result.warning:
        terminal.print_error(escape_for_terminal(f"{image}: {result.warning}"))
    return True


def _default_name(image: Path, each: ImageFormat, result: Converted) -> str:
    name = PurePath(with_extension(image.name, OUTPUT_TYPES[result.output].extensions))
    return f"{name.stem}-{each.id}{name.suffix}"
