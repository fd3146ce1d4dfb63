"""Groups A to C of the catalog, sent to real sandbox processes: each file is converted or rejected."""

from collections import Counter
from collections.abc import Callable

import pytest

from imageconverter.engine import Converted, Target
from imageconverter.errors import NotAnImage
from imageconverter.settings import MEGABYTE
from tests.hostile.broken import BROKEN, Family, families
from tests.hostile.case import Case, Outcome, names
from tests.hostile.formats import FOREIGN, TELLTALES, TWOFOLD
from tests.testing import broken_files
from tests.testing.bombs import BOMBS
from tests.testing.hostile_files import HostileFile
from tests.worker.sandbox.test_hostile import SETTINGS, Attack

FILES = [*BOMBS, *BROKEN]


async def send(attack: Attack, *files: HostileFile) -> Counter[str]:
    """Send *files*; returns the numbers of those converted, and of those rejected by reason."""
    before = attack.outcomes.copy()
    await attack.send(files)
    assert not attack.faults
    assert attack.peak <= SETTINGS.memory_mb * MEGABYTE
    assert not any("Traceback" in each for each in attack.crashed())
    return attack.outcomes - before


@pytest.mark.parametrize("case", FILES, ids=names(FILES))
async def test_a_file_is_converted_or_rejected(attack: Attack, case: Case[Callable[[], bytes], Outcome]) -> None:
    """With a reason, within the limits of time and memory."""
    outcomes = await send(attack, HostileFile(case.what, case.attack()))

    assert outcomes.total() == 1
    if case.expected is not Outcome.EITHER:
        assert ("Converted" in outcomes) == (case.expected is Outcome.CONVERTED), outcomes


FAMILIES = list(families())


@pytest.mark.parametrize("case", FAMILIES, ids=names(FAMILIES))
async def test_all_files_of_a_family_have_a_result(attack: Attack, case: Case[Family, None]) -> None:
    """Whatever it is."""
    files = list(case.attack())

    assert (await send(attack, *files)).total() == len(files)


@pytest.mark.parametrize("case", FOREIGN, ids=names(FOREIGN))
async def test_a_foreign_file_type_is_not_an_image(attack: Attack, case: Case[Callable[[], bytes], None]) -> None:
    """It is rejected by its signature."""
    assert await send(attack, HostileFile(case.what, case.attack())) == {NotAnImage.__name__: 1}


EVERY_OUTPUT = [
    Target(max_width=50, max_height=50, output=kind) for kind in ("jpeg", "png", "webp", "avif", "gif", "keep")
]


@pytest.mark.parametrize("case", TWOFOLD, ids=names(TWOFOLD))
async def test_polyglot_content_is_not_in_the_output(attack: Attack, case: Case[Callable[[], bytes], None]) -> None:
    """For every output type."""
    data = case.attack()
    assert any(each in data for each in TELLTALES)
    for result in await attack._pool.convert(data, EVERY_OUTPUT, interactive=True):
        assert isinstance(result, Converted), result
        assert not any(each in result.data for each in TELLTALES)


async def test_50_a_bomb_is_rejected_a_thousand_times(attack: Attack) -> None:
    """It is rejected a thousand times, by the same processes."""
    bomb = HostileFile("WebP bomb", broken_files.webp_bomb())

    assert await send(attack, *[bomb] * 1000) == {"ImageTooLarge": 1000}
