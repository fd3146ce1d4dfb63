"""Conversion runs: all images of some directories to some image formats, in any number."""

from imageconverter.runs.archive import archive_run
from imageconverter.runs.backup import RunBackup, delete_backup, list_backups, save_backup
from imageconverter.runs.dry_runs import DryRun, dry_run
from imageconverter.runs.history import HistoryPage, read_history
from imageconverter.runs.planner import count_more, plan_more, requeue_stalled_run
from imageconverter.runs.result_query import ResultQuery
from imageconverter.runs.results import ResultPage, read_results
from imageconverter.runs.retry import create_retry
from imageconverter.runs.run import Counts, Run, RunRequest, RunStatus, RunSummary, SourceResult, create_run
from imageconverter.runs.store import Failures, RunStore
from imageconverter.runs.summary import find_status, get_summary, list_summaries

__all__ = [
    "Counts",
    "DryRun",
    "Failures",
    "HistoryPage",
    "ResultPage",
    "ResultQuery",
    "Run",
    "RunBackup",
    "RunRequest",
    "RunStatus",
    "RunStore",
    "RunSummary",
    "SourceResult",
    "archive_run",
    "count_more",
    "create_retry",
    "create_run",
    "delete_backup",
    "dry_run",
    "find_status",
    "get_summary",
    "list_backups",
    "list_summaries",
    "plan_more",
    "read_history",
    "read_results",
    "requeue_stalled_run",
    "save_backup",
]
