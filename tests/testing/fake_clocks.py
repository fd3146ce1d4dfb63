"""Wall clocks of processes that tests set, by libfaketime; monotonic clocks go on."""

import os
from pathlib import Path
from typing import Final

import pytest

_LIBRARY: Final = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)

needs_fake_clocks = pytest.mark.skipif(_LIBRARY is None, reason="no libfaketime")

HOUR: Final = 3600
DAYS: Final = 40 * 24 * HOUR
STEPS: Final = (HOUR, -HOUR, DAYS, -DAYS)
"""Seconds by which clocks are set forward and back."""


class FakeClock:
    """The wall clock of the processes that have its environment."""

    def __init__(self, folder: Path, name: str) -> None:
        """Keep the time in *folder*; the clock is right at first."""
        self._file = folder / f"{name}.clock"
        folder.mkdir(exist_ok=True)
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program use this clock."""
        return {
            "LD_PRELOAD": str(_LIBRARY),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
        }

    def set(self, offset: int) -> None:
        """Let the clock differ from the right time by *offset* seconds from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset:+}")
        os.replace(new, self._file)  # noqa: PTH105 - never half written
