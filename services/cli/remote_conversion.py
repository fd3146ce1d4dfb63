"""`imageconverter convert` by a server: stages what has changed, starts one run, and brings the results back."""

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from imageconverter.images.image_formats import ID_PREFIX
from imageconverter.settings import load_settings
from services.cli import terminal
from services.cli.conversion_outcome import ConversionOutcome, Output, OutputFiles
from services.cli.local_files import found_images
from services.cli.progress import Progress
from services.cli.terminal import CommandError, escape_for_terminal
from services.client import synchronization as sync
from services.client.digests import DIGESTS, FileDigests
from services.client.errors import ApiError, RequestRejectedError, ServerUnavailableError
from services.client.known_files import KnownFiles
from services.client.local_images import Failure, LocalImage
from services.client.unique_names import with_unique_names

if TYPE_CHECKING:
    from services.client import AsyncClient
    from services.client.responses import Result

_CANCEL_SECONDS = 40.0
_DOWNLOADED = "downloaded"


async def convert_remotely(
    client: "AsyncClient",
    paths: Sequence[Path],
    formats: Sequence[str],
    folder: Path | None,
    action: str,
    *,
    recursive: bool,
) -> int:
    """Convert the images among *paths* to *formats*, and download the results to *folder* unless it is None.

    Returns the exit status. Raises ApiError, and CommandError for what cannot be started.
    """
    began = time.monotonic()
    searching = asyncio.create_task(found_images(paths, recursive=recursive, without=folder))
    if (await client.runs.status())["running"]:
        raise ServerUnavailableError("a run is in progress; follow it with `imageconverter status --watch`")
    ids = await _format_ids(client, formats)
    found = await searching
    outcome = ConversionOutcome(skipped=found.skipped, failures=list(found.failures))
    outcome.images = len(found.images) + len(found.failures)
    named = with_unique_names(found.images, outcome.failures)
    outcome.renamed = [f"{each.image.relative_path} -> {each.name}" for each in named if each.is_renamed]
    directory = f"upload/{_directory_id(client.server, paths)}"
    images = {f"{directory}/{each.name}": each.image for each in named}
    with KnownFiles(load_settings().process.cache_folder, DIGESTS, _DOWNLOADED) as known:
        conversion = _Conversion(client, ids, outcome, known, several=len(ids) > 1)
        await conversion.stage(directory, images)
        if conversion.images:
            await conversion.run(directory, action)
            if folder is not None:
                await conversion.download(folder)
    outcome.seconds = time.monotonic() - began
    return outcome.print()


async def _format_ids(client: "AsyncClient", formats: Sequence[str]) -> list[str]:
    """Return the ids of *formats*, which may lack their common prefix. Raises CommandError if one is unknown."""
    configured = (await client.formats())["items"]
    known = {name for each in configured for name in (each["id"], *each["aliases"], each.get("set"))}
    ids = [each if each in known else ID_PREFIX + each for each in formats]
    unknown = [given for given, each in zip(formats, ids, strict=True) if each not in known]
    if unknown:
        there = ", ".join(each["id"] for each in configured)
        raise CommandError(
            escape_for_terminal(f"--format: {', '.join(unknown)} is not configured; there are: {there}")
        )
    return ids


def _directory_id(server: str, paths: Sequence[Path]) -> str:
    """Return the id of the upload directory that is always used for *paths* on this machine."""
    places = sorted(str(path.resolve()) for path in paths)
    text = "\0".join([server, socket.gethostname(), str(os.getuid()), *places])
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]


