"""What a session has found, one JSON object a file: the next session goes on from there."""

import base64
import io
from pathlib import Path
from typing import Self

from PIL import Image
from pydantic import BaseModel, ValidationError

from tests.conformance.conversion import Outcome
from tests.conformance.verdicts import Judgment, Verdict

_THUMBNAIL = (200, 160)
_CHECKER = 8  # pixels: the size of a square that shows transparency


class ReaderResult(BaseModel):
    """What one reader has made of the file."""

    reader: str
    complaint: str
    difference: float | None
    thumbnail: str


class Result(BaseModel):
    """Of one file."""

    path: str
    """Relative to the corpus."""
    type: str
    digest: str
    """Of the file."""
    outcome: str
    """The digest of what the file was converted to: while it stays the same, so does the verdict."""
    verdict: Verdict
    reason: str
    difference: float | None
    seconds: float
    thumbnail: str = ""
    readers: list[ReaderResult] = []

    @classmethod
    def of(cls, name: str, type_name: str, digest: str, outcome: Outcome, judgment: Judgment) -> Self:
        """Describe the *judgment* of a file; thumbnails show what is not right."""
        shown = judgment.verdict is not Verdict.RIGHT
        return cls(
            path=name,
            type=type_name,
            digest=digest,
            outcome=outcome.digest,
            verdict=judgment.verdict,
            reason=judgment.reason,
            difference=judgment.difference and round(judgment.difference.score, 2),
            seconds=round(outcome.seconds, 3),
            thumbnail=_thumbnail(outcome.image) if shown and outcome.image else "",
            readers=[
                ReaderResult(
                    reader=reading.reader,
                    complaint=reading.complaint,
                    difference=difference and round(difference.score, 2),
                    thumbnail=_thumbnail(reading.images[0]) if shown and reading.images else "",
                )
                for reading, difference in judgment.readings
            ],
        )


class Results:
    """The results of all sessions, in a file that only grows."""

    def __init__(self, path: Path) -> None:
        """Read what the sessions before have left; a line that was cut off is ignored."""
        self._known: dict[str, Result] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    self._remember(Result.model_validate_json(line))
                except ValidationError:
                    continue
        self._file = path.open("a", encoding="utf-8")
        self._file.write("\n" if path.stat().st_size else "")

    def find(self, digest: str, outcome: str) -> Result | None:
        """Return the result of a file by its *digest* if it was converted to the same as now."""
        found = self._known.get(digest)
        return found if found is not None and found.outcome == outcome else None

    def add(self, result: Result) -> None:
        """Keep *result*."""
        self._remember(result)
        self._file.write(result.model_dump_json() + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def _remember(self, result: Result) -> None:
        self._known[result.digest] = result


def _thumbnail(image: Image.Image) -> str:
    """Return a data URL of a small *image*, over a pattern where it is transparent."""
    small = image.copy()
    small.thumbnail(_THUMBNAIL)
    pattern = Image.new("RGBA", small.size, (255, 255, 255, 255))
    for y in range(0, small.height, _CHECKER):
        for x in range(y % (2 * _CHECKER), small.width, 2 * _CHECKER):
            pattern.paste((210, 210, 210, 255), (x, y, x + _CHECKER, y + _CHECKER))
    pattern.alpha_composite(small)
    buffer = io.BytesIO()
    pattern.convert("RGB").save(buffer, "WEBP", quality=70)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
