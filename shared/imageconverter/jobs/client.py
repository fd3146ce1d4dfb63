"""The client that a job is done for."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """A client that waits for a job."""

    owner: str = ""
    """Who its images belong to: no sandbox process converts images of several owners."""
    has_left: Callable[[], bool] = lambda: False
    """Whether its connection is closed, so that nothing needs to be done for it any more."""
