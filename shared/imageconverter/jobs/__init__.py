"""The job queue. Only this package uses arq, so that it can be replaced here alone."""

from imageconverter.jobs.activity import Activity, RunningTask
from imageconverter.jobs.attempts import JobEnd
from imageconverter.jobs.client import Client
from imageconverter.jobs.connection import open_redis
from imageconverter.jobs.dead_letters import DeadLetter, DeadLetterQueue, DeadLetterRecord
from imageconverter.jobs.queue import JobQueue, PeriodicStats, QueueState
from imageconverter.jobs.queue_name import (
    QueueName,
    job_body,
    job_key,
    lease_key,
    redis_command,
    redis_errors,
)
from imageconverter.jobs.queue_worker import QueueWorker
from imageconverter.jobs.retry import MovedJob, requeue, retry_when_unavailable, retry_with_backoff
from imageconverter.jobs.scripts import script_text
from imageconverter.jobs.task import JobContext, Task

__all__ = [
    "Activity",
    "Client",
    "DeadLetter",
    "DeadLetterQueue",
    "DeadLetterRecord",
    "JobContext",
    "JobEnd",
    "JobQueue",
    "MovedJob",
    "PeriodicStats",
    "QueueName",
    "QueueState",
    "QueueWorker",
    "RunningTask",
    "Task",
    "job_body",
    "job_key",
    "lease_key",
    "open_redis",
    "redis_command",
    "redis_errors",
    "requeue",
    "retry_when_unavailable",
    "retry_with_backoff",
    "script_text",
]
