"""`imageconverter status`: the state of the running or last run."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from services.cli import output, terminal
from services.cli.options import with_client
from services.cli.progress import Progress, static_bar
from services.cli.terminal import escape_for_terminal

if TYPE_CHECKING:
    from services.client import AsyncClient
    from services.client.responses import Run

_COUNTERS = ("success", "warning", "skipped", "error")


@click.command
@click.option("--watch", is_flag=True, help="Follow the run until it ends.")
@with_client
async def status(client: "AsyncClient", *, watch: bool) -> int:
    """Show the state of the running or last run.

    With --watch the exit status is 1 if the run has not finished or an image has failed.
    """
    runs = await client.runs.list()
    if not runs:
        output.echo("no run yet")
        output.result(None)
        return 0
    state: Run = runs[0]
    run, action = state["id"], state["action"]
    if watch:
        with Progress(f"run {escape_for_terminal(run)}") as progress:
            async for changed in client.runs.watch(run):
                state = {**changed, "id": run, "action": action, "startedBy": runs[0]["startedBy"]}
                images = state["progress"]
                progress.show(images["finished"], images["total"], state["counter"]["error"])
    output.echo("\n".join(format_run(run, action, state)))
    output.result(state)
    return terminal.FAILED if watch and (state["status"] != "finished" or state["counter"]["error"]) else 0


def format_run(run: str, action: str, state: Mapping[str, Any]) -> list[str]:
    """Return the lines that describe a run."""
    images, outputs, timer = state["progress"], state["progressFormat"], state["timer"]
    started = datetime.fromtimestamp(timer["start"], UTC).astimezone()
    rate = f"{images['finished'] / timer['duration']:.1f} images/s" if timer["duration"] else "n/a"
    return [
        f"run       {run}" + (f" ({action})" if action else ""),
        f"state     {state['status']}",
        f"progress  {static_bar(images['finished'], images['total'])}",
        f"images    {images['finished']} of {images['total']}: {_counts(state['counter'])}",
        f"outputs   {outputs['finished']} of {outputs['total']}: {_counts(state['formatCounter'])}",
        f"formats   {', '.join(state['usedFormats'])}",
        f"started   {started:%Y-%m-%d %H:%M:%S}",
        f"duration  {timedelta(seconds=timer['duration'])}",
        f"rate      {rate}",
    ]


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{counter[name]} {name}" for name in _COUNTERS)
