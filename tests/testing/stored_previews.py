"""Groups of previews in the real store and the real index, made as the worker makes them."""

import json
from hashlib import sha256

from imageconverter import keys
from imageconverter.previews.index import Preview, PreviewIndex
from imageconverter.previews.reindex import extents
from imageconverter.resources import Resources

SMALL, LARGE = "auto:200x150~cover@75", "auto:1920x1080~contain~norotate~expand@75"


def generation_of(source: bytes) -> str:
    """Return the generation that *source* makes."""
    return sha256(source).hexdigest()[:32]


async def store_group(
    resources: Resources, key: str, source: bytes = b"source", *, contexts: tuple[str, ...] = (), created: float = 1.5
) -> dict[str, Preview]:
    """Store all objects of a group with two previews, without an entry in the index."""
    generation, store = generation_of(source), resources.store
    previews = {}
    for documented, extension, media_type, size in (
        (SMALL, ".jpg", "image/jpeg", (200, 150)),
        (LARGE, ".png", "image/png", (1920, 1080)),
    ):
        name = keys.preview_object(key, generation, documented, extension)
        data = f"{documented} of {key}".encode()
        etag = await store.put(name, data, content_type=media_type, metadata=extents(size))
        previews[documented] = Preview(media_type, len(data), etag, *size)
    await store.put(keys.preview_source(key, generation), source, content_type="application/octet-stream")
    await store.put(keys.preview_metadata(key, generation), b"{}", content_type="application/json")
    file = {"key": key, "generation": generation, "contexts": list(contexts), "created": created}
    await store.put(keys.preview_group(key), json.dumps(file).encode(), content_type="application/json")
    return previews


async def make_group(
    resources: Resources, index: PreviewIndex, key: str, source: bytes = b"source", *, context: str = ""
) -> None:
    """Store all objects of a group and publish its generation in the index."""
    await index.mark_pending_write(key)
    previews = await store_group(resources, key, source, contexts=(context,) if context else ())
    await index.publish_generation(
        key, generation_of(source), context=context, source_bytes=len(source), previews=previews
    )


async def objects_of(resources: Resources, key: str) -> set[str]:
    """Return the objects of a key, without their common prefix."""
    prefix = keys.preview_prefix(key)
    return {stored.key.removeprefix(prefix) async for page in resources.store.list(prefix) for stored in page}
