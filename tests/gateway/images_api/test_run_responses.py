"""The status of a run as a response."""

from imageconverter.runs import Counts, Run, RunStatus
from services.gateway.images_api.run_responses import RunStateResponse


def test_run_that_ended_before_it_began_has_taken_no_time() -> None:
    """The clock of Redis was set back meanwhile."""
    run, counts = Run(id="run", action="", batches=(), formats=()), Counts(0, 0, 0, 0)
    status = RunStatus(
        run=run,
        state="finished",
        sources=counts,
        outputs=counts,
        sources_total=0,
        outputs_total=0,
        started=3_600_000,
        ended=1,
        now=1,
        reason="",
    )

    assert RunStateResponse.of(status).timer.duration == 0
