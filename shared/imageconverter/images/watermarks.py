"""Watermarks in the source tree: outputs are made anew when one changes, because their fingerprints have its ETag."""

from collections.abc import Iterable
from functools import partial

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore


async def watermark_etags(store: ObjectStore, targets: Iterable[Target]) -> dict[str, str]:
    """Return the ETags of the watermarks of *targets* by their paths, without those that do not exist.

    Raises StoreUnavailable.
    """
    paths = sorted({target.watermark for target in targets if target.watermark})
    heads = await bounded(partial(store.head, keys.source(path)) for path in paths)
    return {path: stored.etag for path, stored in zip(paths, heads, strict=True) if stored is not None}
