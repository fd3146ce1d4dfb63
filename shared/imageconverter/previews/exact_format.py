"""Previews that are made exactly as a target says, unlike those of a preview format."""

import hashlib
from typing import NamedTuple

from imageconverter.engine import Target

_PREFIX = "exact:@"
_DIGEST_DIGITS = 32


class ExactFormat(NamedTuple):
    """A preview of exactly this target; equal targets make equal previews."""

    target: Target
    watermark_etag: str = ""
    """That of the target's watermark: another file makes another preview."""

    @property
    def documented(self) -> str:
        """The name of the preview in its group, which no `PreviewFormat` has: a digest of what is set."""
        text = self.target.model_dump_json(exclude_defaults=True) + self.watermark_etag
        return f"{_PREFIX}{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]}"


def is_exact(documented: str) -> bool:
    """Whether *documented* is the name of an exact format."""
    return documented.startswith(_PREFIX)
