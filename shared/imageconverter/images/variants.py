"""Variants: the same converted image in smaller file types, stored beside the output that they belong to.

The object metadata of the output say which variants were made for it. They are written after the variants, and a
variant counts only if it has the output's fingerprint, unlike one that a killed worker has left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, get_args

from imageconverter import keys
from imageconverter.engine.target import Target, VariantType
from imageconverter.storage.bounded import bounded
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore, StoredObject

FINGERPRINT: Final = "made-of"
VARIANTS: Final = "variants"
"""Metadata of an output: the variants that were tried and their bytes, as in `avif=1234 webp=0`, 0 if not kept."""
VARIANT_TYPES: Final[tuple[VariantType, ...]] = get_args(VariantType)


def variant_sizes(object_metadata: Mapping[str, str]) -> dict[VariantType, int]:
    """Return the variants that were tried for an output with their bytes, 0 if there is none."""
    found = dict(each.split("=", 1) for each in object_metadata.get(VARIANTS, "").split() if "=" in each)
    return {each: int(size) for each in VARIANT_TYPES if (size := found.get(each, "")).isdecimal() and size.isascii()}


def variants_metadata(sizes: Mapping[VariantType, int]) -> dict[str, str]:
    """Return the metadata from which `variant_sizes` reads *sizes*."""
    return {VARIANTS: " ".join(f"{each}={size}" for each, size in sizes.items())} if sizes else {}


def variant_keys(output: StoredObject) -> dict[VariantType, str]:
    """Return the keys of the variants of an *output*, whose metadata were read."""
    path = output.key.removeprefix(keys.TARGET)
    return {each: keys.variant(each, path) for each, size in variant_sizes(output.metadata).items() if size}


def belongs_to(variant: StoredObject, output: StoredObject) -> bool:
    """Whether *variant* was made with this *output*."""
    return variant.metadata.get(FINGERPRINT) == output.metadata.get(FINGERPRINT, "")


async def find_output(store: ObjectStore, path: str, target: Target) -> StoredObject | None:
    """Return the output at *path*, None if there is none. Raises StoreUnavailable.

    Its metadata are without those variants that *target* wants and that are lost: other programs may delete some.
    """
    output = await store.head(keys.target(path))
    if output is None or not target.variants:
        return output
    sizes = variant_sizes(output.metadata)
    wanted = {each: key for each, key in variant_keys(output).items() if each in target.variants}
    variants = await bounded(partial(store.head, key) for key in wanted.values())
    for each, variant in zip(wanted, variants, strict=True):
        if variant is None or not belongs_to(variant, output):
            del sizes[each]
    return replace(output, metadata={**output.metadata, VARIANTS: "", **variants_metadata(sizes)})


async def delete_outputs(store: ObjectStore, outputs: Iterable[StoredObject]) -> None:
    """Delete *outputs*, whose metadata were read, with their variants. Raises StoreUnavailable."""
    await store.delete(key for output in outputs for key in (output.key, *variant_keys(output).values()))


async def delete_variants_below(store: ObjectStore, directory: str) -> None:
    """Delete all variants in a *directory* of the target tree. Raises StoreUnavailable."""
    for each in VARIANT_TYPES:
        await delete_below(store, f"{keys.variant(each, directory)}/")


async def delete_orphans(store: ObjectStore, paths: Sequence[str]) -> None:
    """Delete the variants of those *paths* of the target tree that have no output. Raises StoreUnavailable."""
    outputs = await bounded(partial(store.head, keys.target(path)) for path in paths)
    orphaned = [path for path, output in zip(paths, outputs, strict=True) if output is None]
    await store.delete(keys.variant(each, path) for path in orphaned for each in VARIANT_TYPES)
