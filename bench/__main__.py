"""Run all benchmarks, or those that are named: ``python -m bench [stack]``."""

import sys
from collections.abc import Callable

from bench import stack

BENCHMARKS: dict[str, Callable[[], None]] = {"stack": stack.main}


def main() -> int:
    """Run what the command line names; returns the exit status."""
    wanted = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    for name in wanted:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
