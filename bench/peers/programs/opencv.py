"""Convert files by OpenCV."""

import sys
from pathlib import Path
from typing import Any

import cv2  # type: ignore[import-not-found]  # only in the peers' virtual environment
from PIL import Image


def main() -> None:
    """Convert as the command line says."""
    how, out, quality, names, *files = sys.argv[1:]
    sides = [int(name) for name in names.split(",")]
    options = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    if how == "best":
        cv2.setNumThreads(1)
    for file in map(Path, files):
        image = cv2.imread(str(file)) if how == "usual" else _at_least(file, sides[0])
        for side in sides:
            scale = min(1, side / max(image.shape[:2]))
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(Path(out) / str(side) / file.name), resized, options)
            if how == "best":
                image = resized


def _at_least(file: Path, side: int) -> Any:
    """Return the image decoded at half of its size if that is no smaller than *side*."""
    with Image.open(file) as image:
        is_reduced = max(image.size) // 2 >= side
    return cv2.imread(str(file), cv2.IMREAD_REDUCED_COLOR_2 if is_reduced else cv2.IMREAD_COLOR)


if __name__ == "__main__":
    main()
