"""Deleting converted images."""

from collections.abc import Sequence
from functools import partial

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.names import file_name
from imageconverter.images.variants import delete_outputs
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore


async def delete_images(store: ObjectStore, names: Sequence[str], formats: Sequence[ImageFormat]) -> int:
    """Delete the images called *names* in the target directories of *formats*; returns how many there were.

    Sources stay. Raises InvalidValue for an unsafe name, before anything is deleted, and NotFound where
    none of the images exists.
    """
    checked = [file_name(name) for name in names]
    directories = dict.fromkeys(each.target_directory for each in formats)
    wanted = [keys.target(f"{directory}/{name}") for directory in directories for name in checked]
    found = await bounded(partial(store.head, key) for key in wanted)
    there = [stored for stored in found if stored is not None]
    if not there:
        raise NotFound("There is no such image.")
    await delete_outputs(store, there)
    return len(there)
