"""Previews as the ImageConverter API asks for them: which there are, which one answers, where an image lands."""

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
    "Matching",
    "PreviewFormat",
    "PreviewType",
    "ScaleType",
    "choose",
    "parse",
    "parse_list",
    "to_target",
]
