"""The audit log: one line for each change, with who made it, where from, and what it was."""

import logging
from typing import Final

import structlog

LOGGER: Final = "imageconverter.audit"
EVENT: Final = "audit"
_MAX_CHARACTERS: Final = 200
# Its lines are written whatever the minimum severity of other lines is.
_log = structlog.wrap_logger(
    None, wrapper_class=structlog.make_filtering_bound_logger(logging.INFO), logger_factory_args=(LOGGER,)
)


def record(operation: str, *, actor: str, **details: object) -> None:
    """Log that *actor* has done *operation*; *actor* begins with its kind: `key`, `user`, `task` or `command`.

    Texts may come from clients: they are cut, and characters that could begin a line or a color are escaped.
    """
    safe = {name: _printable(value) if isinstance(value, str) else value for name, value in details.items()}
    _log.info(EVENT, operation=_printable(operation), actor=_printable(actor), **safe)


def _printable(text: str) -> str:
    cut = text if len(text) <= _MAX_CHARACTERS else text[: _MAX_CHARACTERS - 1] + "…"
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)
