"""Security headers of every response: no browser may run what the gateway serves as a page."""

from multidict import CIMultiDict


def set_security_headers(headers: CIMultiDict[str]) -> None:
    """Set the security headers; a response may already have its own policy and cache control."""
    headers["Server"] = "imageconverter"
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Content-Security-Policy", "default-src 'none'; sandbox")
    headers.setdefault("Cache-Control", "no-store")
