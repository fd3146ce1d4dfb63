"""The commands that need no server: version, usage errors, keys, health and what a command imports."""

import hashlib
import subprocess
import sys
import tomllib

import click
import pytest

from imageconverter import __version__
from services.cli.formats import formats
from services.cli.lazy_group import LazyGroup
from services.cli.main import cli, main


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, with the name of the program."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"imageconverter {__version__}\n"


def test_the_help_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Each can be imported and has a description."""
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()

    assert [line.split()[0] for line in lines] == [
        *("up", "gateway", "worker", "reporter", "convert", "push", "pull", "trash", "status", "formats"),
        *(
            "jobs",
            "catalog",
            "automatic",
            "report",
            "webhooks",
            "doctor",
            "open",
            "logs",
            "health",
            "reindex",
            "backup",
            "restore",
        ),
        *("verify", "key", "settings", "completion"),
    ]
    assert all(len(line.split()) > 1 for line in lines)


@pytest.mark.parametrize("group", [cli, formats], ids=lambda group: group.name)
def test_the_help_of_a_group_says_what_its_commands_say(group: click.Command) -> None:
    """It does not import them."""
    assert isinstance(group, LazyGroup)
    context = click.Context(group)

    for name, listed in group.lazy_commands.items():
        command = group.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(limit=1000) == listed.short_help


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["--version"],
        *([*command, "--help"] for command in (["formats"], ["convert"], ["push"], ["status"], ["report", "clean"])),
    ],
    ids=" ".join,
)
def test_help_and_version_import_nothing_large(command: list[str]) -> None:
    """They answer at once."""
    program = (
        f"import sys, services.cli.main as command; command.main({command!r}); "
        "large = {'aiohttp', 'PIL', 'numpy', 'pydantic', 'redis', 'structlog'}; "
        "print(sorted(large & sys.modules.keys()))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert finished.stdout.endswith("\n[]\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["--unknown"],
        ["health"],
        ["health", "other"],
        ["convert", "."],
        ["jobs", "dead", "drop", "--unknown"],
        ["report", "show", "--type", "other"],
    ],
)
def test_a_usage_error_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """It is printed on stderr, with the usage of the command."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()

    assert out == ""
    assert err.startswith("Usage: imageconverter ")


def test_invalid_settings_end_with_2(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each of them."""
    monkeypatch.setenv("IMAGECONVERTER_PORT", "http")
    monkeypatch.setenv("IMAGECONVERTER_MAX_MEGAPIXELS", "0")

    assert main(["health", "worker"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("imageconverter: IMAGECONVERTER_") for line in lines] == [True, True]


def test_an_unknown_variable_is_a_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command runs nevertheless."""
    monkeypatch.setenv("IMAGECONVERTER_PROT", "8005")

    assert main(["settings"]) == 0
    out, err = capsys.readouterr()
    assert "| `IMAGECONVERTER_PORT` |" in out
    assert err == "imageconverter: IMAGECONVERTER_PROT is not a setting; see docs/operations.md\n"


def test_health_fails_without_servers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With 1, which container engines read as unhealthy, and the reasons."""
    monkeypatch.setenv("IMAGECONVERTER_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("IMAGECONVERTER_S3_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("IMAGECONVERTER_S3_ACCESS_KEY", "key")
    monkeypatch.setenv("IMAGECONVERTER_S3_SECRET_KEY", "secret")

    assert main(["health", "gateway"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "imageconverter: no heartbeat of a gateway on this host",
        "imageconverter: Redis is down",
        "imageconverter: the object store is down",
    ]


def test_a_generated_key_comes_with_its_entry(capsys: pytest.CaptureFixture[str]) -> None:
    """The entry is on stdout and contains the hash of the key, which is on stderr only."""
    assert main(["key", 'the "shop"', "images.read", "images.publish.products"]) == 0
    entry, printed = capsys.readouterr()
    key = printed.removeprefix("key: ").removesuffix("\n")

    assert tomllib.loads(entry)["key"] == [
        {
            "name": 'the "shop"',
            "sha256": hashlib.sha256(key.encode()).hexdigest(),
            "permissions": ["images.read", "images.publish.products"],
        }
    ]


def test_a_key_is_limited_to_subshops(capsys: pytest.CaptureFixture[str]) -> None:
    """By an option that may be repeated."""
    assert main(["key", "shop", "images.read", "--subshop", "outdoor", "--subshop", "sale"]) == 0

    (entry,) = tomllib.loads(capsys.readouterr().out)["key"]
    assert (entry["permissions"], entry["subshops"]) == (["images.read"], ["outdoor", "sale"])


def test_a_key_needs_known_permissions(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the unknown one."""
    assert main(["key", 'the "shop"', "images.read", "images.raed"]) == 2
    assert capsys.readouterr().err.startswith("imageconverter: unknown permission: images.raed;")


@pytest.mark.parametrize(
    ("role", "foreign"),
    [
        ("worker", ["services.gateway", "services.reporter", "aiohttp", "duckdb"]),
        ("gateway", ["services.worker", "services.reporter", "duckdb"]),
        ("reporter", ["services.gateway", "services.worker", "aiohttp.web"]),
    ],
)
def test_a_role_does_not_import_the_others(role: str, foreign: list[str]) -> None:
    """Starting a process must not pay for the code of another."""
    program = (
        f"import sys, services.cli.main, services.cli.roles, services.{role}.main; "
        f"print([name for name in {foreign!r} if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert finished.stdout == "[]\n"


ENDING = """
import atexit
from services.cli import main
atexit.register(print, "at exit")
main.main = lambda: print("output") or 3
class Late:
    def __del__(self):
        import os
        os.abort()  # as a native thread does that needs the interpreter while it is torn down
main.late = Late()
main.run()
"""


def test_the_process_ends_without_tearing_down_the_interpreter() -> None:
    """With its status, its whole output, and what is registered to run at the exit."""
    finished = subprocess.run([sys.executable, "-c", ENDING], check=False, capture_output=True, text=True)

    assert (finished.returncode, finished.stdout) == (3, "output\nat exit\n")
