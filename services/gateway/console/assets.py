"""The static files of the console and of the API documentation, with addresses that change with their content."""

import asyncio
import gzip
import hashlib
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from aiohttp import web

from services.gateway import state
from services.gateway.http.compression import accepts_gzip

PATH: Final = "/console/assets"
_FOLDER: Final = Path(__file__).parent / "assets"
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_MIN_COMPRESSED_BYTES: Final = 512
_DIGEST_CHARACTERS: Final = 12


class Asset(NamedTuple):
    """A file and its compressed form."""

    content: bytes
    compressed: bytes
    """Empty if compression is not worth it."""
    content_type: str


class Assets:
    """The files below `assets/`, read when they are first requested."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        """Serve the files of known types below *folder*."""
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.suffix in _TYPES and path.is_file()
        }
        digest = hashlib.sha256()
        for name, path in self._files.items():
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        self._digest = digest.hexdigest()[:_DIGEST_CHARACTERS]
        self._read: dict[str, Asset] = {}

    def url(self, name: str) -> str:
        """Return the path of the file *name*. Raises KeyError if there is none."""
        self._files[name]
        return f"{PATH}/{self._digest}/{quote(name)}"

    def is_current(self, digest: str) -> bool:
        """Return whether *digest*, from a URL, is that of these files, and not of another release's."""
        return digest == self._digest

    async def get(self, name: str) -> Asset | None:
        """Return the file *name*; None if there is none."""
        if name not in self._files:
            return None
        if name not in self._read:
            self._read[name] = await asyncio.to_thread(_read, self._files[name])
        return self._read[name]


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    compressed = gzip.compress(content, mtime=0) if len(content) >= _MIN_COMPRESSED_BYTES else b""
    return Asset(content, compressed if len(compressed) < len(content) else b"", _TYPES[path.suffix])


async def show(request: web.Request) -> web.Response:
    """Return a file; browsers keep it for a year, because its address changes with it."""
    assets = request.app[state.ASSETS]
    asset = await assets.get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    is_current = assets.is_current(request.match_info["digest"])
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if is_current else "no-store",
        "Content-Type": f"{asset.content_type}; charset=utf-8",
        "Vary": "Accept-Encoding",
    }
    body = asset.content
    if asset.compressed and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        body = asset.compressed
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, headers=headers)
