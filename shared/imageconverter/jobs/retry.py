"""What a task raises to be run again."""

from arq import Retry

_PAUSES = (1, 5, 30)  # seconds, after each try


class OutOfTries(Exception):  # noqa: N818 - named after what happened; not of the tree, for it stays in this package
    """A job has been in trouble of its own too often."""


def retry_later(tries: int) -> Exception:
    """Return what is raised to be run again after a pause that grows with the *tries* so far, or to be given up."""
    if tries > len(_PAUSES):
        return OutOfTries(f"It was in trouble {tries} times.")
    return Retry(defer=_PAUSES[tries - 1])


def put_back() -> Exception:
    """Return what is raised to be run again as if it had not been begun: no try is used up."""
    return Retry()
