"""The commands of ``imageconverter``: what a person types, and what a container runs."""

import argparse
import secrets
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from imageconverter import __version__
from imageconverter.images.formats import FormatsFileError
from imageconverter.settings import SettingsError, load_settings, unknown_variables
from services.runtime.roles import ROLES

_RETRY_TIMEOUT_SECONDS = 30  # a Redis that restarts is waited for


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    for name in unknown_variables():
        print(f"imageconverter: {name} is not a setting; see docs/operations.md", file=sys.stderr)
    try:
        return int(options.run(options))
    except (SettingsError, FormatsFileError) as error:
        for line in str(error).splitlines():
            print(f"imageconverter: {line}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imageconverter", description="A self-hosted image conversion service.")
    parser.add_argument("--version", action="version", version=f"imageconverter {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run the whole stack on this machine, Redis and S3 included")
    up.set_defaults(run=_up)
    for role in ROLES:
        command = commands.add_parser(role, help=f"run one {role}")
        command.set_defaults(run=_role, role=role)
    _add_client_commands(commands)
    health = commands.add_parser("health", help="exit with 0 where a role is alive, for container health checks")
    health.add_argument("role", choices=ROLES)
    health.set_defaults(run=_health)
    reindex = commands.add_parser("reindex", help="rebuild the index of previews from the object store")
    reindex.set_defaults(run=_reindex)
    key = commands.add_parser("key", help="make an API key and the lines that a keys file needs for it")
    key.add_argument("name", help="who or what the key is for")
    key.add_argument("permission", nargs="+", help="for example images.read images.publish.products")
    key.set_defaults(run=_key)
    table = commands.add_parser("settings", help="print all settings as a Markdown table")
    table.set_defaults(run=_settings)
    return parser


def _add_client_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    convert = commands.add_parser("convert", help="convert all images of a local folder")
    convert.add_argument("directory", metavar="DIR", type=Path, help="the folder; its sub-folders are taken too")
    convert.add_argument("--format", metavar="ID", action="append", required=True, help="may be given several times")
    convert.add_argument("--action", metavar="NAME", default="convert", help="what the run is called in the history")
    convert.set_defaults(run=_convert)
    status = commands.add_parser("status", help="tell how the running or last run stands")
    status.add_argument("--watch", action="store_true", help="follow the run until it ends")
    status.set_defaults(run=_status)
    jobs = commands.add_parser("jobs", help="tell of jobs that were given up, try them again, or forget them")
    jobs.add_argument("which", choices=["dead"])
    jobs.add_argument("action", choices=["list", "retry", "drop"])
    jobs.add_argument("job", nargs="*", help="ids of the jobs to retry or drop")
    jobs.add_argument("--all", action="store_true", help="retry or drop all that were given up")
    jobs.set_defaults(run=_jobs)
    reporting = _add_report_commands(commands)
    for command in (convert, status, jobs, *reporting):
        command.add_argument("--server", metavar="URL", help="default: the gateway of the settings, on this machine")
        command.add_argument(
            "--key", metavar="KEY", help="default: IMAGECONVERTER_API_KEY, else the key made by `up`"
        )


def _add_report_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> Iterator[argparse.ArgumentParser]:
    catalog = commands.add_parser("catalog", help="tell which images the shop refers to")
    actions = catalog.add_subparsers(required=True, metavar="ACTION")
    sending = actions.add_parser("import", help="replace the whole catalog by that of a file")
    sending.add_argument("file", metavar="FILE", type=Path, help="NDJSON or CSV, also as .gz")
    sending.add_argument("--as", dest="notation", choices=("csv", "ndjson"), help="default: by the file's name")
    sending.set_defaults(run=_import)
    report = commands.add_parser("report", help="find missing and unused images, and act on what was found")
    actions = report.add_subparsers(required=True, metavar="ACTION")
    making = actions.add_parser("run", help="have reports made, and show the one of the type")
    making.add_argument(
        "--shrunken",
        action="store_true",
        help="believe a catalog that has lost more than half",
    )
    showing = actions.add_parser("show", help="show the newest report")
    cleaning = actions.add_parser("clean", help="tell what a clean-up would take away; with --yes, do it")
    cleaning.add_argument("--yes", action="store_true", help="move the files to the trash")
    cleaning.add_argument("--share", type=float, help="share of all files that may go at once, 0 to 1")
    repairing = actions.add_parser("repair", help="convert missing images again")
    trash = actions.add_parser("trash", help="show what clean-ups have taken away")
    restoring = actions.add_parser("restore", help="put back what a clean-up took")
    restoring.add_argument("trash", metavar="ID", help="as `report trash` shows it")
    of_type = {"run": making, "show": showing, "clean": cleaning, "repair": repairing}
    for name, command in {**of_type, "trash": trash, "restore": restoring}.items():
        command.set_defaults(run=_report, action=name)
    for command in (sending, *of_type.values()):
        command.add_argument(
            "--type", choices=("products", "categories", "appImages"), default="products", help="default: products"
        )
    yield from (sending, making, showing, cleaning, repairing, trash, restoring)


