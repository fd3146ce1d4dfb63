"""Automatic conversion: sources in the directories of automatic formats are converted without a request."""

from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.pending_sources import PendingSources
from imageconverter.automatic.scan_store import ScanStore

__all__ = ["AutomaticFormats", "PendingSources", "ScanStore"]
