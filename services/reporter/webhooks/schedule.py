"""When a webhook is sent again."""

import math
import secrets
from typing import Final

# 5 s, 20 s, 80 s, 5 min, 21 min, 1.4 h, 5.7 h, 6 h, 6 h, 6 h: about a day together.
MAX_ATTEMPTS: Final = 11
_FIRST_SECONDS: Final = 5.0
_FACTOR: Final = 4
_MAX_SECONDS: Final = 6 * 3600.0
_JITTER: Final = 0.2
_STEPS: Final = 10_000


def retry_delay(attempts: int) -> float | None:
    """Return the seconds after which to try again after that many failed *attempts*, None to give up.

    They vary, so that webhooks that failed together are not sent together again.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    seconds = min(_FIRST_SECONDS * math.pow(_FACTOR, attempts - 1), _MAX_SECONDS)
    return seconds * (1 + _JITTER * (2 * secrets.randbelow(_STEPS) / _STEPS - 1))