# Each command imports what it needs: starting a worker must not pay for the gateway.


def _up(_options: argparse.Namespace) -> int:
    from services.stack.up import up

    return up(load_settings())


def _role(options: argparse.Namespace) -> int:
    from importlib import import_module

    from services.runtime.lifecycle import run_until_signal
    from services.runtime.logs import set_up_logging

    settings = load_settings()
    set_up_logging(settings.process, role=options.role)
    run_until_signal(partial(import_module(f"services.{options.role}.main").run, settings))
    return 0


def _convert(options: argparse.Namespace) -> int:
    from services.cli.convert import convert

    return convert(
        load_settings(),
        options.directory,
        options.format,
        server=options.server,
        key=options.key,
        action=options.action,
    )


def _status(options: argparse.Namespace) -> int:
    from services.cli.status import status

    return status(load_settings(), server=options.server, key=options.key, watch=options.watch)


def _jobs(options: argparse.Namespace) -> int:
    from services.cli.jobs import dead

    return dead(
        load_settings(), options.action, options.job, every=options.all, server=options.server, key=options.key
    )


def _import(options: argparse.Namespace) -> int:
    from services.cli.catalog import send

    return send(load_settings(), options.file, options.type, options.notation, server=options.server, key=options.key)


def _report(options: argparse.Namespace) -> int:
    from services.cli import report

    settings, place = load_settings(), {"server": options.server, "key": options.key}
    match options.action:
        case "run":
            return report.run(settings, options.type, shrunken=options.shrunken, **place)
        case "show":
            return report.show(settings, options.type, **place)
        case "clean":
            return report.clean(settings, options.type, dry=not options.yes, share=options.share, **place)
        case "repair":
            return report.repair(settings, options.type, **place)
        case "trash":
            return report.trash(settings, **place)
        case _:
            return report.restore(settings, options.trash, **place)


def _health(options: argparse.Namespace) -> int:
    import asyncio

    from services.runtime.lifecycle import is_alive

    return 0 if asyncio.run(is_alive(load_settings(), options.role)) else 1


def _reindex(_options: argparse.Namespace) -> int:
    import asyncio

    from imageconverter.errors import Unavailable
    from imageconverter.previews.reindex import reindex
    from imageconverter.resources import open_resources
    from services.runtime.logs import set_up_logging

    async def restored() -> int:
        async with open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources:
            return await reindex(resources.previews, resources.store)

    settings = load_settings()
    set_up_logging(settings.process, role="reindex")
    try:
        print(f"{asyncio.run(restored())} keys were brought back into the index")
    except Unavailable as error:
        print(f"imageconverter: {error.reason} What is done is done; start it again.", file=sys.stderr)
        return 1
    return 0


def _key(options: argparse.Namespace) -> int:
    from services.gateway.auth.access import PERMISSIONS, key_entry

    unknown = [each for each in options.permission if each not in PERMISSIONS]
    if unknown:
        raise SettingsError(f"no such permission: {', '.join(unknown)}; there are {', '.join(PERMISSIONS)}")
    key = secrets.token_urlsafe(32)
    print(f"key: {key}\n\n{key_entry(options.name, key, options.permission)}")
    return 0


def _settings(_options: argparse.Namespace) -> int:
    from imageconverter.settings import settings_table

    print(settings_table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
