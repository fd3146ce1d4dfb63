"""What distinguishes a request from others: a hash of method, path, query and body."""

import hashlib
from typing import Final

from aiohttp import web

from services.gateway.http import forms

_BOUNDARY: Final = b"\r\n\0\r\n"


class BodyHash:
    """A hash of a body, without the boundary of a form: programs choose another one each time they write it."""

    def __init__(self, boundary: str = "") -> None:
        """Hash a form with *boundary*, or any other body."""
        self._boundary = boundary.encode()
        self._hash = hashlib.sha256()
        self._end = b""

    def update(self, chunk: bytes) -> None:
        """Add *chunk*."""
        if not self._boundary:
            self._hash.update(chunk)
            return
        *parts, rest = (self._end + chunk).split(self._boundary)
        for part in parts:
            self._hash.update(part + _BOUNDARY)
        complete = max(0, len(rest) - len(self._boundary) + 1)  # a boundary may begin after that
        self._hash.update(rest[:complete])
        self._end = rest[complete:]

    def hexdigest(self) -> str:
        """Return the hash of what was added."""
        found = self._hash.copy()
        found.update(self._end)
        return found.hexdigest()


def body_hash(request: web.Request) -> BodyHash:
    """Return the hash to which the body of *request* has to be added; raises MalformedBody."""
    return BodyHash(forms.boundary(request) if forms.is_form(request) else "")


def fingerprint(request: web.Request, body: BodyHash) -> str:
    """Return the fingerprint of *request*, whose *body* has been added to the hash."""
    head = f"{request.method} {request.path_qs}\0{body.hexdigest()}"
    return hashlib.sha256(head.encode()).hexdigest()
