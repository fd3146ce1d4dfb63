"""Logging: one line an event, for people on a terminal and as JSON everywhere else."""

import logging
import sys
from typing import Any

import structlog

from imageconverter.settings import ProcessSettings

# Libraries that write a line for each of their own small steps.
_TALKATIVE = ("arq", "aiohttp", "asyncio", "botocore", "boto3", "urllib3", "PIL")


def set_up_logging(settings: ProcessSettings, *, role: str) -> None:
    """Send structlog and the standard library's loggers to stderr, each line with the process's *role*."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    for_people = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    if for_people:
        shared.remove(structlog.processors.format_exc_info)
        # Where rich is installed, its tracebacks would show local variables: passwords, bodies.
        renderer: Any = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(role=role)
