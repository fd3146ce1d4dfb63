"""`imageconverter report`: find missing and unused images, clean up and repair."""

import asyncio
from typing import Any

import click

from imageconverter.settings import MEGABYTE
from services.cli import terminal
from services.cli.options import type_option, with_api
from services.cli.progress import pluralize
from services.cli.terminal import escape_for_terminal
from services.client.api import ImagesApi

_POLL_SECONDS = 0.5
_MAX_ROWS = 20
_CONTINUES = "this takes longer; the server continues without this command"


@click.group
def report() -> None:
    """Find missing and unused images, and act on them."""


@report.command
@type_option
@click.option("--accept-shrinkage", is_flag=True, help="Accept a catalog that has lost more than half of its images.")
@click.option("--shrunken", is_flag=True, hidden=True)  # the former name of --accept-shrinkage
@with_api
async def run(api: ImagesApi, type_id: str, *, accept_shrinkage: bool, shrunken: bool) -> int:
    """Create new reports, wait for them and show the one of the type."""
    await api.start_report(shrunken=[type_id] if accept_shrinkage or shrunken else [])
    printed = -1
    while (state := await api.report_status())["running"]:
        if state["files"] != printed and state["type"]:
            click.echo(f"{state['type']}: {pluralize(state['files'], 'file')} scanned so far")
            printed = state["files"]
        await asyncio.sleep(_POLL_SECONDS)
    if state["failure"]:
        terminal.print_error(escape_for_terminal(state["failure"]))
        return terminal.FAILED
    if not (await api.catalog(type_id, ""))["version"]:
        terminal.print_error(
            f"there is no catalog of {type_id}; import one with: imageconverter catalog import FILE --type {type_id}"
        )
        return terminal.FAILED
    return await _show(api, type_id)


@report.command
@type_option
@with_api
async def show(api: ImagesApi, type_id: str) -> int:
    """Show the newest report."""
    return await _show(api, type_id)


@report.command
@type_option
@click.option("--yes", is_flag=True, help="Move the files to the trash.")
@click.option("--share", type=float, help="The largest share of all files that may be moved at once, 0 to 1.")
@with_api
async def clean(api: ImagesApi, type_id: str, *, yes: bool, share: float | None) -> int:
    """Show what a clean-up would move to the trash; with --yes, move it."""
    result = await api.run_cleanup(type_id, dry=not yes, share=share)
    if "files" not in result:
        if not yes:
            terminal.print_error("the server has not counted the files in time; try again later")
            return terminal.FAILED
        click.echo(f"{_CONTINUES}; the files are moved to the trash batch {result['trash']}")
        return 0
    summary = (
        f"{pluralize(result['files'], 'file')}, {result['bytes'] / MEGABYTE:.1f} MiB, {result['share']:.1%} of all"
    )
    if not yes:
        click.echo(f"to be moved: {summary}; unused in all reports from {result['since']} to {result['report']}")
        _print_rows(result["first"], result["files"])
        if result["refused"] or result["files"]:
            click.echo(result["refused"] or "move them with: imageconverter report clean --yes")
        return terminal.FAILED if result["refused"] else 0
    click.echo(f"moved to the trash: {summary}")
    if result["refused"]:
        terminal.print_error(escape_for_terminal(result["refused"]))
    if result["trash"]:
        click.echo(f"restore them with: imageconverter report restore {result['trash']}")
    return 0


@report.command
@type_option
@with_api
async def repair(api: ImagesApi, type_id: str) -> int:
    """Convert missing images again."""
    result = await api.repair(type_id)
    if not result:
        click.echo(_CONTINUES)
        return 0
    without = f", no source for {pluralize(result['withoutSource'], 'image')}" if result["withoutSource"] else ""
    converting = pluralize(result["converting"], "source")
    click.echo(f"{pluralize(result['missing'], 'missing image')}: converting {converting}{without}")
    if result["more"]:
        click.echo("there are more; run the command again after the next report")
    return 0


@report.command
@with_api
async def trash(api: ImagesApi) -> int:
    """List the trash batches that can be restored."""
    batches = await api.trash()
    if not batches:
        click.echo("the trash is empty")
    for batch in batches:
        summary = f"{pluralize(batch['files'], 'file')}, {batch['bytes'] / MEGABYTE:.1f} MiB"
        click.echo(f"{batch['trash']}  {batch['type']}: {summary}, until {batch['deletedAfter'][:16]}Z")
    return 0


@report.command
@click.argument("trash_id", metavar="ID")
@with_api
async def restore(api: ImagesApi, trash_id: str) -> int:
    """Restore the files of a clean-up; ID is that of `report trash`."""
    result = await api.restore(trash_id)
    if not result:
        click.echo(_CONTINUES)
        return 0
    click.echo(f"{pluralize(result['files'], 'file')} restored")
    if result["kept"]:
        click.echo(f"still in the trash, because their names are in use again: {pluralize(result['kept'], 'file')}")
    return 0


async def _show(api: ImagesApi, type_id: str) -> int:
    newest = await api.report(type_id, limit=_MAX_ROWS)
    if not newest["id"]:
        click.echo(f"there is no report on {type_id} yet; create one with: imageconverter report run")
        return 0
    totals: dict[str, Any] = newest["totals"]
    click.echo(f"report {newest['id']} on {type_id} of {newest['createdAt']}")
    click.echo(f"catalog   entries {totals['entries']}, images {totals['images']}")
    click.echo(f"files     {totals['files']}, {totals['bytes'] / MEGABYTE:.1f} MiB")
    click.echo(f"missing   {totals['missing']}")
    _print_rows([f"{row['path']}{_similar(row)}" for row in newest["missingImages"]], totals["missing"])
    click.echo(f"unused    {totals['unused']}, {totals['unusedBytes'] / MEGABYTE:.1f} MiB")
    _print_rows([row["path"] for row in newest["unusedImages"]], totals["unused"])
    if newest["unusedRefused"]:
        click.echo(escape_for_terminal(f"no file is reported as unused: {newest['unusedRefused']}"))
    return 0


def _similar(row: dict[str, Any]) -> str:
    return f"  (similar: {row['near']})" if row["near"] else ""


def _print_rows(paths: list[str], total: int) -> None:
    for path in paths[:_MAX_ROWS]:
        click.echo(f"  {escape_for_terminal(path)}")
    if total > _MAX_ROWS:
        click.echo(f"  … and {total - _MAX_ROWS} more")
