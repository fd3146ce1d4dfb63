"""Convert files by pyvips."""

import sys
from pathlib import Path

import pyvips  # type: ignore[import-not-found]  # only in the peers' virtual environment


def main() -> None:
    """Convert as the command line says."""
    how, out, quality, names, *files = sys.argv[1:]
    sides = [int(name) for name in names.split(",")]
    for file in map(Path, files):
        if how == "usual":  # each output from the file
            images = [pyvips.Image.thumbnail(str(file), side, height=side, size="down") for side in sides]
        else:  # each from the larger one before it
            images = [pyvips.Image.thumbnail(str(file), sides[0], height=sides[0], size="down").copy_memory()]
            for side in sides[1:]:
                images.append(images[-1].thumbnail_image(side, height=side, size="down").copy_memory())
        for side, image in zip(sides, images, strict=True):
            image.jpegsave(str(Path(out) / str(side) / file.name), Q=int(quality), keep="none")


if __name__ == "__main__":
    main()
