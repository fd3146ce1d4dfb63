"""`imageconverter jobs dead`: list, retry and drop dead letters."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from services.cli import output, terminal
from services.cli.options import with_client
from services.cli.terminal import escape_for_terminal, pluralize
from services.client.errors import NotFoundError

if TYPE_CHECKING:
    from services.client import AsyncClient

_Command = TypeVar("_Command", bound=Callable[..., int])


@click.group
def jobs() -> None:
    """List, retry or drop dead letters."""


@jobs.group
def dead() -> None:
    """Manage the dead letters: jobs that used up their attempts."""


@dead.command("list")
@with_client
async def list_jobs(client: "AsyncClient") -> int:
    """List all dead letters with the reason for their failure."""
    found = await client.dead_letters.list()
    output.echo("\n".join(line for job in found for line in format_job(job)) or "no dead letters")
    output.result(found)
    return 0


def _job_selection(command: _Command) -> _Command:
    """Add the arguments that name jobs: ids or `--all`."""
    return click.argument("job_ids", metavar="[JOB]...", nargs=-1)(
        click.option("--all", "every", is_flag=True, help="Select all dead letters.")(command)
    )


@dead.command
@_job_selection
@with_client
async def retry(client: "AsyncClient", job_ids: Sequence[str], *, every: bool) -> int:
    """Queue dead letters again, by their ids or all of them."""
    return await _apply("retried", client.dead_letters.retry, await _select(client, job_ids, every=every))


@dead.command
@_job_selection
@with_client
async def drop(client: "AsyncClient", job_ids: Sequence[str], *, every: bool) -> int:
    """Delete dead letters, by their ids or all of them."""
    return await _apply("dropped", client.dead_letters.delete, await _select(client, job_ids, every=every))


async def _select(client: "AsyncClient", job_ids: Sequence[str], *, every: bool) -> Sequence[str]:
    if bool(job_ids) == every:
        raise click.UsageError("Name the dead letters or pass --all.", click.get_current_context())
    return job_ids or [str(job["id"]) for job in await client.dead_letters.list()]


async def _apply(done: str, action: Callable[[str], Awaitable[None]], job_ids: Sequence[str]) -> int:
    """Apply *action* to each job; returns the exit status, which is 1 if one of the jobs does not exist."""
    applied: list[str] = []
    for job_id in job_ids:
        try:
            await action(job_id)
        except NotFoundError as error:
            terminal.print_error(escape_for_terminal(f"{job_id}: {error.reason}"))
        else:
            applied.append(job_id)
            output.echo(f"{job_id} {done}")
    output.echo(f"{pluralize(len(applied), 'dead letter')} {done}")
    output.result({done: applied})
    return 0 if len(applied) == len(job_ids) else terminal.FAILED


def format_job(job: Mapping[str, Any]) -> list[str]:
    """Return the lines that describe *job*."""
    failed_at = datetime.fromtimestamp(job["died"], UTC).astimezone()
    arguments = "unknown" if job["order"] is None else json.dumps(job["order"], ensure_ascii=False)
    attempts = pluralize(job["tries"], "attempt")
    lines = [
        f"{job['id']}  {job['task'] or 'unknown task'}  {failed_at:%Y-%m-%d %H:%M:%S}  {attempts}",
        f"    {job['reason']}",
        f"    {arguments}",
    ]
    return [escape_for_terminal(line) for line in lines]
