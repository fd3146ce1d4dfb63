"""Storing the variants of an output: before the output, whose metadata say which there are."""

import asyncio
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from imageconverter import keys
from imageconverter.engine import OUTPUT_TYPES, Converted, Target
from imageconverter.engine.target import VariantType
from imageconverter.images.conversions import RUN
from imageconverter.images.variants import FINGERPRINT, variant_keys, variant_sizes, variants_metadata
from imageconverter.storage.store import ObjectStore, StoredObject


@dataclass(frozen=True)
class OutputVariants:
    """The variants of the output at *path*, which *target* wants."""

    store: ObjectStore
    path: str
    target: Target
    fingerprint: str
    """That of the output."""

    async def put(
        self, result: Converted, *, max_bytes: int, known: AbstractSet[VariantType] = frozenset()
    ) -> dict[VariantType, int]:
        """Store the variants of *result* that have less than *max_bytes*, except the *known* ones.

        Returns the bytes of each one that was wanted, 0 if it was not stored. A result is untrusted input.
        """
        wanted = {each for each in self.target.variants if each not in known}
        made = {
            each.output: each.data for each in result.variants if each.output in wanted and len(each.data) < max_bytes
        }
        await asyncio.gather(*(self._put(each, data) for each, data in made.items()))
        return {each: len(made.get(each, b"")) for each in sorted(wanted)}

    async def delete_others(self, stored: Mapping[VariantType, int], before: StoredObject | None) -> None:
        """Delete the variants that are not *stored* any more, also those of the output *before*.

        Call it after the output was stored: nothing refers to them then.
        """
        earlier = variant_keys(before) if before is not None else {}
        unwanted = [each for each in {**earlier, **stored} if not stored.get(each)]
        await self.store.delete(keys.variant(each, self.path) for each in unwanted)

    async def add_missing(self, result: Converted, output: StoredObject, *, run_id: str) -> StoredObject | None:
        """Store the variants that were not tried for an *output* yet, which stays as it is except for its metadata.

        Returns the output as it is then, None if it was replaced meanwhile.
        """
        known = variant_sizes(output.metadata)
        sizes = {**known, **await self.put(result, max_bytes=output.size, known=known.keys())}
        object_metadata = {**output.metadata, RUN: run_id, **variants_metadata(sizes)}
        media_type = OUTPUT_TYPES[result.output].media_type
        replaced = await self.store.replace_metadata(output, content_type=media_type, metadata=object_metadata)
        return replace(output, metadata=object_metadata) if replaced else None

    async def _put(self, output: VariantType, data: bytes) -> None:
        media_type = OUTPUT_TYPES[output].media_type
        key, object_metadata = keys.variant(output, self.path), {FINGERPRINT: self.fingerprint}
        await self.store.put(key, data, content_type=media_type, metadata=object_metadata)
