"""Which results of a run are wanted."""

from collections.abc import Iterator
from dataclasses import dataclass

from imageconverter.images.conversions import OutputOutcome, Status
from imageconverter.runs.run import SourceResult


@dataclass(frozen=True)
class ResultQuery:
    """A status and formats; the default is all results."""

    status: Status | None = None
    """None: any."""
    node_ids: tuple[str, ...] | None = None
    """None: all formats."""

    @property
    def is_all(self) -> bool:
        """Whether all results are wanted."""
        return self == ResultQuery()

    def outputs(self, result: SourceResult) -> Iterator[tuple[str, OutputOutcome]]:
        """Yield the wanted outputs of *result*, with the ids of their formats."""
        for node_id, outcome in result.outputs:
            if self.status in (None, outcome.status) and (self.node_ids is None or node_id in self.node_ids):
                yield node_id, outcome

    def matches(self, result: SourceResult) -> bool:
        """Whether an output of *result* is wanted; any result if all are."""
        return self.is_all or any(True for _ in self.outputs(result))

    def may_match(self, line: bytes) -> bool:
        """Whether the result in JSON on *line* may match; much faster than parsing it."""
        return self.status is None or f'"status":"{self.status}"'.encode() in line
