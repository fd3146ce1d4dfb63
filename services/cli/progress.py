"""Progress of a command: a bar on a terminal, else plain lines, at most one per second."""

import shutil
import sys
import time
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import click
from tqdm import tqdm

from services.cli import output
from services.cli.terminal import pluralize

_LINE_INTERVAL_SECONDS = 1.0
_UNIT = " images"


class Progress:
    """A context manager that shows the number of images, their rate, the errors and the remaining time."""

    def __init__(self, label: str) -> None:
        """Prepare; nothing is shown before the first call of show(). *label* names the activity."""
        self._label = label
        self._is_terminal = sys.stdout.isatty()
        self._is_silent = output.mode() != "text"
        self._bar: Any = None
        self._began = self._printed_at = time.monotonic()
        self._first: int | None = None
        self._latest = self._printed = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._latest != self._printed:
            self._print()

    def show(self, done: int, total: int, errors: int) -> None:
        """Show that *done* of *total* images are done. The rate is measured since the first call."""
        if self._is_silent:
            return
        first = self._first if self._first is not None else done
        self._first = first
        if self._is_terminal:
            self._move_bar(done, total, errors)
            return
        seconds = time.monotonic() - self._began
        rate = (done - first) / seconds if seconds else 0.0
        left = f", {timedelta(seconds=round((total - done) / rate))} left" if rate and done < total else ""
        self._latest = f"{self._label}: {done} of {total} images, {rate:.1f}/s, {pluralize(errors, 'error')}{left}"
        if self._is_time():
            self._print()

    def _move_bar(self, done: int, total: int, errors: int) -> None:
        if self._bar is None:
            self._bar = tqdm(desc=self._label, total=total, initial=done, unit=_UNIT, file=sys.stdout)
        # A terminal without a size, as in a container, gets the default size; tqdm would hide the bar.
        self._bar.total, (self._bar.ncols, self._bar.nrows) = total, shutil.get_terminal_size()
        self._bar.set_postfix_str(pluralize(errors, "error"), refresh=False)
        self._bar.update(done - self._bar.n)
        self._bar.refresh()

    def _is_time(self) -> bool:
        return time.monotonic() - self._printed_at >= _LINE_INTERVAL_SECONDS

    def _print(self) -> None:
        click.echo(self._latest)
        self._printed, self._printed_at = self._latest, time.monotonic()


def static_bar(done: int, total: int) -> str:
    """Return a bar as text."""
    template = "[{bar:30}] {percentage:.0f} %"
    return str(tqdm.format_meter(done, total or 1, 0, ascii=" #", bar_format=template))
