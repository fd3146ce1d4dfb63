"""Moving what is known of an ended run to the object store."""

from imageconverter import keys
from imageconverter.runs.backup import delete_backup
from imageconverter.runs.results import move_results
from imageconverter.runs.run import RunSummary
from imageconverter.runs.store import RunStore
from imageconverter.storage.store import ObjectStore


async def archive_run(run_id: str, run_store: RunStore, store: ObjectStore) -> bool:
    """Store summary and results of a run that has ended, then delete its backup; returns whether it has ended.

    Without the backup and with the summary it is never restarted. If other results are just being moved, the backup
    stays for the next call. Raises QueueUnavailable, StoreUnavailable.
    """
    status = await run_store.status(run_id)
    if status is None or status.is_running:
        return False
    await move_results(run_id, run_store, store, at_least=1)
    moved, remaining = await run_store.unmoved_results(run_id)
    data = RunSummary.of(status, results=moved).model_dump_json(exclude_defaults=True).encode()
    await store.put(keys.run_summary(run_id), data, content_type="application/json")
    if not remaining:
        await delete_backup(store, run_id)
        await run_store.mark_archived(run_id)
    return True
