"""Digests of local files, by which they are compared with stored ones."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from services.client.known_files import KnownFiles
from services.client.local_images import LocalImage

DIGESTS: Final = "digests"
"""The kind of fact that known files have for these."""
_CHUNK_BYTES = 1024 * 1024


class Digests(NamedTuple):
    """Of one file, in hexadecimal digits."""

    md5: str
    sha256: str


@dataclass
class FileDigests:
    """Computes the digests of files that are not known."""

    known: KnownFiles

    async def of(self, image: LocalImage) -> Digests:
        """Return the digests of *image*. Raises OSError."""
        path = image.path.absolute()
        fact = self.known.get(DIGESTS, path, image.signature)
        if not fact:
            fact = await asyncio.to_thread(_digests, path)
            self.known.add(DIGESTS, path, image.signature, fact)
        md5, _, sha256 = fact.partition(" ")
        return Digests(md5, sha256)


def _digests(path: Path) -> str:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            md5.update(chunk)
            sha256.update(chunk)
    return f"{md5.hexdigest()} {sha256.hexdigest()}"
