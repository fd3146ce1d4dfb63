"""Convert files by the bare engine, in this process."""

import io
import sys
from pathlib import Path

from imageconverter.engine import Target
from imageconverter.engine.output_types import Converted
from imageconverter.engine.pipeline import convert


def main() -> None:
    """Convert as the command line says."""
    _, out, quality, sides, *files = sys.argv[1:]
    names = sides.split(",")
    targets = [Target(max_width=int(s), max_height=int(s), output="jpeg", quality=int(quality)) for s in names]
    for file in map(Path, files):
        for side, result in zip(names, convert(io.BytesIO(file.read_bytes()), targets), strict=True):
            if not isinstance(result, Converted):
                raise TypeError(f"{file.name}: {result}")
            (Path(out) / side / file.name).write_bytes(result.data)


if __name__ == "__main__":
    main()
