"""Run all benchmarks or the named ones: ``python -m bench [NAME …] [--long]``; or ``compare REV``, see there."""

import argparse
import sys
from collections.abc import Callable

from bench import (
    automatic,
    bombs,
    compare,
    containment,
    engine,
    folder,
    halfopen,
    interactive,
    listing,
    observation,
    own_size,
    previews,
    previews_index,
    push,
    report,
    rerun,
    runs,
    scaling,
    slots,
    slow_files,
    stack,
    uploads,
    variants,
)
from bench import bytes as bytes_

BENCHMARKS: dict[str, Callable[[], None]] = {
    "engine": engine.main,
    "own_size": own_size.main,
    "bytes": bytes_.main,
    "containment": containment.main,
    "stack": stack.main,
    "previews": previews.main,
    "previews_index": previews_index.main,
    "runs": runs.main,
    "slots": slots.main,
    "scaling": scaling.main,
    "rerun": rerun.main,
    "automatic": automatic.main,
    "report": report.main,
    "listing": listing.main,
    "halfopen": halfopen.main,
    "interactive": interactive.main,
    "bombs": bombs.main,
    "slow_files": slow_files.main,
    "uploads": uploads.main,
    "folder": folder.main,
    "push": push.main,
    "observation": observation.main,
    "variants": variants.main,
}
LONG: dict[str, Callable[[], None]] = {
    "bytes": bytes_.long,
    "runs": runs.long,
    "rerun": rerun.long,
    "automatic": automatic.long,
    "listing": listing.long,
    "folder": folder.long,
    "push": push.long,
}


def main() -> int:
    """Run the benchmarks that the command line names; returns the exit status."""
    if sys.argv[1:2] == ["compare"]:
        return compare.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure and print; see docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--long", action="store_true", help="measure with the sizes of docs/benchmarks.md")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(unknown)}; known are {', '.join(BENCHMARKS)}")
    for name in options.names or BENCHMARKS:
        (LONG.get(name, BENCHMARKS[name]) if options.long else BENCHMARKS[name])()
    return 0


if __name__ == "__main__":
    sys.exit(main())
