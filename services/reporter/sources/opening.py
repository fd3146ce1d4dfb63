"""Opening a source by its address."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from imageconverter.settings import SettingsError
from imageconverter.storage.store import ObjectStore
from services.reporter.sources.feed import open_feed
from services.reporter.sources.source import Source, SourceLimits
from services.reporter.sources.stored import open_stored

_FEEDS = ("http", "https")
_DATABASES = ("postgresql", "mysql")
_KINDS = "s3:KEY, http://…, https://…, postgresql://USER:PASSWORD@HOST/DATABASE or mysql://…"


def check_address(address: str, query: str = "") -> None:
    """Raise SettingsError unless *address*, with the *query* for a database, is valid; resolves no host."""
    _kind(address, query)


def open_source(
    address: str,
    *,
    store: ObjectStore,
    query: str = "",
    private_hosts: Collection[str] = (),
    limits: SourceLimits | None = None,
) -> AbstractAsyncContextManager[Source]:
    """Open the source at *address*; *query* is the SELECT of a database, *private_hosts* are for feeds only.

    Raises SettingsError like `check_address`. Entering and reading it raise SourceUnavailable for temporary errors,
    SourceRefused for permanent ones, and StoreUnavailable.
    """
    kind = _kind(address, query)
    limits = limits or SourceLimits()
    if kind == "s3":
        return open_stored(store, address.removeprefix("s3:"), limits)
    if kind in _FEEDS:
        return open_feed(address, limits, private_hosts=private_hosts)
    # Imported here: most reporters read no database, and SQLAlchemy takes half a second to import.
    from services.reporter.sources.database import open_query  # noqa: PLC0415

    return open_query(address, query, limits)


def _kind(address: str, query: str) -> str:
    """Return the scheme. Errors do not contain the address, which may contain a password."""
    if any(character <= " " for character in address):
        raise SettingsError("The address of a source must not contain spaces or control characters.")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(f"The address of a source must be one of {_KINDS}.") from None
    # Checked literally: other parsers are stricter.
    if not address.startswith("s3:" if parts.scheme == "s3" else f"{parts.scheme}://"):
        raise SettingsError(f"The address of a source must be one of {_KINDS}.")
    if parts.scheme == "s3":
        if address.startswith("s3:/") or address == "s3:":
            raise SettingsError(
                "The address of an object must be s3:KEY, without slashes before the key and without a bucket."
            )
    elif parts.scheme in _DATABASES:
        if not parts.path.strip("/"):
            raise SettingsError(f"The address of a database must be {parts.scheme}://USER:PASSWORD@HOST/DATABASE.")
        if not query.strip():
            raise SettingsError("A database source needs a query, one SELECT.")
    elif parts.scheme not in _FEEDS or not host:
        raise SettingsError(f"The address of a source must be one of {_KINDS}.")
    return parts.scheme
