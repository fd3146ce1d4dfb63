"""`imageconverter gateway`, `worker` and `reporter`: run one process of a role."""

import asyncio
from functools import partial
from importlib import import_module

import click

from imageconverter.settings import Settings, load_settings
from services.runtime.lifecycle import run_until_signal
from services.runtime.logs import set_up_logging
from services.runtime.tracing import observed


def _role_command(role: str) -> click.Command:
    def run() -> int:
        settings = load_settings()
        set_up_logging(settings.process, role=role)
        run_until_signal(partial(_run, settings, role))
        return 0

    return click.Command(role, callback=run, help=f"Run one {role}.")


async def _run(settings: Settings, role: str, stopping: asyncio.Event) -> None:
    # Imported here, because a role must not load the code of the others.
    main = import_module(f"services.{role}.main")
    with observed(settings.process, role):
        await main.run(settings, stopping)


gateway = _role_command("gateway")
worker = _role_command("worker")
reporter = _role_command("reporter")
