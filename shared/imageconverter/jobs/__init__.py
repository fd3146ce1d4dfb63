"""The job queue. arq is known here and nowhere else, so that another queue would be a change of one folder."""

from imageconverter.jobs.connection import open_redis
from imageconverter.jobs.queue import (
    PAYLOAD_MS,
    JobQueue,
    Lane,
    job_body,
    job_key,
    lease_key,
    redis_errors,
    script_text,
)
from imageconverter.jobs.worker import LaneWorker, Task, retry_later

__all__ = [
    "PAYLOAD_MS",
    "JobQueue",
    "Lane",
    "LaneWorker",
    "Task",
    "job_body",
    "job_key",
    "lease_key",
    "open_redis",
    "redis_errors",
    "retry_later",
    "script_text",
]
