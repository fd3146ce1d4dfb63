"""Where the catalog of a shop is read from when a scan begins: a feed, a database, or the object store."""

from services.reporter.sources.opening import check_address, open_source
from services.reporter.sources.source import Source, SourceLimits

__all__ = ["Source", "SourceLimits", "check_address", "open_source"]
