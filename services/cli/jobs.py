"""`imageconverter jobs dead`: list, retry and drop dead letters."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar

import click

from services.cli import terminal
from services.cli.options import with_api
from services.cli.progress import pluralize
from services.cli.terminal import escape_for_terminal
from services.client.api import ImagesApi, RequestRejectedError

_Command = TypeVar("_Command", bound=Callable[..., int])


@click.group
def jobs() -> None:
    """List, retry or drop dead letters."""


@jobs.group
def dead() -> None:
    """Manage the dead letters: jobs that used up their attempts."""


@dead.command("list")
@with_api
async def list_jobs(api: ImagesApi) -> int:
    """List all dead letters with the reason for their failure."""
    found = await api.dead_jobs()
    click.echo("\n".join(line for job in found for line in format_job(job)) or "no dead letters")
    return 0


def _job_selection(command: _Command) -> _Command:
    """Add the arguments that name jobs: ids or `--all`."""
    return click.argument("job_ids", metavar="[JOB]...", nargs=-1)(
        click.option("--all", "every", is_flag=True, help="Select all dead letters.")(command)
    )


@dead.command
@_job_selection
@with_api
async def retry(api: ImagesApi, job_ids: Sequence[str], *, every: bool) -> int:
    """Queue dead letters again, by their ids or all of them."""
    return await _apply("retried", api.retry_dead_job, await _select(api, job_ids, every=every))


@dead.command
@_job_selection
@with_api
async def drop(api: ImagesApi, job_ids: Sequence[str], *, every: bool) -> int:
    """Delete dead letters, by their ids or all of them."""
    return await _apply("dropped", api.drop_dead_job, await _select(api, job_ids, every=every))


async def _select(api: ImagesApi, job_ids: Sequence[str], *, every: bool) -> Sequence[str]:
    if bool(job_ids) == every:
        raise click.UsageError("Name the dead letters or pass --all.", click.get_current_context())
    return job_ids or [str(job["id"]) for job in await api.dead_jobs()]


async def _apply(done: str, action: Callable[[str], Awaitable[None]], job_ids: Sequence[str]) -> int:
    """Apply *action* to each job; returns the exit status, which is 1 if one of the jobs does not exist."""
    count = 0
    for job_id in job_ids:
        try:
            await action(job_id)
        except RequestRejectedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            terminal.print_error(escape_for_terminal(f"{job_id}: {error.reason}"))
        else:
            count += 1
            click.echo(escape_for_terminal(f"{job_id} {done}"))
    click.echo(f"{pluralize(count, 'dead letter')} {done}")
    return 0 if count == len(job_ids) else terminal.FAILED


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
