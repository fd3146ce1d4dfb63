"""The engine: bytes in, bytes out. It knows no network, no queue and no settings.

What is named here takes no decoder: the gateway and the worker import it. `imageconverter.engine.pipeline`, which
does the work, is for the processes that are confined.
"""

from imageconverter.engine.header import check_header, describe, probe
from imageconverter.engine.limits import Limits
from imageconverter.engine.output_types import OUTPUT_TYPES, Converted, Failed
from imageconverter.engine.source_types import SourceType, identify
from imageconverter.engine.target import Fit, OutputType, Target

# Part of every output's fingerprint: with a new number, images that were converted before are made anew.
ENGINE_VERSION = "3"

__all__ = [
    "ENGINE_VERSION",
    "OUTPUT_TYPES",
    "Converted",
    "Failed",
    "Fit",
    "Limits",
    "OutputType",
    "SourceType",
    "Target",
    "check_header",
    "describe",
    "identify",
    "probe",
]
