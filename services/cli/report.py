"""`imageconverter report`: find missing and unused images, clean up and repair."""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from services.cli import output, terminal
from services.cli.options import type_option, with_client
from services.cli.terminal import escape_for_terminal, pluralize
from services.client.errors import RequestRejectedError

if TYPE_CHECKING:
    from services.client import AsyncClient
    from services.client.responses import MissingImage

_POLL_SECONDS = 0.5
_MAX_ROWS = 20
_MEGABYTE = 1024 * 1024
_CONTINUES = "this takes longer; the server continues without this command"


@click.group
def report() -> None:
    """Find missing and unused images, and act on them."""


@report.command
@type_option
@click.option("--accept-shrinkage", is_flag=True, help="Accept a catalog that has lost more than half of its images.")
@click.option("--shrunken", is_flag=True, hidden=True)  # the former name of --accept-shrinkage
@with_client
async def run(client: "AsyncClient", type_id: str, *, accept_shrinkage: bool, shrunken: bool) -> int:
    """Create new reports, wait for them and show the one of the type."""
    await client.reports.start(shrunken=[type_id] if accept_shrinkage or shrunken else [])
    printed = -1
    while (state := await client.reports.progress())["running"]:
        if state["files"] != printed and state["type"]:
            output.echo(f"{state['type']}: {pluralize(state['files'], 'file')} scanned so far")
            printed = state["files"]
        await asyncio.sleep(_POLL_SECONDS)
    if state["failure"]:
        terminal.print_error(escape_for_terminal(state["failure"]))
        return terminal.FAILED
    if not (await client.catalogs.get(type_id))["version"]:
        terminal.print_error(
            f"there is no catalog of {type_id}; import one with: imageconverter catalog import FILE --type {type_id}"
        )
        return terminal.FAILED
    return await _show(client, type_id)


@report.command
@type_option
@with_client
async def show(client: "AsyncClient", type_id: str) -> int:
    """Show the newest report."""
    return await _show(client, type_id)


@report.command
@type_option
@click.option("--yes", is_flag=True, help="Move the files to the trash.")
@click.option("--share", type=float, help="The largest share of all files that may be moved at once, 0 to 1.")
@with_client
async def clean(client: "AsyncClient", type_id: str, *, yes: bool, share: float | None) -> int:
    """Show what a clean-up would move to the trash; with --yes, move it."""
    try:
        result = await client.reports.clean(type_id, dry_run=not yes, share=share)
    except RequestRejectedError as error:
        if error.status != HTTPStatus.CONFLICT or yes:
            raise
        output.echo(f"nothing can be cleaned up now: {error.reason}")
        output.result({"files": 0, "refused": error.reason})
        return 0
    output.result(result)
    if "files" not in result:
        if not yes:
            terminal.print_error("the server has not counted the files in time; try again later")
            return terminal.FAILED
        output.echo(f"{_CONTINUES}; the files are moved to the trash batch {result['trash']}")
        return 0
    summary = (
        f"{pluralize(result['files'], 'file')}, {result['bytes'] / _MEGABYTE:.1f} MiB, {result['share']:.1%} of all"
    )
    if not yes:
        output.echo(f"to be moved: {summary}; unused in all reports from {result['since']} to {result['report']}")
        _print_rows(result["first"], result["files"])
        if result["refused"] or result["files"]:
            output.echo(result["refused"] or "move them with: imageconverter report clean --yes")
        return terminal.FAILED if result["refused"] else 0
    output.echo(f"moved to the trash: {summary}")
    if result["refused"]:
        terminal.print_error(escape_for_terminal(result["refused"]))
    if result["trash"]:
        output.echo(f"restore them with: imageconverter report restore {result['trash']}")
    return 0


@report.command
@type_option
@with_client
async def repair(client: "AsyncClient", type_id: str) -> int:
    """Convert missing images again."""
    result = await client.reports.repair(type_id)
    output.result(result)
    if not result:
        output.echo(_CONTINUES)
        return 0
    without = f", no source for {pluralize(result['withoutSource'], 'image')}" if result["withoutSource"] else ""
    converting = pluralize(result["converting"], "source")
    output.echo(f"{pluralize(result['missing'], 'missing image')}: converting {converting}{without}")
    if result["more"]:
        output.echo("there are more; run the command again after the next report")
    return 0


@report.command
@with_client
async def trash(client: "AsyncClient") -> int:
    """List the trash batches that can be restored."""
    batches = await client.reports.trash()
    output.result(batches)
    if not batches:
        output.echo("the trash is empty")
    for batch in batches:
        summary = f"{pluralize(batch['files'], 'file')}, {batch['bytes'] / _MEGABYTE:.1f} MiB"
        output.echo(f"{batch['trash']}  {batch['type']}: {summary}, until {batch['deletedAfter'][:16]}Z")
    return 0


@report.command
@click.argument("trash_id", metavar="ID")
@with_client
async def restore(client: "AsyncClient", trash_id: str) -> int:
    """Restore the files of a clean-up; ID is that of `report trash`."""
    result = await client.reports.restore(trash_id)
    output.result(result)
    if not result:
        output.echo(_CONTINUES)
        return 0
    output.echo(f"{pluralize(result['files'], 'file')} restored")
    if result["kept"]:
        output.echo(f"still in the trash, because their names are in use again: {pluralize(result['kept'], 'file')}")
    return 0


async def _show(client: "AsyncClient", type_id: str) -> int:
    newest = await client.reports.get(type_id, limit=_MAX_ROWS)
    output.result(newest)
    if not newest["id"]:
        output.echo(f"there is no report on {type_id} yet; create one with: imageconverter report run")
        return 0
    totals = newest["totals"]
    output.echo(f"report {newest['id']} on {type_id} of {newest['createdAt']}")
    output.echo(f"catalog   entries {totals['entries']}, images {totals['images']}")
    output.echo(f"files     {totals['files']}, {totals['bytes'] / _MEGABYTE:.1f} MiB")
    output.echo(f"missing   {totals['missing']}")
    _print_rows([f"{row['path']}{_similar(row)}" for row in newest["missingImages"]], totals["missing"])
    output.echo(f"unused    {totals['unused']}, {totals['unusedBytes'] / _MEGABYTE:.1f} MiB")
    _print_rows([row["path"] for row in newest["unusedImages"]], totals["unused"])
    if newest["unusedRefused"]:
        output.echo(f"no file is reported as unused: {newest['unusedRefused']}")
    return 0


def _similar(row: "MissingImage") -> str:
    return f"  (similar: {row['near']})" if row["near"] else ""


def _print_rows(paths: list[str], total: int) -> None:
    for path in paths[:_MAX_ROWS]:
        output.echo(f"  {escape_for_terminal(path)}")
    if total > _MAX_ROWS:
        output.echo(f"  … and {total - _MAX_ROWS} more")
