"""How the commands end: with one line and an exit status, never with a traceback."""

import asyncio
import io
import os
import sys
from collections.abc import Coroutine
from typing import Any

from services.client.api import ApiError

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130


def run(work: Coroutine[Any, Any, int]) -> int:
    """Do *work* and return the exit status; Ctrl-C cancels it and is waited for."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not fit the terminal's character set
    try:
        return asyncio.run(work)
    except ApiError as error:
        print_error(escape_for_terminal(str(error)))
        return WRONG_USE
    except KeyboardInterrupt:
        print_error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Who read our lines has gone; Python would complain of that once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def print_error(line: str) -> None:
    """Say *line* beside the command's output."""
    print(f"imageconverter: {line}", file=sys.stderr)


def escape_for_terminal(text: str) -> str:
    """Return *text* fit for a terminal, whatever file name or answer it comes from."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
