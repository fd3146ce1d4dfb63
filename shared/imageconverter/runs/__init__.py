"""Conversion runs: every image of some directories to some formats, however many there are."""

from imageconverter.runs.backup import KeptOrder, forget_order, keep_order, kept_orders
from imageconverter.runs.planner import count_more, plan_more, revive
from imageconverter.runs.results import ResultPage, read_results
from imageconverter.runs.run import Counts, Run, RunRequest, RunStatus, SourceResult, order_run
from imageconverter.runs.store import RunLedger

__all__ = [
    "Counts",
    "KeptOrder",
    "ResultPage",
    "Run",
    "RunLedger",
    "RunRequest",
    "RunStatus",
    "SourceResult",
    "count_more",
    "forget_order",
    "keep_order",
    "kept_orders",
    "order_run",
    "plan_more",
    "read_results",
    "revive",
]
