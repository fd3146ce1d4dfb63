"""What `imageconverter convert` has done, and how it is printed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from imageconverter.images.names import with_extension
from services.cli import output, terminal
from services.cli.local_files import failure_rows, print_failures, print_list
from services.cli.terminal import CommandError, pluralize
from services.client.local_images import Failure, LocalImage

_LISTED = 20


@dataclass
class Output:
    """An image that was made."""

    source: str
    """Relative path of its source."""
    format: str
    """Id of its format, "" for a box."""
    place: str
    """Its file, or its URL."""
    is_new: bool
    """False if it was up to date."""


@dataclass
class ConversionOutcome:
    """The outcome of all images."""

    images: int = 0
    skipped: Sequence[str] = ()
    """Files that are not images."""
    renamed: Sequence[str] = ()
    sent: int = 0
    failures: list[Failure] = field(default_factory=list)
    warnings: list[Failure] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    state: str = "finished"
    """That of the run."""
    seconds: float = 0.0
    destination: str = ""
    """Where the results are."""

    def print(self) -> int:
        """Print it and return the exit status. Raises CommandError if there are no images."""
        print_list("skipped, not an image", self.skipped)
        print_list("renamed", self.renamed)
        print_list("warnings", [f"{path}: {reason}" for path, reason in self.warnings])
        print_failures(self.failures)
        if not self.images and not self.failures:
            raise CommandError("there are no images")
        failed = {path for path, _ in self.failures}
        converted = {each.source for each in self.outputs if each.is_new} - failed
        current = {each.source for each in self.outputs} - converted - failed
        rate = (len(converted) + len(current)) / self.seconds if self.seconds else 0.0
        output.echo(
            f"{len(converted)} of {pluralize(self.images, 'image')} converted, {len(current)} up to date, "
            f"{len(failed)} failed, {len(self.skipped)} skipped; {self.seconds:.1f} s, {rate:.1f} images/s"
        )
        if self.destination:
            output.echo(f"the results are in {self.destination}")
        elif self.outputs:
            output.echo("\n".join(each.place for each in self.outputs[:_LISTED]))
            if len(self.outputs) > _LISTED:
                output.echo(f"… and {len(self.outputs) - _LISTED} more; --output DIR downloads them")
        if self.state != "finished":
            terminal.print_error(f"the run has not finished, its status is: {self.state}")
        output.result(
            {
                "images": self.images,
                "sent": self.sent,
                "state": self.state,
                "seconds": round(self.seconds, 3),
                "outputs": [
                    {"source": each.source, "format": each.format, "output": each.place, "new": each.is_new}
                    for each in self.outputs
                ],
                "warnings": failure_rows(self.warnings),
                "failed": failure_rows(self.failures),
                "skipped": list(self.skipped),
            }
        )
        return terminal.FAILED if self.failures or self.state != "finished" else 0


class OutputFiles:
    """The files that outputs are written to: never a source, and one for each output."""

    def __init__(self, folder: Path, images: Iterable[LocalImage]) -> None:
        """Write the outputs of *images* to *folder*."""
        self._folder = folder
        self._sources = {image.path.resolve() for image in images}
        self._claimed: dict[Path, str] = {}

    def of(self, image: LocalImage, extensions: tuple[str, ...], directory: str = "") -> Path:
        """Return the file for an output of *image*: its relative path in the folder, with one of the *extensions*.

        Below a *directory* if there is one for each format.
        """
        relative = PurePath(image.relative_path)
        return self._folder / directory / relative.parent / with_extension(relative.name, extensions)

    def claim(self, file: Path, image: LocalImage) -> None:
        """Make *file* that of an output of *image*. Raises FileExistsError if it is a source or that of another."""
        if file.resolve() in self._sources:
            raise FileExistsError(0, "The result would replace the source; choose another --output.")
        if self._claimed.setdefault(file, str(image.path)) != str(image.path):
            raise FileExistsError(0, f"{file} is the result of {self._claimed[file]} already.")
