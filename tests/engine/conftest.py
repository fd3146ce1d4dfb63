"""The engine's tests convert in one confined process, as workers do."""

from collections.abc import Iterator

import pytest

from tests.testing import image_assertions
from tests.testing.sandboxed import sandboxed_engine


@pytest.fixture(scope="session", autouse=True)
def sandbox() -> Iterator[None]:
    """Start the process that `image_assertions` converts in."""
    with sandboxed_engine() as engine, pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_assertions, "sandbox", engine)
        yield
