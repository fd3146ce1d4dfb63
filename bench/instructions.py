"""How many instructions representative conversions take, by callgrind: ``python -m bench.instructions [--renew]``.

Unlike seconds, they hardly depend on what else the machine is doing. The kept numbers show what a change costs. They
are those of one process without the sandbox, on the processor that valgrind shows, which has no AVX-512.
"""

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from bench.representative import CONVERSIONS

TOLERANCE: Final = 0.02
KEPT: Final = Path(__file__).with_suffix(".json")
_ROOT: Final = Path(__file__).parents[1]
_PACKAGES: Final = ("cykooz-resizer", "imagecodecs", "numpy", "pillow")
_TOTALS: Final = re.compile(r"^totals: (\d+)", re.MULTILINE)


class Counted(NamedTuple):
    """Instructions by conversion, and what they were counted with."""

    python: str
    packages: dict[str, str]
    instructions: dict[str, int]


def main() -> int:
    """Count, print, and keep the numbers if asked to; returns 1 if one differs from what is kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="keep the numbers, after a change of packages or code")
    options = parser.parse_args()
    counted = count()
    before = kept().instructions if KEPT.exists() else {}
    for name, number in counted.instructions.items():
        change = f"{number / before[name] - 1:+.1%}" if name in before else "new"
        print(f"{number / 1e6:10.1f} million ({change}): {name}")
    if options.renew:
        KEPT.write_text(json.dumps(counted._asdict(), indent=2) + "\n", encoding="utf-8")
        return 0
    return int(bool(differences(counted, kept())))


def kept() -> Counted:
    """Return the numbers in the repository."""
    return Counted(**json.loads(KEPT.read_text(encoding="utf-8")))


def environment() -> Counted:
    """Return what this process would count with."""
    python = ".".join(platform.python_version_tuple()[:2])
    return Counted(python, {name: version(name) for name in _PACKAGES}, {})


def differences(counted: Counted, other: Counted) -> dict[str, str]:
    """Return the conversions whose numbers differ by more than the tolerance, each with the change."""
    return {
        name: f"{number / other.instructions[name] - 1:+.1%}"
        for name, number in counted.instructions.items()
        if abs(number - other.instructions[name]) > TOLERANCE * other.instructions[name]
    }


def count() -> Counted:
    """Return the instructions of all conversions; raises RuntimeError if valgrind is not installed."""
    if shutil.which("valgrind") is None:
        raise RuntimeError("valgrind is not installed")
    with tempfile.TemporaryDirectory() as folder, _program(Path(folder)) as program:
        numbers = {name: _count(program, name, Path(folder)) for name in CONVERSIONS}
    return environment()._replace(instructions=numbers)


@contextmanager
def _program(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `bench.representative` under callgrind, which does not count yet."""
    callgrind = [
        "valgrind",
        "--quiet",
        "--tool=callgrind",
        "--instr-atstart=no",
        f"--callgrind-out-file={folder}/out",
    ]
    # Neither the addresses of the memory nor the order of sets is to make a difference.
    command = ["setarch", "--addr-no-randomize", "env", "PYTHONHASHSEED=0", *callgrind]
    program = subprocess.Popen(
        [*command, sys.executable, "-m", "bench.representative"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT,
    )  # fmt: skip
    try:
        yield program
    finally:
        program.communicate()


def _count(program: subprocess.Popen[str], name: str, folder: Path) -> int:
    _convert(program, name)  # the first time, modules are loaded and tables are made
    _control(program, "instrumentation on")
    _control(program, "zero")
    _convert(program, name)
    _control(program, "dump")
    _control(program, "instrumentation off")
    (dump,) = folder.glob("out.*")
    found = _TOTALS.search(dump.read_text(encoding="utf-8"))
    dump.unlink()
    if found is None:
        raise RuntimeError("callgrind has written no totals")
    return int(found[1])


def _convert(program: subprocess.Popen[str], name: str) -> None:
    if program.stdin is None or program.stdout is None:
        raise RuntimeError("the program has no pipes")
    program.stdin.write(f"{name}\n")
    program.stdin.flush()
    if program.stdout.readline().strip() != "True":
        raise RuntimeError(f"{name}: not converted")


def _control(program: subprocess.Popen[str], command: str) -> None:
    """Let valgrind carry out *command* while the program waits for a name."""
    subprocess.run(["vgdb", f"--pid={program.pid}", *command.split()], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
