"""The job queue. arq is known here and nowhere else, so that another queue would be a change of one folder."""

from imageconverter.jobs.connection import open_redis
from imageconverter.jobs.dead_letters import DeadJob, DeadJobs
from imageconverter.jobs.queue import Done, JobQueue
from imageconverter.jobs.queue_name import PAYLOAD_MS, Lane, job_body, job_key, lease_key, redis_errors, script_text
from imageconverter.jobs.retry import put_back, retry_later
from imageconverter.jobs.worker import LaneWorker, Task

__all__ = [
    "PAYLOAD_MS",
    "DeadJob",
    "DeadJobs",
    "Done",
    "JobQueue",
    "Lane",
    "LaneWorker",
    "Task",
    "job_body",
    "job_key",
    "lease_key",
    "open_redis",
    "put_back",
    "redis_errors",
    "retry_later",
    "script_text",
]
