"""The coded image data of a source, kept as they are, where an output would be the same image in the same file type.

Only metadata are removed, by the segments or chunks of the file. What remains is what the decoder needs, and was
decoded completely before; no byte is kept that is not part of it.
"""

from imageconverter.engine.coded_data.kept import Kept, keep, source_size
from imageconverter.engine.coded_data.verification import shows

__all__ = ["Kept", "keep", "shows", "source_size"]
