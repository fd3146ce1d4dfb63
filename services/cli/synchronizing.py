"""What `push` and `pull` have in common: their options and what they print."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from services.cli import output, terminal
from services.cli.local_files import failure_rows, print_failures, print_list

if TYPE_CHECKING:
    from services.client.local_images import Failure

_Command = TypeVar("_Command", bound=Callable[..., Any])


def sync_options(delete_help: str) -> Callable[[_Command], _Command]:
    """Add `--delete`, with its help, `--yes` and `--dry-run` to a command."""

    def decorate(command: _Command) -> _Command:
        command = click.option("-n", "--dry-run", is_flag=True, help="Print what would be done.")(command)
        command = click.option("--yes", is_flag=True, help="Delete without asking.")(command)
        return click.option("--delete", is_flag=True, help=f"{delete_help} Asks first.")(command)

    return decorate


@dataclass
class Outcome:
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
    failures: "list[Failure]" = field(default_factory=list)

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
