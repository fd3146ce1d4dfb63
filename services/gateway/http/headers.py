"""The headers that every answer carries; nothing that is served is ever to run as a page."""

from multidict import CIMultiDict


def set_security_headers(headers: CIMultiDict[str]) -> None:
    """Set them; of the last two an answer may have its own."""
    headers["Server"] = "imageconverter"
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Content-Security-Policy", "default-src 'none'; sandbox")
    headers.setdefault("Cache-Control", "no-store")
