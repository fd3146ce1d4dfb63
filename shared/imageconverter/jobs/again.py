"""What a task raises to be run again."""

from arq import Retry

_PAUSES = (1, 5, 30, 120)  # seconds, after each try


def retry_later(tries: int) -> Exception:
    """Return what is raised to be run again after a pause that grows with the *tries* so far."""
    return Retry(defer=_PAUSES[min(tries, len(_PAUSES)) - 1])


def put_back() -> Exception:
    """Return what is raised to be run again as if it had not been begun: no try is used up."""
    return Retry()
