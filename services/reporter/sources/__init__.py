"""The sources of catalogs that are read when a scan begins: web feeds, databases and the object store."""

from services.reporter.sources.opening import check_address, open_source
from services.reporter.sources.source import Source, SourceLimits

__all__ = ["Source", "SourceLimits", "check_address", "open_source"]
