"""Judges what has become of a file by what the readers have made of it."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from enum import StrEnum

from PIL import Image

from tests.conformance.comparison import Difference, compare, fits_in, tolerance_for
from tests.conformance.conversion import SIDE, Outcome
from tests.conformance.reading import Reading


class Verdict(StrEnum):
    """The columns of the report."""

    RIGHT = "right"
    """At least one reader agrees."""
    WARNED = "different, with a warning"
    WRONG = "wrong"
    """Every reader shows another image, and there is no warning."""
    REFUSED_RIGHTLY = "refused rightly"
    """No reader reads the file without a complaint: it is damaged, or not an image."""
    REFUSED_WRONGLY = "refused wrongly"
    """At least one reader reads the file without a complaint."""
    NOT_PROMISED = "not promised"
    """Refused as a variant that is not supported, or as too large."""
    NOT_JUDGED = "not judged"
    """No reader is installed or reads the file; or it is damaged, and each shows something else."""

    @property
    def is_failure(self) -> bool:
        """Whether it must not happen."""
        return self in (Verdict.WRONG, Verdict.REFUSED_WRONGLY)


@dataclass(frozen=True)
class Judgment:
    """A verdict and what led to it."""

    verdict: Verdict
    reason: str
    difference: Difference | None = None
    """To the reader that differs least."""
    readings: list[tuple[Reading, Difference | None]] = field(default_factory=list)
    """Those that were asked for, with the difference to each."""


async def judge(
    outcome: Outcome, readings: AsyncIterable[Reading], type_name: str, *, is_managed: bool = False
) -> Judgment:
    """Judge *outcome*; *readings* are made as they are asked for, until one decides.

    *is_managed* says that colors had to be converted to sRGB.
    """
    if not outcome.is_promised:
        return Judgment(Verdict.NOT_PROMISED, outcome.refusal)
    if outcome.image is None:
        return await _judge_refusal(outcome, readings)
    asked: list[tuple[Reading, Difference | None]] = []
    async for reading in readings:
        difference, agrees = await asyncio.to_thread(
            _closest, outcome.image, reading, type_name, is_managed=is_managed
        )
        asked.append((reading, difference))
        if agrees:
            return Judgment(Verdict.RIGHT, f"as {reading.reader} reads it", difference, asked)
    return _judge_difference(outcome, asked)


def _closest(
    image: Image.Image, reading: Reading, type_name: str, *, is_managed: bool
) -> tuple[Difference | None, bool]:
    """Return the difference to the image that is most like *image*, and whether one agrees with it."""
    found = [(compare(image, other, SIDE), other.size) for other in reading.images]
    if not found:
        return None, False
    agrees = any(
        tolerance_for(type_name, is_scaled=not fits_in(size, SIDE), is_managed=is_managed).allows(difference)
        for difference, size in found
    )
    return min((difference for difference, _ in found), key=lambda each: each.score), agrees


def _judge_difference(outcome: Outcome, asked: list[tuple[Reading, Difference | None]]) -> Judgment:
    known = [difference for _, difference in asked if difference is not None]
    if not known:
        return Judgment(Verdict.NOT_JUDGED, "No reader reads it.", readings=asked)
    least = min(known, key=lambda each: each.score)
    if outcome.warning:
        return Judgment(Verdict.WARNED, outcome.warning, least, asked)
    proofs = [reading for reading, _ in asked if reading.is_proof]
    if not any(map(_is_clean, proofs)) and any(reading.complaint for reading in proofs):
        return Judgment(Verdict.NOT_JUDGED, "All readers complain, and differ.", least, asked)
    if not any(reading.images for reading in proofs):
        return Judgment(Verdict.NOT_JUDGED, "No reader reads all files of this type.", least, asked)
    return Judgment(Verdict.WRONG, "No reader agrees.", least, asked)


async def _judge_refusal(outcome: Outcome, readings: AsyncIterable[Reading]) -> Judgment:
    asked: list[tuple[Reading, Difference | None]] = []
    async for reading in readings:
        asked.append((reading, None))
        if _is_clean(reading):
            return Judgment(Verdict.REFUSED_WRONGLY, outcome.refusal, readings=asked)
    verdict = Verdict.REFUSED_RIGHTLY if asked else Verdict.NOT_JUDGED
    return Judgment(verdict, outcome.refusal, readings=asked)


def _is_clean(reading: Reading) -> bool:
    """Return whether the file is undamaged, as far as the reader knows."""
    return bool(reading.images) and reading.is_proof and reading.reports_damage and not reading.complaint
