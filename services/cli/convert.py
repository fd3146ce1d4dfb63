"""`imageconverter convert`: a local folder to the server, one run over it, and what became of it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imageconverter.settings import Settings, SettingsError
from services.cli import terminal
from services.cli.connection import find_access
from services.cli.progress import Progress, pluralize
from services.cli.terminal import escape_for_terminal
from services.client.api import ApiError, ImagesApi, ServerUnavailable, open_api
from services.client.folder import Failure, Folder, LocalImage, read_folder
from services.client.upload import Upload

_CANCEL_SECONDS = 40.0


def convert(
    settings: Settings, top: Path, formats: Sequence[str], *, server: str | None, key: str | None, action: str
) -> int:
    """Convert the images below *top* to *formats*; returns the exit status. Raises SettingsError."""
    access = find_access(settings, server=server, key=key)
    if not top.is_dir():
        raise SettingsError(f"{escape_for_terminal(str(top))} is not a folder")

    async def work() -> int:
        began = time.monotonic()
        async with open_api(access) as api:
            if (await api.status())["running"]:
                raise ServerUnavailable("a conversion is running already; `imageconverter status --watch` shows it")
            folder = await asyncio.to_thread(read_folder, top)
            conversion = _ConvertCommand(api, folder, list(dict.fromkeys(formats)), action)
            await conversion.run()
        return conversion.print_error(time.monotonic() - began)

    return terminal.run(work())


@dataclass
class _ConvertCommand:
    """One call of the command."""

    api: ImagesApi
    folder: Folder
    formats: Sequence[str]
    action: str
    sent: list[LocalImage] = field(default_factory=list)
    converted: set[str] = field(default_factory=set)
    """Names of the images that all outputs were made of."""
    failures: list[Failure] = field(default_factory=list)
    warnings: list[Failure] = field(default_factory=list)
    outputs: set[str] = field(default_factory=set)
    """The directories of the target tree that outputs lie in."""
    state: str = "finished"

    async def run(self) -> None:
        """Send the images, convert them and collect what became of them."""
        self.failures += self.folder.failures
        if not self.folder.images:
            return
        directory = await self._upload()
        if not self.sent:
            return
        starting = asyncio.create_task(self.api.start(directory, self.formats, action=self.action))
        try:
            with Progress("converting") as progress:
                progress.show(0, len(self.sent), 0)
                run = await asyncio.shield(starting)  # a run that is just being started is to be stopped, too
                async for stand in self.api.events(run):
                    done, errors = stand["progress"]["finished"], stand["counter"]["error"]
                    progress.show(done, max(len(self.sent), stand["progress"]["total"]), errors)
                    self.state = stand["status"]
            await self._collect(run)
        except asyncio.CancelledError:
            await self._cancel(starting)
            raise

    async def _upload(self) -> str:
        images = self.folder.images
        with Progress("uploading") as progress:
            upload = Upload(self.api, self.formats, lambda done, errors: progress.show(done, len(images), errors))
            await upload.send(images)
        self.sent = upload.sent
        self.failures += upload.failures
        return upload.directory

    async def _cancel(self, starting: asyncio.Task[str]) -> None:
        """Ask the server to stop the run, unless it has ended: by now another may be running."""
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                run = await starting
                if (await self.api.run_stands(run))["running"]:
                    await self.api.cancel()
                    terminal.print_error("the run was canceled")
        except (ApiError, TimeoutError) as error:
            terminal.print_error(
                f"the run could not be canceled: {escape_for_terminal(str(error)) or 'the server is too slow'}"
            )

    async def _collect(self, run: str) -> None:
        insides = {image.name: image.inside for image in self.sent}
        told: dict[tuple[str, str, str], list[str]] = {}
        seen, failed = set(), set()
        async for row in self.api.results(run):
            name = row["sourceFilename"]
            seen.add(name)
            if row["status"] in ("error", "warning"):
                told.setdefault((row["status"], name, row["message"]), []).append(row["format"])
            if row["status"] == "error":
                failed.add(name)
            else:
                self.outputs.add(row["output"].rpartition("/")[0])
        for (status, name, message), formats in told.items():
            some = f" ({', '.join(formats)})" if len(formats) < len(self.formats) else ""
            kind = self.failures if status == "error" else self.warnings
            kind.append(Failure(insides.get(name, name), message + some))
        self.converted = seen - failed
        if self.state == "finished":
            missing = [inside for name, inside in insides.items() if name not in seen]
            self.failures += [Failure(inside, "The server has no result for it.") for inside in missing]

    def print_error(self, seconds: float) -> int:
        """Print what became of the folder; returns the exit status."""
        folder = self.folder
        _list("left out, not an image", folder.skipped)
        _list("sent under another name", [f"{p.inside} -> {p.name}" for p in folder.images if p.is_renamed])
        _list("warnings", [f"{inside}: {reason}" for inside, reason in self.warnings])
        _list("failed", [f"{inside}: {reason}" for inside, reason in sorted(self.failures)])
        if not folder.images and not self.failures:
            terminal.print_error("there are no images in the folder")
            return terminal.WRONG_USE
        rate = len(self.converted) / seconds if seconds else 0.0
        print(
            f"{len(self.converted)} of {pluralize(len(folder.images) + len(folder.failures), 'image')} converted, "
            f"{len({inside for inside, _ in self.failures})} failed, {len(folder.skipped)} left out; "
            f"{seconds:.1f} s, {rate:.1f} images/s"
        )
        if self.outputs:
            print(f"the results lie in {', '.join(sorted(escape_for_terminal(each) for each in self.outputs))}")
        if self.state != "finished":
            terminal.print_error(f"the run has not finished, its status is: {escape_for_terminal(self.state)}")
        return terminal.FAILED if self.failures or self.state != "finished" else 0


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        print(f"{title}:")
        print("".join(f"  {escape_for_terminal(line)}\n" for line in lines), end="")
