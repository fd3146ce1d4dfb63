"""`imageconverter report`: missing and unused images, for people."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from imageconverter.settings import MEGABYTE, Settings
from services.cli import terminal
from services.cli.connection import find_access
from services.cli.progress import pluralize
from services.cli.terminal import escape_for_terminal
from services.client.api import ImagesApi, open_api

_LOOK_SECONDS = 0.5
_ROWS = 20
_GOES_ON = "this takes longer; it goes on without this command"


def run(settings: Settings, type_id: str, *, shrunken: bool, server: str | None, key: str | None) -> int:
    """Have reports made, wait, and show that of a type; returns the exit status. Raises SettingsError."""

    async def work(api: ImagesApi) -> int:
        await api.start_report(shrunken=[type_id] if shrunken else [])
        told = -1
        while (stand := await api.report_status())["running"]:
            if stand["files"] != told and stand["type"]:
                print(f"{stand['type']}: {pluralize(stand['files'], 'file')} seen", flush=True)
                told = stand["files"]
            await asyncio.sleep(_LOOK_SECONDS)
        if stand["failure"]:
            terminal.print_error(escape_for_terminal(stand["failure"]))
            return terminal.FAILED
        return await _show(api, type_id)

    return _with_api(settings, server, key, work)


def show(settings: Settings, type_id: str, *, server: str | None, key: str | None) -> int:
    """Show the newest report of a type; returns the exit status. Raises SettingsError."""
    return _with_api(settings, server, key, lambda api: _show(api, type_id))


def clean(
    settings: Settings, type_id: str, *, dry: bool, share: float | None, server: str | None, key: str | None
) -> int:
    """Move unused files to the trash, or tell what that would be; returns the exit status. Raises SettingsError."""

    async def work(api: ImagesApi) -> int:
        done = await api.run_cleanup(type_id, dry=dry, share=share)
        if "files" not in done:
            if dry:
                terminal.print_error("the server has not counted them in time; ask again later")
                return terminal.FAILED
            print(f"{_GOES_ON}; the files go to the trash {done['trash']}")
            return 0
        what = f"{pluralize(done['files'], 'file')}, {done['bytes'] / MEGABYTE:.1f} MiB, {done['share']:.1%} of all"
        if dry:
            print(f"would go: {what}; unused in all reports from {done['since']} to {done['report']}")
            _list(done["first"], done["files"])
            if done["refused"] or done["files"]:
                print(done["refused"] or "do it with: imageconverter report clean --yes")
            return terminal.FAILED if done["refused"] else 0
        print(f"in the trash: {what}")
        if done["refused"]:
            terminal.print_error(escape_for_terminal(done["refused"]))
        if done["trash"]:
            print(f"put them back with: imageconverter report restore {done['trash']}")
        return 0

    return _with_api(settings, server, key, work)


def repair(settings: Settings, type_id: str, *, server: str | None, key: str | None) -> int:
    """Have missing images converted again; returns the exit status. Raises SettingsError."""

    async def work(api: ImagesApi) -> int:
        done = await api.repair(type_id)
        if not done:
            print(_GOES_ON)
            return 0
        print(
            f"Converting {pluralize(done['converting'], 'source')} for {pluralize(done['missing'], 'missing image')}"
        )
        if done["withoutSource"]:
            print(f"without a source: {pluralize(done['withoutSource'], 'image')}")
        if done["more"]:
            print("there are more; call again after the next report")
        return 0

    return _with_api(settings, server, key, work)


def trash(settings: Settings, *, server: str | None, key: str | None) -> int:
    """List what can be put back; returns the exit status. Raises SettingsError."""

    async def work(api: ImagesApi) -> int:
        for each in await api.trash():
            what = f"{pluralize(each['files'], 'file')}, {each['bytes'] / MEGABYTE:.1f} MiB"
            print(f"{each['trash']}  {each['type']}: {what}, until {each['deletedAfter'][:16]}Z")
        return 0

    return _with_api(settings, server, key, work)


def restore(settings: Settings, trash_id: str, *, server: str | None, key: str | None) -> int:
    """Put back what a clean-up took; returns the exit status. Raises SettingsError."""

    async def work(api: ImagesApi) -> int:
        done = await api.restore(trash_id)
        if not done:
            print(_GOES_ON)
            return 0
        print(f"{pluralize(done['files'], 'file')} put back")
        if done["kept"]:
            print(f"still in the trash, for their names are taken again: {pluralize(done['kept'], 'file')}")
        return 0

    return _with_api(settings, server, key, work)


def _with_api(
    settings: Settings, server: str | None, key: str | None, work: Callable[[ImagesApi], Awaitable[int]]
) -> int:
    access = find_access(settings, server=server, key=key)

    async def working() -> int:
        async with open_api(access) as api:
            return await work(api)

    return terminal.run(working())


async def _show(api: ImagesApi, type_id: str) -> int:
    report = await api.report(type_id, limit=_ROWS)
    if not report["id"]:
        print(f"there is no report on {type_id} yet; have one made with: imageconverter report run")
        return 0
    totals: dict[str, Any] = report["totals"]
    print(f"report {report['id']} on {type_id} of {report['createdAt']}")
    print(f"catalog entries {totals['entries']}, images {totals['images']}")
    print(f"files     {totals['files']}, {totals['bytes'] / MEGABYTE:.1f} MiB")
    print(f"missing   {totals['missing']}")
    _list([f"{row['path']}{_nearby(row)}" for row in report["missingImages"]], totals["missing"])
    print(f"unused    {totals['unused']}, {totals['unusedBytes'] / MEGABYTE:.1f} MiB")
    _list([row["path"] for row in report["unusedImages"]], totals["unused"])
    if report["unusedRefused"]:
        print(escape_for_terminal(f"no file is called unused: {report['unusedRefused']}"))
    return 0


def _nearby(row: dict[str, Any]) -> str:
    return f"  (there is {row['near']})" if row["near"] else ""


def _list(paths: list[str], total: int) -> None:
    for path in paths[:_ROWS]:
        print(f"  {escape_for_terminal(path)}")
    if total > _ROWS:
        print(f"  … and {total - _ROWS} more")
