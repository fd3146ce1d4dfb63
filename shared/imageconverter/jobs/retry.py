"""What a task raises to be run again."""

from arq import Retry

_PAUSES = (1, 5, 30)  # seconds, after each try


class RetriesExhausted(Exception):  # noqa: N818 - named after what happened; not of the tree, for it stays in this package
    """A job has been in trouble of its own too often."""


def retry_with_backoff(attempts: int) -> Exception:
    """Return the exception that reruns a job after a pause that grows with *attempts*, or that fails it for good."""
    if attempts > len(_PAUSES):
        return RetriesExhausted(f"It was in trouble {attempts} times.")
    return Retry(defer=_PAUSES[attempts - 1])


def requeue() -> Exception:
    """Return what is raised to be run again as if it had not been begun: no try is used up."""
    return Retry()
