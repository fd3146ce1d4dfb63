"""What a change does: the working tree and a revision, measured in turn: ``python -m bench compare REV [NAME …]``."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

from bench.compared import MEASURES

_ROOT: Final = Path(__file__).parents[1]


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench compare", description="Compare with a revision.")
    parser.add_argument("revision", help="a commit, branch or tag")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(MEASURES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(MEASURES)}")
    with tempfile.TemporaryDirectory() as folder, _tree_of(options.revision, Path(folder)) as old:
        pythons = [_python(_ROOT, Path(folder) / "python-new"), _python(old, Path(folder) / "python-old")]
        for name in options.names or MEASURES:
            print(f"\n== {name}: ms, the working tree / {options.revision}, {options.rounds} rounds in turn")
            _report(*_measured(name, pythons, [_ROOT, old], options.rounds))
    return 0


@contextmanager
def _tree_of(revision: str, folder: Path) -> Iterator[Path]:
    """Yield a work tree of *revision* that has the benchmarks of this one."""
    tree = folder / "tree"
    git = ["git", "-C", str(_ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
    try:
        shutil.rmtree(tree / "bench")
        shutil.copytree(_ROOT / "bench", tree / "bench", ignore=shutil.ignore_patterns("__pycache__"))
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def _python(tree: Path, folder: Path) -> Path:
    """Return an interpreter in *folder* that imports the code of *tree*, and packages from this environment.

    PYTHONPATH would not do: sandbox processes ignore it.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    paths = [tree, tree / "shared", Path(sysconfig.get_path("purelib"))]
    (packages / "tree.pth").write_text("".join(f"{path}\n" for path in paths))
    return folder / "bin" / "python"


def _measured(
    name: str, pythons: Sequence[Path], trees: Sequence[Path], rounds: int
) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Return the rounds of the working tree and those of the other, after one that warms up."""
    programs = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
    environment = {**{key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, "PATH": programs}
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [python, "-m", "bench.compared", name],
                    cwd=tree,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for python, tree in zip(pythons, trees, strict=True)
        ]
        made = [[_round(process) for process in processes] for _ in range(rounds + 1)][1:]
    return [new for new, _ in made], [old for _, old in made]


def _round(process: "subprocess.Popen[str]") -> dict[str, float]:
    requests, answers = _pipes(process)
    requests.write("\n")
    requests.flush()
    line = answers.readline()
    if not line:
        raise RuntimeError("a tree cannot be measured; its message is above")
    result: dict[str, float] = json.loads(line)
    return result


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise TypeError("a process without pipes")
    return process.stdin, process.stdout


def _report(new: Sequence[dict[str, float]], old: Sequence[dict[str, float]]) -> None:
    """Print medians, and the median of the ratios of all rounds with their range."""
    for figure in new[0]:
        pairs = [(after[figure], before[figure]) for after, before in zip(new, old, strict=True)]
        ratios = sorted(after / before if before else 1.0 for after, before in pairs)
        after, before = (statistics.median(values) for values in zip(*pairs, strict=True))
        ratio = f"{statistics.median(ratios):.3f} ({ratios[0]:.3f}-{ratios[-1]:.3f})"
        print(f"{figure}: {after:.2f} / {before:.2f} = {ratio}")
