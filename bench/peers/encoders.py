"""Bytes at equal quality: our encoders and those of sharp, by SSIMULACRA2 and by Butteraugli."""

import io
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from bench.bytes import SETTINGS, sizes_at
from bench.corpus import photographs
from bench.peers import packages
from imageconverter.engine import Target
from imageconverter.engine.animation import Timing
from imageconverter.engine.encode import encode

SCORES: Final = {"SSIMULACRA2": (70, 80), "Butteraugli": (-2.0, -1.2)}
_SIDE: Final = 640  # pixels; SSIMULACRA2 in Python takes seconds for a megapixel
_PROGRAM: Final = Path(__file__).parent / "programs" / "encode.mjs"
_PEERS: Final[Mapping[str, Sequence[int]]] = {
    "sharp jpeg": (50, 65, 80, 92),
    "sharp mozjpeg": (50, 65, 80, 92),
    "sharp webp": (50, 70, 85, 96),
    "sharp avif": (40, 55, 70, 85),
}


class Bytes(NamedTuple):
    """What an encoder needs at a score of a metric, as a share of our standard JPEG encoder's."""

    encoder: str
    metric: str
    score: float
    share: float
    images: int


class _Coded(NamedTuple):
    bytes: int
    score: float


def measure(count: int) -> list[Bytes]:
    """Return the shares of all encoders, medians of *count* photographs; raises MissingError."""
    butteraugli = packages.debian_program("libjxl-devtools", "usr/bin/butteraugli_main")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = []
        for number, (_, image) in enumerate(islice(photographs(_SIDE), count)):
            originals.append(folder / f"{number:03}.png")
            image.save(originals[-1])
        _encode_all(originals, folder)
        coded: dict[tuple[str, str], list[list[_Coded]]] = {}
        for encoder, qualities in _qualities().items():
            for quality in qualities:
                files = [folder / f"{encoder}-{quality}" / original.name for original in originals]
                for metric in SCORES:
                    scored = [
                        _Coded(file.stat().st_size, _score(metric, butteraugli, original, file))
                        for original, file in zip(originals, files, strict=True)
                    ]
                    coded.setdefault((encoder, metric), []).append(scored)
    return [
        share
        for (encoder, metric), by_quality in coded.items()
        for score in SCORES[metric]
        if (share := _share(encoder, metric, score, by_quality, coded["libjpeg", metric]))
    ]


def _qualities() -> dict[str, Sequence[int]]:
    return {**{str(name): setting.qualities for name, setting in SETTINGS.items()}, **_PEERS}


def _encode_all(originals: Sequence[Path], folder: Path) -> None:
    """Encode by all encoders, to a folder for each of their qualities."""
    command = [packages.program("node"), str(_PROGRAM), str(packages.npm()), str(folder), json.dumps(_PEERS)]
    subprocess.run([*command, *map(str, originals)], check=True, stdout=subprocess.DEVNULL)
    for name, setting in SETTINGS.items():
        for quality in setting.qualities:
            out = folder / f"{name}-{quality}"
            out.mkdir()
            target = Target(
                max_width=None, max_height=None, **{"output": setting.output, "quality": quality, **setting.options}
            )
            for original in originals:
                with Image.open(original) as image:
                    (out / original.name).write_bytes(
                        encode([image.convert("RGB")], Timing(), setting.output, target)[0]
                    )


def _score(metric: str, butteraugli: Sequence[str], original: Path, file: Path) -> float:
    """Return the score, the higher the better: that of SSIMULACRA2, or the distance of Butteraugli below 0."""
    if metric == "SSIMULACRA2":
        return float(compute_ssimulacra2(str(original), io.BytesIO(file.read_bytes())))
    decoded = file.with_suffix(".decoded.png")
    with Image.open(file) as image:
        image.convert("RGB").save(decoded, "PNG", compress_level=1)
    command = [*butteraugli, str(original), str(decoded)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return -float(output.rsplit("3-norm:", 1)[1].split()[0])


def _share(
    encoder: str,
    metric: str,
    score: float,
    by_quality: Sequence[Sequence[_Coded]],
    standard: Sequence[Sequence[_Coded]],
) -> Bytes | None:
    pairs = zip(sizes_at(score, by_quality), sizes_at(score, standard), strict=True)
    shares = [own / other for own, other in pairs if own and other]
    return Bytes(encoder, metric, score, float(np.median(shares)), len(shares)) if shares else None
