"""Workers of jobs that kill or block them, and when these jobs were started."""

import asyncio
import sys
from typing import Any, NamedTuple
from uuid import uuid4

from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from tests.testing.processes import Part, Stack
from tests.testing.queue_program import BEGINNINGS


class QueueWorkers(NamedTuple):
    """Workers of jobs that kill or block them."""

    stack: Stack
    resources: Resources

    def worker(self, *, slots: int) -> Part:
        """Return a worker, without starting it."""
        part = self.stack.program([sys.executable, "-m", "tests.testing.queue_program", str(slots)], "queue")
        self.stack.workers.append(part)
        return part

    async def enqueue(self, task: str, count: int = 1) -> list[str]:
        """Enqueue *count* jobs; returns their ids."""
        ids = [f"{task}-{uuid4().hex}" for _ in range(count)]
        for job_id in ids:
            await self.resources.queue.enqueue(QueueName.SCAN, task, job_id, {})
        return ids

    async def beginnings(self, job_id: str, *, count: int, seconds: float = 60) -> list[float]:
        """Wait until a job was started *count* times; returns the times."""
        redis: Any = self.resources.redis
        async with asyncio.timeout(seconds):
            while True:
                lines = [line.decode().split() for line in await redis.lrange(BEGINNINGS, 0, -1)]
                found = [float(at) for job, at, _ in lines if job == job_id]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)
