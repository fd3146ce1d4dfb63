"""Measure peers side by side, and write docs/benchmarks.md: ``python -m bench.peers [--quick]``."""

import argparse
import os
import sys

from bench.peers import document, folders, over_http
from bench.peers.packages import MissingError


def main() -> int:
    """Measure and write; with ``--quick`` print only."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Compare with other converters.")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds of every measurement")
    parser.add_argument("--images", type=int, default=24, help="of 12 MP in a folder; four times as many of 2 MP")
    parser.add_argument("--seconds", type=float, default=2, help="of a server at one concurrency")
    parser.add_argument("--quick", action="store_true", help="measure little, and print without writing")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.images, options.seconds = 1, 2, 0.5
    before = os.getloadavg()[1]
    sizes = folders.Sizes({"12 MP": options.images, "2 MP": 4 * options.images}, options.rounds)
    try:
        by_size, missing = folders.measure(sizes)
        served, missing_servers = over_http.measure(seconds=options.seconds, rounds=options.rounds)
    except MissingError as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 1
    load = f"{before:.1f} before and {os.getloadavg()[1]:.1f} after"
    text = document.section(by_size, served, missing | missing_servers, load)
    print(text)
    if not options.quick:
        document.write(text, by_size, served)
    return 0


if __name__ == "__main__":
    sys.exit(main())
