"""Restarting the processes of a stack one after the other, with the same release or another one."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imageconverter.resources import Resources
from tests.testing.processes import THIS_RELEASE, Part, Stack
from tests.testing.workload import Client

UPGRADE_ORDER = ("reporter", "worker", "gateway")
_LIVE_SECONDS = 60


def parts_of(stack: Stack, role: str) -> Sequence[Part]:
    """Return the processes of *role*."""
    return {"gateway": stack.gateways, "worker": stack.workers, "reporter": stack.reporters}[role]


async def restart(part: Part, client: Client, resources: Resources, *, python: Path = THIS_RELEASE) -> float:
    """Stop a process with SIGTERM, start it with the release of *python*, and wait until it works.

    Returns the seconds that it needed to end.
    """
    taken = await part.terminate()
    part.command = replace(part.command, arguments=[str(python), *part.command.arguments[1:]])
    await part.start()
    async with asyncio.timeout(_LIVE_SECONDS):
        while not await _is_live(part, client, resources):
            await asyncio.sleep(0.05)
    return taken


async def _is_live(part: Part, client: Client, resources: Resources) -> bool:
    if part.command.name == "gateway":
        address = f"http://127.0.0.1:{part.command.environment['IMAGECONVERTER_PORT']}"
        status, _ = await Client([address], client.session, client.chance).ask("GET", "/health/ready")
        return status == 200
    processes = await resources.queue.live_processes(part.command.name)
    return f"{socket.gethostname()}:{part.process.pid}" in processes
