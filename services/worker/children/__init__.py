"""Decoding hostile pictures in processes of their own that can be limited, killed and replaced."""

from services.worker.children.pool import ChildPool

__all__ = ["ChildPool"]
