"""`imageconverter doctor`: checks what the service needs on this machine, and says what to do."""

import asyncio

import click

from services.cli import output, terminal
from services.cli.output import output_options

_COLORS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command
@output_options
def doctor() -> int:
    """Check settings, servers, formats, sandbox and disk.

    Each line is ok, a warning or an error, with what to do. Redis and S3 are those of the settings, or of a running
    `up`. The exit status is 1 if there is an error.
    """
    from services.cli.checks import all_findings  # noqa: PLC0415 - help does without

    found = asyncio.run(all_findings())
    for each in found:
        output.echo_marked(each.state, _COLORS[each.state], f"{each.subject}: {each.text}")
        if each.advice:
            output.echo(f"         {each.advice}")
    output.result([each._asdict() for each in found])
    return terminal.FAILED if any(each.state == "error" for each in found) else 0
