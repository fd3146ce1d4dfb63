"""The log files of the programs of a stack."""

import asyncio
import sys
from pathlib import Path
from typing import Final

_MAX_BYTES: Final = 16 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024


async def copy_output(output: asyncio.StreamReader, log: Path) -> None:
    """Append *output* to *log* and to stderr until it ends. A log that has grown large becomes `*.log.1`."""
    while chunk := await output.read(_CHUNK_BYTES):
        sys.stderr.buffer.write(chunk)
        sys.stderr.buffer.flush()
        _append(log, chunk)


def _append(log: Path, chunk: bytes) -> None:
    with log.open("ab") as file:
        file.write(chunk)
        is_full = file.tell() > _MAX_BYTES
    if is_full:
        log.replace(log.with_name(f"{log.name}.1"))
