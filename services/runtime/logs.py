"""Logging: one line per event, readable on a terminal and JSON elsewhere."""

import logging
import sys
from typing import Any

import structlog

from imageconverter import audit
from imageconverter.settings import ProcessSettings

# Libraries that log each of their steps.
_VERBOSE_LOGGERS = ("arq", "aiohttp", "asyncio", "botocore", "boto3", "urllib3", "PIL")


def set_up_logging(settings: ProcessSettings, *, role: str) -> None:
    """Send structlog and the standard library's loggers to stderr, with the *role* of the process in each line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    is_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    if is_console:
        shared.remove(structlog.processors.format_exc_info)
        # If rich is installed, its tracebacks would show local variables such as passwords and bodies.
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
    logging.getLogger(audit.LOGGER).setLevel(logging.INFO)
    for name in _VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(role=role)
