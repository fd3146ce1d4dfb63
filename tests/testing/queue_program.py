"""A worker of the scan queue with tasks for tests: ``python -m tests.testing.queue_program SLOTS``."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

from imageconverter.jobs import QueueName, QueueWorker
from imageconverter.resources import open_resources
from imageconverter.settings import load_settings

BEGINNINGS = "chaos:beginnings"
"""A list of all starts of jobs: job, monotonic time in seconds, and attempt."""


async def main(slots: int) -> None:
    """Work until killed."""
    async with open_resources(load_settings(), retry_timeout=30) as resources:

        async def begin(context: Mapping[str, Any]) -> None:
            line = f"{context['job_id']} {time.monotonic()} {context['job_try']}"
            await resources.redis.rpush(BEGINNINGS, line)  # type: ignore[misc]

        async def stay(context: Mapping[str, Any], _payload: Any) -> None:
            """On the first attempt, wait until this process is killed."""
            await begin(context)
            if context["job_try"] == 1:
                await asyncio.sleep(3600)

        async def die(context: Mapping[str, Any], _payload: Any) -> None:
            """Kill the worker."""
            await begin(context)
            os.kill(os.getpid(), signal.SIGKILL)

        async def pass_by(context: Mapping[str, Any], _payload: Any) -> None:
            """Do nothing."""
            await begin(context)

        tasks = {"stay": stay, "die": die, "pass": pass_by}
        await QueueWorker(QueueName.SCAN, tasks, resources.redis, slots=slots, job_seconds=3600).async_run()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
