"""A job whose store refuses its worker: it is no failure of the job."""

import pytest
from arq import Retry

from imageconverter.errors import StoreRefused, StoreUnavailable
from imageconverter.jobs import JobContext
from imageconverter.jobs.retry import retry_when_unavailable


@pytest.mark.parametrize(("error", "is_attempt"), [(StoreRefused, False), (StoreUnavailable, True)])
async def test_a_refused_worker_is_no_attempt(error: type[StoreUnavailable], *, is_attempt: bool) -> None:
    """Although its clock or its key is right when the store is probed."""

    async def work() -> None:
        raise error("refused")

    async def is_store_unavailable() -> bool:
        return False

    with pytest.raises(Retry) as raised:
        await retry_when_unavailable(
            work(), JobContext(job_id="job", job_try=1), is_store_unavailable=is_store_unavailable
        )

    assert bool(raised.value.defer_score) is is_attempt
