"""Previews of the ImageConverter API: their formats, and the choice of the format for a request."""

from imageconverter.previews.exact_format import ExactFormat
from imageconverter.previews.matching import Matching, choose
from imageconverter.previews.preview_format import (
    PreviewFormat,
    PreviewType,
    ScaleType,
    parse,
    parse_list,
)
from imageconverter.previews.targets import to_target

__all__ = [
    "ExactFormat",
    "Matching",
    "PreviewFormat",
    "PreviewType",
    "ScaleType",
    "choose",
    "parse",
    "parse_list",
    "to_target",
]
