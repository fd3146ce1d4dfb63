"""`imageconverter convert --local`: converts in sandbox processes on this machine, on all cores."""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from imageconverter.engine import ENGINE_VERSION, OUTPUT_TYPES, Converted, Failed, Target
from imageconverter.errors import ImageError, InvalidValue
from imageconverter.images.formats_file import load_formats
from imageconverter.images.image_formats import ID_PREFIX, ImageFormats
from imageconverter.settings import Settings, load_settings
from services.cli.conversion_outcome import ConversionOutcome, Output, OutputFiles
from services.cli.local_files import found_images
from services.cli.progress import Progress
from services.cli.terminal import CommandError, escape_for_terminal
from services.client.downloads import replacing
from services.client.known_files import KnownFiles
from services.client.local_images import Failure, LocalImage
from services.runtime.logs import set_up_logging
from services.stack.formats_file import formats_file
from services.worker.sandbox.pool import SandboxPool

_MADE = "made"
_PER_PROCESS = 2  # while a process converts one image, the next is read and the last is written


class _LocalFormat(NamedTuple):
    """What images are converted to."""

    id: str
    """"" for a box."""
    target: Target
    directory: str
    """The folder below that of the output, "" for none."""


async def convert_locally(
    paths: Sequence[Path], formats: Sequence[str], box: Mapping[str, Any], folder: Path, *, recursive: bool
) -> int:
    """Convert the images among *paths* to *formats*, or to the *box* of options, into *folder*.

    Returns the exit status. Raises CommandError for what cannot be started.
    """
    began = time.monotonic()
    settings = load_settings()
    set_up_logging(settings.process, role="convert")
    targets = [_box(box)] if box else _select(load_formats(formats_file(settings)), formats)
    found = await found_images(paths, recursive=recursive, without=folder)
    outcome = ConversionOutcome(skipped=found.skipped, failures=list(found.failures), destination=str(folder))
    outcome.images = len(found.images) + len(found.failures)
    with KnownFiles(settings.process.cache_folder, _MADE) as known, Progress("converting") as progress:
        files = OutputFiles(folder, found.images)
        conversion = _LocalConversion(settings, targets, files, outcome, known, progress)
        await conversion.run(found.images)
    outcome.seconds = time.monotonic() - began
    return outcome.print()


def _box(options: Mapping[str, Any]) -> _LocalFormat:
    fields = {"max_width": options.get("width"), "max_height": options.get("height"), "fit": options.get("fit")}
    more = {"output": options.get("output_type"), "quality": options.get("quality")}
    given = {name: value for name, value in {**fields, **more}.items() if value is not None}
    return _LocalFormat("", Target(**{"max_width": None, "max_height": None, **given}), "")


def _select(catalog: ImageFormats, formats: Sequence[str]) -> list[_LocalFormat]:
    try:
        selected = catalog.select([each if each.startswith(ID_PREFIX) else ID_PREFIX + each for each in formats])
    except InvalidValue as error:
        there = ", ".join([*catalog, *catalog.sets])
        raise CommandError(escape_for_terminal(f"--format: {error.reason} There are: {there}")) from None
    return [
        _LocalFormat(each.node_id, each.as_target().without_variants, each.id if len(selected) > 1 else "")
        for each in selected
    ]


@dataclass
class _LocalConversion:
    """A conversion of local images to local files."""

    settings: Settings
    formats: Sequence[_LocalFormat]
    files: OutputFiles
    outcome: ConversionOutcome
    known: KnownFiles
    progress: Progress
    done: int = 0

    async def run(self, images: Sequence[LocalImage]) -> None:
        """Convert *images*, as many at a time as there are cores; those that are up to date are not read."""
        pending = [(image, wanted) for image in images if (wanted := self._outdated(image))]
        self.done = len(images) - len(pending)
        self.progress.show(self.done, len(images), len(self.outcome.failures))
        if not pending:
            return
        worker, conversion = self.settings.worker, self.settings.conversion
        pool = SandboxPool(worker, max_pixels=conversion.max_pixels, truncated=conversion.accepts_truncated)
        left = iter(pending)

        async def work_off() -> None:
            for image, wanted in left:
                await self._convert(pool, image, wanted)
                self.done += 1
                self.progress.show(self.done, len(images), len(self.outcome.failures))

        async with pool, asyncio.TaskGroup() as group:
            for _ in range(_PER_PROCESS * worker.process_count):
                group.create_task(work_off())

    def _outdated(self, image: LocalImage) -> list[_LocalFormat]:
        """Return the formats to which *image* must be converted; record the outputs that are up to date."""
        wanted = []
        for each in self.formats:
            made = [
                file
                for output in each.target.possible_outputs
                if self.known.current(_MADE, file := self._file(image, each, output)) == _fingerprint(image, each)
            ]
            if made:
                self.files.claim(made[0], image)
                self.outcome.outputs.append(Output(image.relative_path, each.id, str(made[0]), is_new=False))
            else:
                wanted.append(each)
        return wanted

    def _file(self, image: LocalImage, each: _LocalFormat, output: str) -> Path:
        return self.files.of(image, OUTPUT_TYPES[output].extensions, each.directory)  # type: ignore[index]

    async def _convert(self, pool: SandboxPool, image: LocalImage, wanted: Sequence[_LocalFormat]) -> None:
        try:
            data = await asyncio.to_thread(_read, image.path, self.settings.conversion.max_source_bytes)
            results = await pool.convert(data, [each.target for each in wanted], interactive=False)
            await asyncio.to_thread(self._write, image, wanted, results)
        except OSError as error:
            self._fail(image, error.strerror or "It cannot be read or written.")
        except ImageError as error:
            self._fail(image, error.reason)

    def _write(
        self, image: LocalImage, wanted: Sequence[_LocalFormat], results: Sequence[Converted | Failed]
    ) -> None:
        for each, result in zip(wanted, results, strict=True):
            if isinstance(result, Failed):
                self._fail(image, result.reason)
                continue
            file = self._file(image, each, result.output)
            self.files.claim(file, image)
            with replacing(file) as out:
                out.write(result.data)
            self.known.add_new(_MADE, file, _fingerprint(image, each))
            self.outcome.outputs.append(Output(image.relative_path, each.id, str(file), is_new=True))
            if result.warning:
                self.outcome.warnings.append(Failure(image.relative_path, result.warning))

    def _fail(self, image: LocalImage, reason: str) -> None:
        self.outcome.failures.append(Failure(image.relative_path, reason))


def _fingerprint(image: LocalImage, each: _LocalFormat) -> str:
    """Return a fingerprint of everything that an output depends on, without reading the image."""
    parts = (ENGINE_VERSION, str(image.path.absolute()), repr(image.signature), each.target.model_dump_json())
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def _read(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OSError(0, "It is larger than IMAGECONVERTER_MAX_SOURCE_MB.")
    return data
