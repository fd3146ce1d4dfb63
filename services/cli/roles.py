"""`imageconverter gateway`, `worker` and `reporter`: run one process of a role."""

from functools import partial
from importlib import import_module

import click

from imageconverter.settings import load_settings
from services.runtime.lifecycle import run_until_signal
from services.runtime.logs import set_up_logging


def _role_command(role: str) -> click.Command:
    def run() -> int:
        settings = load_settings()
        set_up_logging(settings.process, role=role)
        # Imported here, because a role must not load the code of the others.
        run_until_signal(partial(import_module(f"services.{role}.main").run, settings))
        return 0

    return click.Command(role, callback=run, help=f"Run one {role}.")


gateway = _role_command("gateway")
worker = _role_command("worker")
reporter = _role_command("reporter")