@dataclass
class _Conversion:
    """One conversion: its images, its run, and the results."""

    client: "AsyncClient"
    formats: Sequence[str]
    outcome: ConversionOutcome
    known: KnownFiles
    several: bool
    """Whether there are several formats."""
    images: dict[str, LocalImage] = field(default_factory=dict)
    """Those that are staged, by the paths of their sources."""
    rows: "list[Result]" = field(default_factory=list)
    """The results that are images."""

    async def stage(self, directory: str, images: dict[str, LocalImage]) -> None:
        """Make the upload *directory* have the *images* and nothing else."""
        staged = await sync.sources_by_path(self.client.sources.list(directory))
        digests = FileDigests(self.known)
        comparison = await sync.compare(self.client, images, staged, digests, destination="sources")
        pairs = comparison.to_send
        with Progress("uploading") as progress:
            if pairs:
                sent = await sync.push(
                    self.client, pairs, digests, lambda done, errors: progress.show(done, len(pairs), errors)
                )
                self.outcome.sent = len(sent.done)
                comparison.failures += sent.failures
        await sync.delete(self.client, [pair.path for pair in comparison.extra])
        self.outcome.failures += comparison.failures
        failed = {path for path, _ in comparison.failures}
        self.images = {path: image for path, image in images.items() if image.relative_path not in failed}

    async def run(self, directory: str, action: str) -> None:
        """Convert what is staged and collect the results. Canceling this cancels the run."""
        starting = asyncio.create_task(self.client.runs.start(directory, self.formats, action=action))
        try:
            with Progress("converting") as progress:
                progress.show(0, len(self.images), 0)
                run = await asyncio.shield(starting)  # a run that is being started must be canceled as well
                async for state in self.client.runs.watch(run):
                    done, errors = state["progress"]["finished"], state["counter"]["error"]
                    progress.show(done, max(len(self.images), state["progress"]["total"]), errors)
                    self.outcome.state = state["status"]
            await self._collect(run)
        except asyncio.CancelledError:
            await self._cancel(starting)
            raise

    async def _cancel(self, starting: asyncio.Task[str]) -> None:
        """Cancel the run, unless it has ended: another one may be running by now."""
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                run = await starting
                if (await self.client.runs.status(run))["running"]:
                    await self.client.runs.cancel()
                    terminal.print_error("the run was canceled")
        except (ApiError, TimeoutError) as error:
            reason = escape_for_terminal(str(error)) or "the request timed out"
            terminal.print_error(f"the run could not be canceled: {reason}")

    async def _collect(self, run: str) -> None:
        """Sort the results of *run* into outputs, warnings and failures."""
        messages: dict[tuple[str, str, str], list[str]] = {}
        seen = set()
        async for row in self.client.runs.results(run):
            image = self.images.get(row["source"])
            if image is None:
                continue
            seen.add(row["source"])
            if row["status"] in ("error", "warning"):
                key = row["status"], image.relative_path, row["message"]
                messages.setdefault(key, []).append(row["format"])
            if row["status"] != "error":
                self.rows.append(row)
                url = self.client.content_url(row["output"])
                is_new = row["status"] != "skipped"
                self.outcome.outputs.append(Output(image.relative_path, row["formatId"], url, is_new))
        for (status, path, message), formats in messages.items():
            suffix = f" ({', '.join(formats)})" if len(formats) < len(self.formats) else ""
            target = self.outcome.failures if status == "error" else self.outcome.warnings
            target.append(Failure(path, message + suffix))
        if self.outcome.state == "finished":
            missing = [image.relative_path for path, image in self.images.items() if path not in seen]
            self.outcome.failures += [Failure(path, "The server has no result for it.") for path in missing]

    async def download(self, folder: Path) -> None:
        """Write the outputs to *folder*, unless they are there already."""
        files = OutputFiles(folder, self.images.values())
        pairs = list(zip(self.rows, self.outcome.outputs, strict=True))
        self.outcome.destination = str(folder)
        with Progress("downloading") as progress:
            done = 0

            async def fetch(pair: "tuple[Result, Output]") -> None:
                nonlocal done
                row, made = pair
                image = self.images[row["source"]]
                # The server has taken this extension for the output, whose name may be another one here.
                extensions = (PurePath(row["output"]).suffix,)
                file = files.of(image, extensions, _directory_of(row) if self.several else "")
                try:
                    files.claim(file, image)
                    await self._fetch(row, file)
                except (OSError, RequestRejectedError) as error:
                    reason = error.strerror if isinstance(error, OSError) else error.reason
                    self.outcome.failures.append(Failure(image.relative_path, reason or "It cannot be written."))
                else:
                    made.place = str(file)
                done += 1
                progress.show(done, len(pairs), len(self.outcome.failures))

            await sync.for_each(pairs, fetch)

    async def _fetch(self, row: "Result", file: Path) -> None:
        """Download an output, unless *file* is what was downloaded before and the server still has the same."""
        place = f"{self.client.server} {row['output']} "
        fact = self.known.current(_DOWNLOADED, file)
        etag = fact.removeprefix(place) if fact.startswith(place) else ""
        stored = await self.client.download(row["output"], file, etag=etag)
        if stored != etag:
            self.known.add_new(_DOWNLOADED, file, place + stored)


def _directory_of(row: "Result") -> str:
    """Return the folder for the outputs of one of several formats."""
    return row["formatId"].removeprefix(ID_PREFIX)
