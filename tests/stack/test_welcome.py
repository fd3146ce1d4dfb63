"""The message of `imageconverter up`."""

from pathlib import Path

from services.stack import credentials
from services.stack.welcome import welcome
from tests.conftest import MakeSettings


def test_the_formats_in_use_are_named(make_settings: MakeSettings, tmp_path: Path) -> None:
    """Those of the data folder if it has a file; else the defaults, with the path of a file that replaces them."""
    stored = dict.fromkeys((credentials.API_KEY, credentials.ADMIN_PASSWORD), "x")
    path = tmp_path / "formats.toml"

    def line() -> str:
        text = welcome(make_settings(), tmp_path, [], stored, seconds=1)
        return next(each.removeprefix("  formats   ") for each in text.splitlines() if each.startswith("  formats "))

    assert line() == f"built-in defaults; to change them, copy shared/imageconverter/images/formats.toml to {path}"
    path.touch()
    assert line() == str(path)
