"""The message of `imageconverter up`."""

from pathlib import Path

from imageconverter.settings import GatewaySettings
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


def test_credentials_are_shown_on_a_terminal_only(make_settings: MakeSettings, tmp_path: Path) -> None:
    """A message that is not printed on one contains a command that reads the key from its file."""
    stored = {credentials.API_KEY: "the-key", credentials.ADMIN_PASSWORD: "the-password"}
    settings = make_settings(gateway=GatewaySettings())
    shown = welcome(settings, tmp_path, [], stored, seconds=1)
    kept = welcome(settings, tmp_path, [], None, seconds=1)

    assert "export KEY=the-key\n" in shown
    assert "  console   http://127.0.0.1:8005/console/login#key=the-key\n" in shown
    assert "  console   http://127.0.0.1:8005/console/\n" in kept
    assert "/ the-password " in shown
    assert f"export KEY=$(sed -n 's/^IMAGECONVERTER_API_KEY=//p' {credentials.path(tmp_path)})\n" in kept
    assert "the-" not in kept.replace("then", "")


def test_the_console_is_reached_from_this_machine(make_settings: MakeSettings, tmp_path: Path) -> None:
    """Also if the gateway listens on all addresses; a configured key is not repeated."""
    stored = dict.fromkeys((credentials.API_KEY, credentials.ADMIN_PASSWORD), "x")
    everywhere = welcome(make_settings(gateway=GatewaySettings(host="0.0.0.0")), tmp_path, [], stored, seconds=1)
    configured = welcome(make_settings(gateway=GatewaySettings(api_key="k")), tmp_path, [], stored, seconds=1)

    assert "http://127.0.0.1:8005/console/login#key=x\n" in everywhere
    assert "  console   http://127.0.0.1:8005/console/\n" in configured
