"""The tasks of the reporter's jobs."""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from imageconverter import audit
from imageconverter.catalog import current
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.importing import import_catalog
from imageconverter.catalog.pending_imports import PendingImport, discard, read_parts, received_at
from imageconverter.errors import CleanupRefused, NotFound, UserError
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.jobs import JobContext, JobQueue, Task, retry_when_unavailable
from imageconverter.reports import commands
from imageconverter.reports.cleanup import run_cleanup
from imageconverter.reports.commands import (
    CleanupCommand,
    CompareRunsCommand,
    ImportCommand,
    RepairCommand,
    RestoreCommand,
    ScanCommand,
)
from imageconverter.reports.progress import LastImport, ScanProgress
from imageconverter.reports.repair import repair
from imageconverter.reports.trash import finish_batch, restore
from imageconverter.runs import RunStore
from imageconverter.runs.comparison import check_comparable, get_comparison
from imageconverter.settings import ReportSettings
from imageconverter.storage.store import ObjectStore
from imageconverter.webhooks import Outbox
from imageconverter.webhooks.payloads import FinishedCleanup
from services.reporter.run_comparison import compare_runs
from services.reporter.scanner import Scanner

Reply = dict[str, Any]


@dataclass(frozen=True)
class ReporterTasks:
    """The tasks; temporary errors make the queue retry a job later."""

    store: ObjectStore
    queue: JobQueue
    formats: CurrentFormats
    settings: ReportSettings
    workspace: Workspace
    progress: ScanProgress
    scanner: Scanner
    outbox: Outbox
    runs: RunStore

    def tasks(self) -> Mapping[str, Task]:
        """Return the tasks by name."""
        return {
            commands.SCAN: self._scan,
            commands.IMPORT: self._replying(self._import),
            commands.CLEAN: self._replying(self._clean),
            commands.RESTORE: self._replying(self._restore),
            commands.REPAIR: self._replying(self._repair),
            commands.COMPARE_RUNS: self._replying(self._compare_runs),
        }

    def give_up(self) -> Mapping[str, Task]:
        """Return the tasks that run when the retries of a job are exhausted, by its task."""
        return {
            commands.SCAN: self._give_up_scan,
            commands.IMPORT: self._give_up_import,
            commands.CLEAN: self._give_up_cleanup,
        }

    async def _scan(self, context: JobContext, payload: Mapping[str, Any]) -> None:
        command = ScanCommand.model_validate(payload)
        await retry_when_unavailable(
            self.scanner.scan(accept_shrinkage=command.accept_shrinkage),
            context,
            is_store_unavailable=self.store.confirm_unavailable,
        )

    async def _give_up_scan(self, _context: JobContext, _payload: Mapping[str, Any]) -> None:
        await self.scanner.fail()

    async def _give_up_import(self, _context: JobContext, payload: Mapping[str, Any]) -> None:
        command = ImportCommand.model_validate(payload)
        await discard(self.store, PendingImport(command.kind, command.pending_id, command.notation))
        await self.progress.record_import(command.kind, command.pending_id, "The import failed too often.")

    async def _give_up_cleanup(self, _context: JobContext, payload: Mapping[str, Any]) -> None:
        await self._finish_cleanup(CleanupCommand.model_validate(payload))

    async def _finish_cleanup(self, command: CleanupCommand) -> None:
        """Make the files moved by an aborted clean-up restorable."""
        with suppress(NotFound):  # it has not moved any
            await finish_batch(self.store, command.id)

    def _replying(self, work: Callable[[Mapping[str, Any]], Coroutine[Any, Any, Reply]]) -> Task:
        """Return a task that replies to the caller with the result of *work* or the error of the request."""

        async def task(context: JobContext, payload: Mapping[str, Any]) -> None:
            async def run() -> None:
                try:
                    reply = await work(payload)
                except UserError as error:
                    reply = commands.refusal_reply(error)
                await self.queue.reply(payload["id"], reply)

            await retry_when_unavailable(run(), context, is_store_unavailable=self.store.confirm_unavailable)

        return task

    async def _import(self, payload: Mapping[str, Any]) -> Reply:
        command = ImportCommand.model_validate(payload)
        pending = PendingImport(command.kind, command.pending_id, command.notation)
        try:
            version = await import_catalog(
                self.store,
                command.kind,
                read_parts(self.store, pending),
                command.notation,
                self.workspace,
                received_at=await received_at(self.store, pending),
                subshops=self.formats.subshops,
            )
        except NotFound as error:
            # It may have been imported and discarded by a reporter that was killed before it replied.
            imported = await current(self.store, command.kind)
            result = await self.progress.import_result(command.pending_id)
            if imported is None or result != LastImport(command.pending_id, ""):
                await self.progress.record_import(command.kind, command.pending_id, error.reason)
                raise
            return imported.model_dump(mode="json")
        except UserError as error:
            await self.progress.record_import(command.kind, command.pending_id, error)
            await discard(self.store, pending)
            raise
        await self.progress.record_import(command.kind, command.pending_id)
        await discard(self.store, pending)
        _audit(commands.IMPORT, type=command.kind, id=command.pending_id, entries=version.entries)
        return version.model_dump(mode="json")

    async def _clean(self, payload: Mapping[str, Any]) -> Reply:
        command = CleanupCommand.model_validate(payload)
        settings = self.settings
        try:
            done = await run_cleanup(
                self.store,
                command.kind,
                command,
                self.formats.subshops,
                grace=settings.grace,
                share=settings.max_share,
            )
        except CleanupRefused:  # an earlier attempt may have moved files
            await self._finish_cleanup(command)
            raise
        if not done.dry:
            await self.outbox.record("cleanup.finished", command.id, FinishedCleanup.of(command.kind, done))
            _audit(commands.CLEAN, type=command.kind, trash=done.trash, files=done.files, bytes=done.bytes)
        return done.model_dump(mode="json")

    async def _restore(self, payload: Mapping[str, Any]) -> Reply:
        command = RestoreCommand.model_validate(payload)
        restored = await restore(self.store, command.trash)
        _audit(commands.RESTORE, trash=command.trash, files=restored.files, kept=restored.kept)
        return restored._asdict()

    async def _repair(self, payload: Mapping[str, Any]) -> Reply:
        command = RepairCommand.model_validate(payload)
        repaired = await repair(self.store, self.queue, command.kind, self.formats.subshops)
        _audit(commands.REPAIR, type=command.kind, converting=repaired.converting, missing=repaired.missing)
        return repaired.model_dump(mode="json")

    async def _compare_runs(self, payload: Mapping[str, Any]) -> Reply:
        command = CompareRunsCommand.model_validate(payload)
        await check_comparable(command.run, command.base, self.runs, self.store)
        found = await get_comparison(self.store, command.run, command.base)  # by an equal request before
        if found is None:
            found = await compare_runs(command.run, command.base, self.runs, self.store, self.workspace)
        return found.model_dump(mode="json")


def _audit(task: str, **details: object) -> None:
    """Log what a job has done; the gateway has logged who requested it, with the same id."""
    audit.record(task, actor=f"task {task}", **details)
