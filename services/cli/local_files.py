"""Arguments that name local files, and questions about what is deleted."""

import asyncio
import glob
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from services.cli import output
from services.cli.terminal import CommandError, escape_for_terminal, pluralize
from services.client.local_images import Failure, LocalImages, find_images

_LISTED = 10


def expanded(patterns: Sequence[str]) -> list[Path]:
    """Return the files and folders that arguments name; what does not exist is a pattern. Raises CommandError."""
    paths: list[Path] = []
    for pattern in patterns:
        found = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - any path
        if not found:
            raise CommandError(f"{escape_for_terminal(pattern)}: there is no such file or folder")
        paths += map(Path, found)
    return paths


async def found_images(paths: Sequence[Path], *, recursive: bool = True, without: Path | None = None) -> LocalImages:
    """Find the images among those of *paths* that exist, in a thread; those below *without* are left out."""
    there = [path for path in paths if path.exists()]
    return await asyncio.to_thread(find_images, there, recursive=recursive, without=without)


def confirm_deletion(paths: Sequence[str], *, yes: bool) -> None:
    """Ask whether *paths* may be deleted, unless *yes*. Raises CommandError if not, or without a terminal."""
    if not paths or yes:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{pluralize(len(paths), 'file')} would be deleted; confirm that with --yes")
    for path in paths[:_LISTED]:
        click.echo(f"  {escape_for_terminal(path)}", err=True)
    if len(paths) > _LISTED:
        click.echo(f"  … and {len(paths) - _LISTED} more", err=True)
    if not click.confirm(f"Delete {pluralize(len(paths), 'file')}?", err=True):
        raise CommandError("nothing was deleted")


def print_list(title: str, lines: Sequence[str]) -> None:
    """Print *lines* below a *title*, if there are any."""
    if lines:
        output.echo("\n".join([f"{title}:", *(f"  {escape_for_terminal(line)}" for line in lines)]))


def print_failures(failures: Sequence[Failure]) -> None:
    """Print what failed and why."""
    print_list("failed", [f"{path}: {reason}" for path, reason in sorted(failures)])


def failure_rows(failures: Sequence[Failure]) -> list[dict[str, str]]:
    """Return *failures* for programs."""
    return [{"path": path, "reason": reason} for path, reason in sorted(failures)]
