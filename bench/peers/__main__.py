"""Measure peers side by side, and write docs/benchmarks.md: ``python -m bench.peers [QUESTION …] [--quick]``."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Final

from bench.peers import document, encoders, folders, over_http
from bench.peers.packages import MissingError


def main() -> int:
    """Answer the questions and write the answers; with ``--quick`` print only."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Compare with other converters.")
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"of {', '.join(_QUESTIONS)}; default: all")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds of every measurement")
    parser.add_argument("--images", type=int, default=24, help="of 12 MP in a folder; four times as many of 2 MP")
    parser.add_argument("--seconds", type=float, default=2, help="of a server at one concurrency")
    parser.add_argument("--photographs", type=int, default=8, help="whose bytes at equal quality are compared")
    parser.add_argument("--quick", action="store_true", help="measure little, and print without writing")
    options = parser.parse_args()
    if unknown := set(options.questions) - set(_QUESTIONS):
        parser.error(f"unknown question: {', '.join(sorted(unknown))}; known are {', '.join(_QUESTIONS)}")
    if options.quick:
        options.rounds, options.images, options.seconds, options.photographs = 1, 2, 0.5, 2
    status = 0
    for question in options.questions or _QUESTIONS:
        before = os.getloadavg()[0]
        try:
            lines = _QUESTIONS[question](options)
        except MissingError as error:
            print(f"{question}: not measured, because {error}", file=sys.stderr)
            status = 1
        else:
            lines = [document.circumstances(before), *lines]
            print("\n".join(lines), flush=True)
            if not options.quick:
                document.write(question, lines)
    return status


def _folders(options: argparse.Namespace) -> list[str]:
    sizes = folders.Sizes({"12 MP": options.images, "2 MP": 4 * options.images}, options.rounds)
    results, missing = folders.measure(sizes)
    if not options.quick:
        document.draw_folders(results)
    return list(document.of_folders(results, missing))


def _previews(options: argparse.Namespace) -> list[str]:
    results, missing = over_http.measure(seconds=options.seconds, rounds=options.rounds)
    if not options.quick:
        document.draw_previews(results)
    return list(document.of_previews(results, missing))


def _bytes(options: argparse.Namespace) -> list[str]:
    return list(document.of_bytes(encoders.measure(options.photographs)))


_QUESTIONS: Final[dict[str, Callable[[argparse.Namespace], list[str]]]] = {
    "folders": _folders,
    "previews": _previews,
    "bytes": _bytes,
}


if __name__ == "__main__":
    sys.exit(main())
