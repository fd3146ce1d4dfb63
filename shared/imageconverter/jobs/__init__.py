"""The job queue. arq is known here and nowhere else, so that another queue would be a change of one folder."""

from imageconverter.jobs.connection import open_redis
from imageconverter.jobs.queue import JobQueue, Lane
from imageconverter.jobs.worker import LaneWorker, Task, retry_later

__all__ = ["JobQueue", "Lane", "LaneWorker", "Task", "open_redis", "retry_later"]
