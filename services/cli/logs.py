"""`imageconverter logs`: the logs of `up`."""

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import click

from services.cli import terminal
from services.cli.terminal import CommandError, escape_for_terminal

_NAMES = ("gateway", "worker", "reporter", "redis", "s3")
_POLL_SECONDS = 0.2


@click.command
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(_NAMES))
@click.option("-n", "--lines", type=click.IntRange(0), default=20, show_default=True, help="Of each log.")
@click.option("-f", "--follow", is_flag=True, help="Print what is added, until Ctrl-C.")
def logs(names: Sequence[str], lines: int, *, follow: bool) -> int:
    """Print the ends of the logs of `up`.

    NAME is gateway, worker, reporter, redis or s3; by default all.
    """
    from imageconverter.settings import load_settings  # noqa: PLC0415 - help does without

    folder = load_settings().process.data_dir / "logs"
    files = [folder / f"{name}.log" for name in names or _NAMES]
    if not any(file.exists() for file in files):
        raise CommandError(f"{escape_for_terminal(str(folder))} has no such log; `imageconverter up` writes them")
    positions = {file: _print_end(file, lines) for file in files}
    try:
        while follow:
            time.sleep(_POLL_SECONDS)
            positions = {file: _print_new(file, position) for file, position in positions.items()}
    except KeyboardInterrupt:
        return terminal.INTERRUPTED
    return 0


def _print_end(file: Path, lines: int) -> int:
    """Print the last *lines* of *file*; returns the position behind them."""
    if not file.exists():
        return 0
    with file.open("rb") as opened:
        _print(file, deque(opened, maxlen=lines))
        return opened.tell()


def _print_new(file: Path, position: int) -> int:
    if not file.exists():
        return 0
    with file.open("rb") as opened:
        size = file.stat().st_size
        opened.seek(position if position <= size else 0)  # a full log was replaced by a new one
        whole = opened.read().rpartition(b"\n")[0]
        if not whole:
            return opened.tell() if position > size else position
        _print(file, whole.splitlines(keepends=True))
        return (position if position <= size else 0) + len(whole) + 1


def _print(file: Path, lines: "Sequence[bytes] | deque[bytes]") -> None:
    for line in lines:
        click.echo(f"{file.stem:8} | {line.decode(errors='replace').rstrip()}")
