"""`imageconverter automatic`: the scan for automatic runs, its schedule, and images whose source is gone."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from services.cli import output
from services.cli.options import with_client
from services.cli.terminal import escape_for_terminal, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.client import AsyncClient
    from services.client.responses import AutomaticScan, Schedule

_KILOBYTE = 1000


@click.group
def automatic() -> None:
    """Show and control automatic conversion."""


@automatic.command
@with_client
async def status(client: "AsyncClient") -> int:
    """Show what the running scan has found, or the last one, and when the next ones are."""
    found, schedule = await client.runs.scan(), await client.runs.schedule()
    output.echo("\n".join([*_scan_lines(found), *_schedule_lines(schedule)]))
    output.result({"scan": found, "schedule": schedule})
    return 0


@automatic.command
@click.option("--share", type=float, default=0.0, help="The largest share of the images of a format, 0 to 1.")
@with_client
async def scan(client: "AsyncClient", *, share: float) -> int:
    """Scan the source directories now.

    With --share this scan may move more images whose source is gone to the trash than the settings allow.
    """
    await client.runs.start_scan(share=share)
    output.echo("a scan is requested; see: imageconverter automatic status")
    output.result({})
    return 0


@automatic.command
@with_client
async def orphans(client: "AsyncClient") -> int:
    """List the converted images whose source is gone."""
    found = [each async for each in client.runs.orphans()]
    for each in found:
        path, source = escape_for_terminal(each["path"]), escape_for_terminal(each["source"])
        output.echo(f"{path}  {each['bytes'] / _KILOBYTE:.1f} kB  of {source}, since {_time(each['since'])}")
    output.echo(pluralize(len(found), "orphaned image"))
    output.result(found)
    return 0


@automatic.command
@click.argument("cron", required=False)
@click.option("--time-zone", default="", metavar="ZONE", help="An IANA name such as Europe/Berlin.")
@click.option("--reset", is_flag=True, help="Return to the schedule of the settings.")
@with_client
async def schedule(client: "AsyncClient", cron: str | None, time_zone: str, *, reset: bool) -> int:
    """Show the schedule of the scan, or change it.

    CRON is a cron expression of five fields, '' for only on request.
    """
    if reset:
        found = await client.runs.reset_schedule()
    elif cron is None:
        found = await client.runs.schedule()
    else:
        found = await client.runs.set_schedule(cron, time_zone=time_zone)
    output.echo("\n".join(_schedule_lines(found)))
    output.result(found)
    return 0


def _scan_lines(scan: "AutomaticScan") -> "Iterator[str]":
    state = "running" if scan["running"] else "requested" if scan["requested"] else "ended"
    if scan["startedAt"] is None:
        yield f"scan      {'requested' if scan['requested'] else 'none yet'}"
    else:
        times = " to ".join(_time(each) for each in (scan["startedAt"], scan["endedAt"]) if each)
        yield f"scan      {state}, {times}"
        yield f"sources   {scan['sources']}, {scan['submitted']} to be converted"
    yield f"pending   {scan['pending']}"
    yield f"orphaned  {scan['orphaned']}, {scan['moved']} moved to the trash {' '.join(scan['trash'])}".rstrip()
    for each in scan["notMoved"]:
        yield f"not moved {each['formatId']}: {escape_for_terminal(each['reason'])}"


def _schedule_lines(schedule: "Schedule") -> "Iterator[str]":
    zone = f" ({escape_for_terminal(schedule['timeZone'])})" if schedule["timeZone"] else ""
    yield f"schedule  {escape_for_terminal(schedule['cron']) or 'only on request'}{zone}"
    if schedule["nextTimes"]:
        yield f"next      {', '.join(_time(each) for each in schedule['nextTimes'][:3])}"


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}"
