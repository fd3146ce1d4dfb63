"""Compares what Redis and the object store have, and says what to do where they differ.

It changes nothing, and may run beside a stack that works: what is being written at that moment counts as there.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Literal, NamedTuple, get_args

from pydantic import ValidationError

from imageconverter import keys
from imageconverter.catalog import current
from imageconverter.catalog.version import part_name
from imageconverter.errors import Unavailable
from imageconverter.gather import gather_all
from imageconverter.images.image_formats import ImageType
from imageconverter.jobs import redis_command
from imageconverter.previews.reindex import GroupFile
from imageconverter.reports.index import list_reports
from imageconverter.reports.results import Table, part_names
from imageconverter.resources import Resources
from imageconverter.runs import get_summary, list_backups
from imageconverter.storage.store import ObjectStore

_RETRY_TIMEOUT_SECONDS: Final = 30
_GROUP_FILE: Final = "/group.json"
_SOURCE: Final = "/source"
_AT_ONCE: Final = 32
_EXAMPLES: Final = 3
_OF_REPORTER: Final = (
    "A reporter restores it within seconds: check that one is running (imageconverter health reporter)."
)
_REINDEX: Final = "`imageconverter reindex` adds groups to the index."
_OF_CLIENTS: Final = "What is not in the store is stored again when a client sends it."

_GroupState = Literal[
    "indexed", "indexed, without its source", "not indexed", "without its source", "being written", "no group"
]


class Difference(NamedTuple):
    """What a comparison has found."""

    subject: str
    state: Literal["ok", "warning", "error"]
    text: str
    advice: str = ""
    """What to do; "" if nothing."""


async def verify(resources: Resources) -> AsyncIterator[Difference]:
    """Yield the result of each comparison; one that cannot be made is an error, and the next one is made."""
    for subject, compare in _COMPARISONS.items():
        try:
            yield await compare(resources)
        except Unavailable as error:
            yield Difference(subject, "error", error.reason, "See `imageconverter doctor`.")


async def _compare_epochs(resources: Resources) -> Difference:
    """Compare the number in Redis that grows every minute with its copy."""
    here = int(await redis_command(resources.redis, _RETRY_TIMEOUT_SECONDS, "GET", keys.EPOCH) or 0)
    copy = await resources.store.get(keys.EPOCH_COPY)
    stored = int(bytes(copy.data)) if copy is not None and bytes(copy.data).isdigit() else 0
    if here < stored:
        text = f"Redis has lost data, or is a restored backup: its state is {stored - here} minutes or restarts old."
        return Difference("state of Redis", "error", text, _OF_REPORTER)
    return Difference("state of Redis", "ok", "as new as the object store")


async def _compare_owners(resources: Resources) -> Difference:
    mark = await resources.store.get(keys.OWNER)
    owner = bytes(mark.data).decode(errors="replace").partition(" ")[0] if mark is not None else ""
    stack = (await redis_command(resources.redis, _RETRY_TIMEOUT_SECONDS, "GET", keys.STACK) or b"").decode()
    if owner and stack and owner != stack:
        text = "The bucket belongs to another stack, which may still be running."
        return Difference("owner of the bucket", "error", text, "Stop that stack, or use another bucket.")
    return Difference("owner of the bucket", "ok", "this stack" if owner else "no stack yet")


async def _compare_previews(resources: Resources) -> Difference:
    """Compare the groups in the store with the index in Redis."""
    found = Counter([await _state(resources, names) async for names in _folders(resources.store)])
    indexed = found["indexed"] + found["indexed, without its source"]
    unknown, groups = found["not indexed"], found.total() - found["no group"]
    incomplete = found["indexed, without its source"] + found["without its source"]
    lost = max(await resources.previews.count() - indexed, 0)
    if unknown or incomplete or lost:
        text = (
            f"{groups} groups in the store: {unknown} are not in the index, {incomplete} lack their source; "
            f"{lost} in the index only"
        )
        advice = [_REINDEX] * bool(unknown) + [_OF_CLIENTS] * bool(incomplete or lost)
        return Difference("previews", "warning", text, " ".join(advice))
    return Difference("previews", "ok", f"{groups} groups in the store, all in the index")


async def _folders(store: ObjectStore) -> AsyncIterator[set[str]]:
    """Yield the names of the objects of each group; they are adjacent in a listing."""
    folder: set[str] = set()
    async for page in store.list(keys.PREVIEWS):
        for stored in page:
            if folder and not stored.key.startswith("/".join(next(iter(folder)).split("/")[:3]) + "/"):
                yield folder
                folder = set()
            folder.add(stored.key)
    if folder:
        yield folder


async def _state(resources: Resources, names: set[str]) -> _GroupState:
    """Return the state of the group with the objects *names*; what is being written counts as complete."""
    name = next((each for each in names if each.endswith(_GROUP_FILE)), None)
    file = None if name is None else await _group_file(resources, name)
    if file is None:
        return "no group"
    generation, pending = await resources.previews.in_use(file.key)
    if generation is None:
        is_complete = any(each.endswith(_SOURCE) for each in names)
        return "being written" if pending else "not indexed" if is_complete else "without its source"
    if pending or keys.preview_source(file.key, generation) in names:
        return "indexed"
    return "indexed, without its source"


async def _group_file(resources: Resources, name: str) -> GroupFile | None:
    loaded = await resources.store.get(name)
    try:
        return None if loaded is None else GroupFile.model_validate_json(bytes(loaded.data))
    except ValidationError:
        return None


async def _compare_runs(resources: Resources) -> Difference:
    """Look for runs that have a backup in the store, and that neither Redis nor a summary knows."""
    backups = await list_backups(resources.store)
    lost = [
        run.id
        for run, _ in backups
        if await resources.runs.status(run.id) is None and await get_summary(resources.store, run.id) is None
    ]
    if lost:
        text = (
            f"{len(lost)} of {len(backups)} runs that have not ended are not in Redis: {', '.join(lost[:_EXAMPLES])}"
        )
        return Difference("runs", "error", text, _OF_REPORTER)
    return Difference("runs", "ok", f"{len(backups)} runs with a backup, all known")


async def _compare_dead_letters(resources: Resources) -> Difference:
    there = await resources.queue.dead.count()
    copies = sum([len(page) async for page in resources.store.list(keys.dead_letter_copies())])
    if copies != there:
        text = f"{there} in Redis, {copies} copies in the store."
        return Difference("dead letters", "warning", text, "A reporter copies them every ten seconds.")
    return Difference("dead letters", "ok", f"{there} in Redis, each with a copy in the store")


async def _compare_catalogs(resources: Resources) -> Difference:
    missing, entries = [], 0
    for kind in get_args(ImageType):
        version = await current(resources.store, kind)
        if version is not None:
            entries += version.entries
            names = [keys.catalog_part(kind, version.version, part_name(number)) for number in range(version.parts)]
            missing += await _missing(resources, names)
    if missing:
        text = f"Parts of the current catalogs are missing: {', '.join(missing[:_EXAMPLES])}"
        return Difference("catalogs", "error", text, "Upload the catalog again: imageconverter catalog import.")
    return Difference("catalogs", "ok", f"{entries} entries, all parts are there")


async def _compare_reports(resources: Resources) -> Difference:
    missing, count = [], 0
    tables: tuple[Table, ...] = get_args(Table)
    for kind in get_args(ImageType):
        for report in (await list_reports(resources.store, kind))[:1]:
            count += 1
            names = [name for table in tables for name in part_names(table, report.total(table))]
            missing += await _missing(resources, [keys.report_rows(kind, report.folder, name) for name in names])
    if missing:
        text = f"Rows of the newest reports are missing: {', '.join(missing[:_EXAMPLES])}"
        return Difference("reports", "error", text, "Make a new report: imageconverter report run.")
    return Difference("reports", "ok", f"the newest of {count} types, with all rows")


async def _missing(resources: Resources, names: list[str]) -> list[str]:
    """Return those of *names* that are not in the store."""
    missing: list[str] = []
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        found = await gather_all(resources.store.head(name) for name in some)
        missing += [name for name, stored in zip(some, found, strict=True) if stored is None]
    return missing


_COMPARISONS: Final[dict[str, Callable[[Resources], Awaitable[Difference]]]] = {
    "state of Redis": _compare_epochs,
    "owner of the bucket": _compare_owners,
    "runs": _compare_runs,
    "dead letters": _compare_dead_letters,
    "previews": _compare_previews,
    "catalogs": _compare_catalogs,
    "reports": _compare_reports,
}
