"""`imageconverter convert`: upload a local folder, convert it in one run and print the result."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from services.cli import terminal
from services.cli.options import with_api
from services.cli.progress import Progress, pluralize
from services.cli.terminal import CommandError, escape_for_terminal
from services.client.api import ApiError, ImagesApi, ServerUnavailableError
from services.client.folder import Failure, Folder, LocalImage, read_folder
from services.client.upload import Upload

_CANCEL_SECONDS = 40.0


def _require_folder(_context: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    if not path.is_dir():
        raise CommandError(f"{escape_for_terminal(str(path))} is not a folder")
    return path


@click.command
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), callback=_require_folder)
@click.option("--format", "formats", metavar="ID", multiple=True, required=True, help="Can be repeated.")
@click.option(
    "--action", metavar="NAME", default="convert", show_default=True, help="The name of the run in the history."
)
@with_api
async def convert(api: ImagesApi, directory: Path, formats: Sequence[str], action: str) -> int:
    """Convert all images below the local folder DIR."""
    began = time.monotonic()
    if (await api.status())["running"]:
        raise ServerUnavailableError("a run is in progress; follow it with `imageconverter status --watch`")
    folder = await asyncio.to_thread(read_folder, directory)
    conversion = _Conversion(api, folder, list(dict.fromkeys(formats)), action)
    await conversion.run()
    return conversion.print_result(time.monotonic() - began)


@dataclass
class _Conversion:
    """The conversion of one folder."""

    api: ImagesApi
    folder: Folder
    formats: Sequence[str]
    action: str
    uploaded: list[LocalImage] = field(default_factory=list)
    converted: set[str] = field(default_factory=set)
    """Names of the images that were converted to all formats."""
    failures: list[Failure] = field(default_factory=list)
    warnings: list[Failure] = field(default_factory=list)
    output_directories: set[str] = field(default_factory=set)
    """The directories of the target tree that outputs were written to."""
    state: str = "finished"

    async def run(self) -> None:
        """Upload the images, convert them and collect the results."""
        self.failures += self.folder.failures
        if not self.folder.images:
            return
        directory = await self._upload()
        if not self.uploaded:
            return
        starting = asyncio.create_task(self.api.start(directory, self.formats, action=self.action))
        try:
            with Progress("converting") as progress:
                progress.show(0, len(self.uploaded), 0)
                run = await asyncio.shield(starting)  # a run that is being started must be canceled as well
                async for state in self.api.events(run):
                    done, errors = state["progress"]["finished"], state["counter"]["error"]
                    progress.show(done, max(len(self.uploaded), state["progress"]["total"]), errors)
                    self.state = state["status"]
            await self._collect_results(run)
        except asyncio.CancelledError:
            await self._cancel(starting)
            raise

    async def _upload(self) -> str:
        images = self.folder.images
        with Progress("uploading") as progress:
            upload = Upload(self.api, self.formats, lambda done, errors: progress.show(done, len(images), errors))
            await upload.send(images)
        self.uploaded = upload.sent
        self.failures += upload.failures
        return upload.directory

    async def _cancel(self, starting: asyncio.Task[str]) -> None:
        """Cancel the run, unless it has ended: another one may be running by now."""
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                run = await starting
                if (await self.api.run_status(run))["running"]:
                    await self.api.cancel()
                    terminal.print_error("the run was canceled")
        except (ApiError, TimeoutError) as error:
            reason = escape_for_terminal(str(error)) or "the request timed out"
            terminal.print_error(f"the run could not be canceled: {reason}")

    async def _collect_results(self, run: str) -> None:
        paths = {image.name: image.relative_path for image in self.uploaded}
        messages: dict[tuple[str, str, str], list[str]] = {}
        seen, failed = set(), set()
        async for row in self.api.results(run):
            name = row["sourceFilename"]
            seen.add(name)
            if row["status"] in ("error", "warning"):
                messages.setdefault((row["status"], name, row["message"]), []).append(row["format"])
            if row["status"] == "error":
                failed.add(name)
            else:
                self.output_directories.add(row["output"].rpartition("/")[0])
        for (status, name, message), formats in messages.items():
            suffix = f" ({', '.join(formats)})" if len(formats) < len(self.formats) else ""
            target = self.failures if status == "error" else self.warnings
            target.append(Failure(paths.get(name, name), message + suffix))
        self.converted = seen - failed
        if self.state == "finished":
            missing = [path for name, path in paths.items() if name not in seen]
            self.failures += [Failure(path, "The server has no result for it.") for path in missing]

    def print_result(self, seconds: float) -> int:
        """Print the result after *seconds*; returns the exit status. Raises CommandError if there are no images."""
        folder = self.folder
        _print_list("skipped, not an image", folder.skipped)
        _print_list(
            "renamed", [f"{image.relative_path} -> {image.name}" for image in folder.images if image.is_renamed]
        )
        _print_list("warnings", [f"{path}: {reason}" for path, reason in self.warnings])
        _print_list("failed", [f"{path}: {reason}" for path, reason in sorted(self.failures)])
        if not folder.images and not self.failures:
            raise CommandError("there are no images in the folder")
        rate = len(self.converted) / seconds if seconds else 0.0
        click.echo(
            f"{len(self.converted)} of {pluralize(len(folder.images) + len(folder.failures), 'image')} converted, "
            f"{len({path for path, _ in self.failures})} failed, {len(folder.skipped)} skipped; "
            f"{seconds:.1f} s, {rate:.1f} images/s"
        )
        if self.output_directories:
            directories = sorted(escape_for_terminal(each) for each in self.output_directories)
            click.echo(f"the results are in {', '.join(directories)}")
        if self.state != "finished":
            terminal.print_error(f"the run has not finished, its status is: {escape_for_terminal(self.state)}")
        return terminal.FAILED if self.failures or self.state != "finished" else 0


def _print_list(title: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo(f"{title}:")
        for line in lines:
            click.echo(f"  {escape_for_terminal(line)}")
