"""Staged uploads: sources that clients send, kept for a while below ``upload/<id>/`` in the source tree."""

import io
import re
import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from imageconverter import keys
from imageconverter.engine import Limits
from imageconverter.errors import InvalidValue
from imageconverter.images import directories, incoming
from imageconverter.images.names import file_name
from imageconverter.storage.bounded import bounded
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore

_ID_BYTES = 6
_DIRECTORY = re.compile(rf"{keys.UPLOADS}/[0-9a-f]{{{2 * _ID_BYTES}}}")


class UploadedImage(NamedTuple):
    """An image that a client sent."""

    name: str
    data: bytes


def check(image: UploadedImage, limits: Limits) -> UploadedImage:
    """Return *image* with its name in normal form.

    Raises InvalidValue (name, number of pixels) or InvalidFileFormat (leading bytes). Only the header is
    looked at: whether the rest can be decoded shows when it is converted.
    """
    name = image_name(image.name)
    incoming.check(io.BytesIO(image.data), limits)
    return UploadedImage(name, image.data)


def image_name(name: str) -> str:
    """Return the *name* of an upload in normal form; raises InvalidValue if it is unsafe or reserved."""
    normal = file_name(name)
    if normal == directories.MARKER:
        raise InvalidValue("That name is reserved.", field="fileName")
    return normal


async def staged(store: ObjectStore, directory: str) -> str:
    """Return *directory* if `stage` has made it and it still exists; raises InvalidValue if not."""
    if not _DIRECTORY.fullmatch(directory) or not await directories.exists(store, "source", directory):
        raise InvalidValue("There is no such upload.", field="directory")
    return directory


def new_directory(upload_id: str = "") -> str:
    """Return the path of a new upload directory in the source tree; *upload_id* is its name, by default a new one."""
    return f"{keys.UPLOADS}/{upload_id or secrets.token_hex(_ID_BYTES)}"


def is_upload(path: str) -> bool:
    """Whether *path* is that of a file in an upload directory."""
    directory, _, name = path.rpartition("/")
    return _DIRECTORY.fullmatch(directory) is not None and bool(name)


def new_key(name: str) -> str:
    """Return the object key of a file called *name* in a new upload directory."""
    return keys.source(f"{new_directory()}/{name}")


async def stage(store: ObjectStore, images: Sequence[UploadedImage], *, directory: str = "") -> str:
    """Store *images*, already checked, in a new upload directory; returns its path in the source tree.

    With *directory*, one that was `staged`, they are added to it, and replace those of the same names.
    Where storing one fails the upload fails whole; what was stored is swept later like any other upload.
    """
    directory = directory or new_directory()
    wanted = [keys.source(f"{directory}/{image.name}") for image in images]
    await bounded(
        partial(store.put, key, image.data, content_type="application/octet-stream")
        for key, image in zip(wanted, images, strict=True)
    )
    return directory


async def sweep(store: ObjectStore, *, hours: float, kept: Collection[str] = ()) -> int:
    """Delete what was staged more than *hours* ago; returns the number of files.

    The directories *kept* stay, and so do those above them: runs read their sources from them.
    """
    oldest = await store.cutoff(timedelta(hours=hours))
    if any(directory in ("", keys.UPLOADS) for directory in kept):
        return 0
    prefixes = tuple(keys.source(f"{directory}/") for directory in kept)
    return await delete_below(store, keys.source(f"{keys.UPLOADS}/"), before=oldest, kept=prefixes)
