"""`imageconverter push`: make sources of a local folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.local_files import confirm_deletion, found_images, require_folder
from services.cli.options import with_client
from services.cli.progress import Progress
from services.cli.synchronizing import Outcome, sync_options

if TYPE_CHECKING:
    from services.client import AsyncClient


@click.command
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path), callback=require_folder)
@click.argument("directory", default="")
@sync_options("Delete sources below DIRECTORY that are not in DIR.")
@with_client
async def push(client: "AsyncClient", folder: Path, directory: str, *, delete: bool, yes: bool, dry_run: bool) -> int:
    """Make sources of the images below the local folder DIR.

    They are stored below the source DIRECTORY, by default the root. Only what has changed is sent; a command that was
    interrupted sends the rest when it is run again.
    """
    from imageconverter.settings import load_settings  # noqa: PLC0415 - help does without
    from services.client import synchronization as sync  # noqa: PLC0415
    from services.client.digests import DIGESTS, FileDigests  # noqa: PLC0415
    from services.client.known_files import KnownFiles  # noqa: PLC0415

    directory = directory.strip("/")
    found = await found_images([folder])
    outcome = Outcome("sent", dry_run, skipped=found.skipped, failures=found.failures)
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
