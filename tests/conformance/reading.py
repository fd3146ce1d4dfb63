"""Runs a reader in a process of its own, with limits, and takes what it has written."""

import asyncio
import io
import os
import re
import resource
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image, ImageCms

from tests.conformance.readers import Reader
from tests.conformance.srgb import to_srgb

_PLACE = re.compile(r"\{(input|kind|output|folder|python|srgb)\}")
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, ImageCms.PyCMSError)
_SECONDS = 40
_MEMORY_BYTES = 4 << 30
_FILE_BYTES = 1 << 30
_ENVIRONMENT = {  # one processor each
    "OMP_NUM_THREADS": "1",
    "MAGICK_THREAD_LIMIT": "1",
    "VIPS_CONCURRENCY": "1",
}


@dataclass(frozen=True)
class Reading:
    """What a reader has made of a file."""

    reader: str
    images: Sequence[Image.Image] = ()
    """In RGBA; more than one only of a file with several images, any of which may be the right one."""
    complaint: str = ""
    """What it has printed, or why there is no image."""
    is_proof: bool = True
    """Whether another image than this one is a mistake."""
    reports_damage: bool = True
    """Whether there would be a complaint if the file were damaged."""


@dataclass(frozen=True)
class Surroundings:
    """What the commands of all readers have in common."""

    python: str
    srgb: Path

    @classmethod
    def prepare(cls, python: str, folder: Path) -> Self:
        """Write an sRGB profile into *folder*; *python* runs the readers that are written in Python."""
        srgb = folder / "srgb.icc"
        srgb.write_bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        return cls(python, srgb)


async def read(
    reader: Reader, data: bytes, extension: str, surroundings: Surroundings, *, is_proof: bool = True
) -> Reading:
    """Let *reader* decode *data*, in a file with the *extension* of its type; see `Reading` for *is_proof*."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / f"input{extension}", Path(folder) / "output.png"
        source.write_bytes(data)
        places = {
            "input": source,
            "kind": extension.lstrip("."),
            "output": output,
            "folder": folder,
            **vars(surroundings),
        }
        command = [_PLACE.sub(lambda found: str(places[found[1]]), part) for part in reader.command]
        status, standard_output, complaint = await _run(command, folder, limited=reader.is_limited)
        if status != 0:
            return Reading(reader.name, complaint=complaint or f"ended with status {status}")
        written = sorted(path for path in Path(folder).iterdir() if path.suffix == ".png" and path != source)
        files = [path.read_bytes() for path in written] or [standard_output]
    try:
        images = [await asyncio.to_thread(_opened, each) for each in files]
    except _UNREADABLE:
        return Reading(reader.name, complaint=complaint or "wrote nothing that can be read")
    return Reading(reader.name, images, complaint, is_proof=is_proof, reports_damage=reader.reports_damage)


def _opened(data: bytes) -> Image.Image:
    return to_srgb(Image.open(io.BytesIO(data)))


async def read_beside(path: Path) -> Reading | None:
    """Read the PNG with the name of *path* that some collections have beside each file; it can only confirm.

    Of a symbolic link: beside the file that it leads to.
    """
    beside = path.resolve().with_suffix(".png")
    if beside == path.resolve() or not beside.is_file():
        return None
    data = await asyncio.to_thread(beside.read_bytes)
    with suppress(*_UNREADABLE):
        return Reading("the PNG beside it", [await asyncio.to_thread(_opened, data)], is_proof=False)
    return None


async def _run(command: Sequence[str], folder: str, *, limited: bool) -> tuple[int, bytes, str]:
    """Return the exit status, the standard output, and the other output in one line."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={**os.environ, **_ENVIRONMENT, "TMPDIR": folder, "HOME": folder},
        start_new_session=True,
        preexec_fn=_limit if limited else None,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            output, errors = await process.communicate()
    except TimeoutError:
        return -1, b"", f"takes more than {_SECONDS} seconds"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started
        await process.wait()
    return process.returncode or 0, output, " ".join(errors.decode(errors="replace").split())[:300]


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
