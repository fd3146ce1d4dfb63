"""The job queue. arq is known here and nowhere else, so that another queue would be a change of one folder."""

from imageconverter.jobs.connection import open_redis
from imageconverter.jobs.dead_letters import DeadLetter, DeadLetterQueue
from imageconverter.jobs.queue import JobQueue, PeriodicStats
from imageconverter.jobs.queue_name import (
    PAYLOAD_MS,
    QueueName,
    job_body,
    job_key,
    lease_key,
    redis_command,
    redis_errors,
)
from imageconverter.jobs.retry import requeue, retry_with_backoff
from imageconverter.jobs.scripts import script_text
from imageconverter.jobs.worker import QueueWorker, Task

__all__ = [
    "PAYLOAD_MS",
    "DeadLetter",
    "DeadLetterQueue",
    "JobQueue",
    "PeriodicStats",
    "QueueName",
    "QueueWorker",
    "Task",
    "job_body",
    "job_key",
    "lease_key",
    "open_redis",
    "redis_command",
    "redis_errors",
    "requeue",
    "retry_with_backoff",
    "script_text",
]
