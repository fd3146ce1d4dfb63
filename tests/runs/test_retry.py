"""The run that repeats what has failed, in the formats as they are configured now."""

from typing import Final

import pytest

from imageconverter.images.formats_file import parse_formats
from imageconverter.images.subshops import Subshops
from imageconverter.images.subshops_file import parse_subshops
from imageconverter.runs import Run
from imageconverter.runs.retry import create_retry
from imageconverter.runs.run import Batch, Counts, RunStatus
from tests.images.test_formats_file import FORMAT

SUBSHOPS: Final = """[[subshop]]
id = "main"
name = "Main"

[[subshop]]
id = "b"
name = "B"
targetPrefix = "{b}"

[[subshop]]
id = "c"
name = "C"
targetPrefix = "{c}"
"""


def configured(*, b: str, c: str) -> Subshops:
    """Return three subshops, two of which have these prefixes."""
    return parse_subshops(SUBSHOPS.format(b=b, c=c), "subshops.toml", parse_formats(FORMAT, "formats.toml"))


@pytest.mark.parametrize(("automatic", "directory"), [(False, "new/small"), (True, "old/small")])
def test_a_retry_writes_into_the_directory_of_its_own_subshop(*, automatic: bool, directory: str) -> None:
    """Also if another subshop has the prefix by now. An automatic run is one for all subshops."""
    formats = tuple(configured(b="old", c="other")["b"].formats.values())
    run = Run(
        id="1",
        action="",
        batches=(Batch(directory="products", formats=formats),),
        formats=tuple(each.node_id for each in formats),
        subshop="" if automatic else "b",
        automatic=automatic,
    )
    counts = Counts(success=0, skipped=0, warning=0, error=1)
    failed = RunStatus(run, "finished", counts, counts, 1, 1, started=1, ended=2, now=3, reason="")

    retry = create_retry(configured(b="new", c="old"), failed, action="", started_by="")

    assert [each.target_directory for batch in retry.batches for each in batch.formats] == [directory]
