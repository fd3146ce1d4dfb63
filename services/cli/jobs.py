"""`imageconverter jobs dead`: the jobs that were given up, for people."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from imageconverter.settings import Settings, SettingsError
from services.cli import terminal
from services.cli.connection import find_access
from services.cli.progress import pluralize
from services.cli.terminal import escape_for_terminal
from services.client.api import ImagesApi, Refused, open_api

_DONE = {"retry": "waits to be tried again", "drop": "is forgotten"}


def dead(
    settings: Settings, action: str, jobs: Sequence[str], *, every: bool, server: str | None, key: str | None
) -> int:
    """Do *action*, which is `list`, `retry` or `drop`, with *jobs*, or with *every* one that there is.

    Returns the exit status: 1 where one of the jobs is not there any more. Raises SettingsError.
    """
    if action != "list" and bool(jobs) == every:
        raise SettingsError(f"jobs dead {action}: name the jobs, or give --all")
    access = find_access(settings, server=server, key=key)

    async def work() -> int:
        async with open_api(access) as api:
            found = [] if jobs else await api.dead_jobs()
            if action == "list":
                print("\n".join(line for job in found for line in format_job(job)) or "no job was given up")
                return 0
            wanted = jobs or [str(job["id"]) for job in found]
            done = sum([await _act(api, action, job) for job in wanted])
            print(f"{pluralize(done, 'job')}: {action}")
            return 0 if done == len(wanted) else terminal.FAILED

    return terminal.run(work())


def format_job(job: Mapping[str, Any]) -> list[str]:
    """Return the lines that say what is known of a job."""
    failed_at = datetime.fromtimestamp(job["died"], UTC).astimezone()
    order = "not known" if job["order"] is None else json.dumps(job["order"], ensure_ascii=False)
    attempts = pluralize(job["tries"], "attempt")
    lines = [
        f"{job['id']}  {job['task'] or 'no task'}  {failed_at:%Y-%m-%d %H:%M:%S}  {attempts}",
        f"    {job['reason']}",
        f"    {order}",
    ]
    return [escape_for_terminal(line) for line in lines]


async def _act(api: ImagesApi, action: str, job: str) -> bool:
    """Retry or drop a job; returns whether it was there."""
    try:
        await (api.retry_dead_job(job) if action == "retry" else api.drop_dead_job(job))
    except Refused as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        terminal.print_error(escape_for_terminal(f"{job}: {error.reason}"))
        return False
    print(escape_for_terminal(f"{job} {_DONE[action]}"))
    return True
