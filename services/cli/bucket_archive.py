"""A tar archive of objects: each is a member, with its content type and metadata in a header of its own.

Any tar program lists and extracts it, and it may be compressed on its way.
"""

import json
import tarfile
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from imageconverter.storage.store import OpenedObject

_KEY: Final = "IMAGECONVERTER.key"
_CONTENT_TYPE: Final = "IMAGECONVERTER.content_type"
_METADATA: Final = "IMAGECONVERTER.metadata"
_LAST: Final = "imageconverter-backup"


class InvalidArchive(ValueError):  # noqa: N818 - named after what is wrong
    """The archive is none of `imageconverter backup`, or it is cut off."""


class ArchivedObject(NamedTuple):
    """An object in an archive."""

    key: str
    size: int
    content_type: str
    metadata: dict[str, str]
    data: IO[bytes]
    """Readable until the next member is read."""


class ArchiveWriter:
    """Writes objects one after the other to a file that need not be seekable."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._padding = 0
        self.objects = 0
        self.bytes = 0

    def begin(self, opened: OpenedObject) -> None:
        """Begin a member; its data follows, as much as its size."""
        stored = opened.stored
        member = tarfile.TarInfo(stored.key)
        member.size, member.mode, member.mtime = stored.size, 0o600, stored.modified.timestamp()
        member.pax_headers = {
            _KEY: stored.key,  # tar programs change some names
            _CONTENT_TYPE: opened.content_type,
            _METADATA: json.dumps(dict(stored.metadata)),
        }
        self._header(member)
        self.objects += 1
        self.bytes += stored.size

    def write(self, data: bytes) -> None:
        """Write some of the member's data."""
        self._file.write(data)

    def end(self) -> None:
        """Write a member by which a reader knows that the archive is complete."""
        self._header(tarfile.TarInfo(_LAST))
        self._file.write(bytes(self._padding + 2 * tarfile.BLOCKSIZE))
        self._file.flush()

    def _header(self, member: tarfile.TarInfo) -> None:
        self._file.write(bytes(self._padding) + member.tobuf(tarfile.PAX_FORMAT))
        self._padding = -member.size % tarfile.BLOCKSIZE


def read_archive(file: IO[bytes]) -> Iterator[ArchivedObject]:
    """Yield the objects of an archive, which may be compressed; raises InvalidArchive."""
    try:
        with tarfile.open(fileobj=file, mode="r|*") as archive:
            while (member := archive.next()) is not None:
                vars(archive)["members"].clear()  # it would keep all
                if member.name == _LAST:
                    return
                data = archive.extractfile(member)
                if _KEY not in member.pax_headers or data is None:
                    raise InvalidArchive("This is no archive of `imageconverter backup`.")
                headers = member.pax_headers
                metadata = json.loads(headers[_METADATA])
                yield ArchivedObject(headers[_KEY], member.size, headers[_CONTENT_TYPE], metadata, data)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InvalidArchive(f"The archive cannot be read: {error}.") from None
    raise InvalidArchive("The archive is cut off: it has no end.")
