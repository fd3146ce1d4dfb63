"""`imageconverter pull`: write sources to a local folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.local_files import confirm_deletion, found_images
from services.cli.options import with_client
from services.cli.progress import Progress
from services.cli.synchronizing import Outcome, sync_options
from services.cli.terminal import CommandError, escape_for_terminal

if TYPE_CHECKING:
    from services.client import AsyncClient


@click.command
@click.argument("directory")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@sync_options("Delete images in DIR that are not below DIRECTORY.")
@with_client
async def pull(client: "AsyncClient", directory: str, folder: Path, *, delete: bool, yes: bool, dry_run: bool) -> int:
    """Write the sources below DIRECTORY to the local folder DIR.

    `/` is the root. Only what has changed is received; an interrupted command receives the rest when it is run again.
    """
    from imageconverter.errors import InvalidValue  # noqa: PLC0415 - help does without
    from imageconverter.images.names import directory_path  # noqa: PLC0415
    from imageconverter.settings import load_settings  # noqa: PLC0415
    from services.client import synchronization as sync  # noqa: PLC0415
    from services.client.digests import DIGESTS, FileDigests  # noqa: PLC0415
    from services.client.known_files import KnownFiles  # noqa: PLC0415
    from services.client.local_images import Failure  # noqa: PLC0415

    directory = directory.strip("/")
    found = await found_images([folder])
    outcome = Outcome("received", dry_run, failures=found.failures)
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
