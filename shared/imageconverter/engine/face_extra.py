"""The extra that finds faces: whether it is installed, found out without loading it."""

from importlib.util import find_spec


def finds_faces() -> bool:
    """Return whether dlib is installed."""
    return find_spec("dlib") is not None
