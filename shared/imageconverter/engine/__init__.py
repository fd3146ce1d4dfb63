"""The engine: bytes in, bytes out. It knows no network, no queue and no settings."""

from imageconverter.engine.decode import ImageInfo, check_header, probe
from imageconverter.engine.encode import OUTPUT_FORMATS
from imageconverter.engine.limits import Limits
from imageconverter.engine.pipeline import Converted, Failed, convert
from imageconverter.engine.source import SourceFormat, identify
from imageconverter.engine.target import Fit, OutputType, Target

# Part of every output's fingerprint: with a new number, pictures that were converted before are made anew.
ENGINE_VERSION = "1"

__all__ = [
    "ENGINE_VERSION",
    "OUTPUT_FORMATS",
    "Converted",
    "Failed",
    "Fit",
    "ImageInfo",
    "Limits",
    "OutputType",
    "SourceFormat",
    "Target",
    "check_header",
    "convert",
    "identify",
    "probe",
]
