"""What `push` and `pull` do, and what they print."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imageconverter.errors import InvalidValue
from imageconverter.images.names import directory_path
from imageconverter.settings import load_settings
from services.cli import output, terminal
from services.cli.local_files import confirm_deletion, failure_rows, found_images, print_failures, print_list
from services.cli.progress import Progress
from services.cli.terminal import CommandError, escape_for_terminal
from services.client import AsyncClient
from services.client import synchronization as sync
from services.client.digests import DIGESTS, FileDigests
from services.client.known_files import KnownFiles
from services.client.local_images import Failure


@dataclass
class _Outcome:
    """What a command has done, or would do if it is a dry run."""

    verb: str
    """`sent` or `received`."""
    dry_run: bool
    done: list[str] = field(default_factory=list)
    """Paths of sources."""
    deleted: Sequence[str] = ()
    unchanged: int = 0
    skipped: Sequence[str] = ()
    """Local files that are not images."""
    failures: list[Failure] = field(default_factory=list)

    def print(self) -> int:
        """Print it and return the exit status."""
        would, was = ("would be ", "to be ") if self.dry_run else ("", "")
        print_list("skipped, not an image", self.skipped)
        print_failures(self.failures)
        if self.dry_run:
            print_list(f"{would}{self.verb}", self.done)
            print_list(f"{would}deleted", self.deleted)
        output.echo(
            f"{len(self.done)} {was}{self.verb}, {self.unchanged} unchanged, {len(self.deleted)} {was}deleted, "
            f"{len(self.failures)} failed, {len(self.skipped)} skipped"
        )
        output.result(
            {
                "dryRun": self.dry_run,
                self.verb: self.done,
                "unchanged": self.unchanged,
                "deleted": self.deleted,
                "skipped": self.skipped,
                "failed": failure_rows(self.failures),
            }
        )
        return terminal.FAILED if self.failures else 0


async def push_folder(
    client: AsyncClient, folder: Path, directory: str, *, delete: bool, yes: bool, dry_run: bool
) -> int:
    """Make sources below *directory* of the images below *folder*; returns the exit status. Raises ApiError."""
    found = await found_images([folder])
    outcome = _Outcome("sent", dry_run, skipped=found.skipped, failures=found.failures)
    local = sync.source_paths(found.images, directory, outcome.failures)
    sources = await sync.sources_by_path(client.sources.list(directory, recursive=True))
    with KnownFiles(load_settings().process.cache_folder, DIGESTS) as known:
        digests = FileDigests(known)
        comparison = await sync.compare(client, local, sources, digests, destination="sources")
        outcome.failures += comparison.failures
        outcome.unchanged = len(comparison.unchanged)
        outcome.deleted = [pair.path for pair in comparison.extra] if delete else []
        pairs = comparison.to_send
        if dry_run:
            outcome.done = [pair.path for pair in pairs]
            return outcome.print()
        confirm_deletion(outcome.deleted, yes=yes)
        with Progress("sending") as progress:
            sent = await sync.push(
                client, pairs, digests, lambda done, errors: progress.show(done, len(pairs), errors)
            )
    outcome.done = [pair.path for pair in sent.done]
    outcome.failures += sent.failures
    await sync.delete(client, outcome.deleted)
    return outcome.print()


async def pull_directory(
    client: AsyncClient, directory: str, folder: Path, *, delete: bool, yes: bool, dry_run: bool
) -> int:
    """Write the sources below *directory* to *folder*; returns the exit status. Raises ApiError."""
    found = await found_images([folder])
    outcome = _Outcome("received", dry_run, failures=found.failures)
    sources = await sync.sources_by_path(client.sources.list(directory, recursive=True))
    if not sources:
        raise CommandError(f"there are no sources below {escape_for_terminal(directory) or 'the root'}")
    for path in list(sources):
        try:
            directory_path(path)  # the server is not trusted with where files are written
        except InvalidValue as error:
            outcome.failures.append(Failure(path, error.reason))
            del sources[path]
    local = sync.source_paths(found.images, directory, outcome.failures)
    with KnownFiles(load_settings().process.cache_folder, DIGESTS) as known:
        comparison = await sync.compare(client, local, sources, FileDigests(known), destination="local")
    outcome.failures += comparison.failures
    outcome.unchanged = len(comparison.unchanged)
    extra = [pair.image.path for pair in comparison.extra if pair.image] if delete else []
    outcome.deleted = [str(file) for file in extra]
    pairs = comparison.to_send
    if dry_run:
        outcome.done = [pair.path for pair in pairs]
        return outcome.print()
    confirm_deletion(outcome.deleted, yes=yes)
    with Progress("receiving") as progress:
        received = await sync.pull(
            client,
            pairs,
            lambda path: folder / path.removeprefix(f"{directory}/"),
            lambda done, errors: progress.show(done, len(pairs), errors),
        )
    outcome.done = [pair.path for pair in received.done]
    outcome.failures += received.failures
    for file in extra:
        file.unlink(missing_ok=True)
    return outcome.print()
