"""Jobs of a worker that was killed: the next one on the same host does not wait for their leases."""

import subprocess
import sys

import pytest

from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.jobs.lease_token import has_ended, new_token
from imageconverter.jobs.leases import Leases
from imageconverter.jobs.queue_name import lease_key
from imageconverter.resources import Resources

QUEUE = QueueName.BATCH
PROGRAM = "from imageconverter.jobs.lease_token import new_token; print(new_token())"


@pytest.fixture
def token_of_ended() -> str:
    """The token of a process that has ended."""
    return subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout.strip()


def test_a_process_that_has_ended_is_recognized(token_of_ended: str) -> None:
    """And one that runs; another process with the same id is another one."""
    running = new_token()
    host_and_pid, _, rest = running.rpartition("/")[0].rpartition("/")

    assert has_ended(token_of_ended)
    assert not has_ended(running)
    assert has_ended(f"{host_and_pid}/{int(rest) - 1}/x")


async def test_only_leases_of_ended_processes_of_this_host_end(resources: Resources, token_of_ended: str) -> None:
    """Other hosts have processes of the same ids."""
    redis = resources.redis
    another_host = f"{token_of_ended[::-1]}"
    holders = {"killed": token_of_ended, "running": new_token(), "elsewhere": another_host}
    await redis.delete(keys.queue(QUEUE))
    for position, (job, token) in enumerate(holders.items()):
        await redis.zadd(keys.queue(QUEUE), {job: position})
        await redis.set(lease_key(job), token)

    await Leases(QUEUE, redis).release_orphans()

    left = {job for job in holders if await redis.exists(lease_key(job))}
    await redis.delete(keys.queue(QUEUE), *map(lease_key, holders))
    assert left == {"running", "elsewhere"}
