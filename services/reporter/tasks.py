"""The reporter's tasks, by the names under which jobs ask for them."""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from imageconverter.catalog import current
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.importing import import_catalog
from imageconverter.catalog.pending_imports import PendingImport, discard, read_parts
from imageconverter.errors import CleanupRefused, NotFound, QueueUnavailable, Unavailable, UserError
from imageconverter.images.formats import ImageFormats
from imageconverter.jobs import JobQueue, Task, requeue, retry_with_backoff
from imageconverter.reports import commands
from imageconverter.reports.cleanup import run_cleanup
from imageconverter.reports.commands import CleanupCommand, ImportCommand, RepairCommand, RestoreCommand, ScanCommand
from imageconverter.reports.progress import ScanProgress
from imageconverter.reports.repair import repair
from imageconverter.reports.trash import finish_batch, restore
from imageconverter.settings import ReportSettings
from imageconverter.storage.store import ObjectStore
from services.reporter.scanning import Scanner

_log = structlog.get_logger(__name__)

Answer = dict[str, Any]


@dataclass(frozen=True)
class ReporterTasks:
    """What a reporter can be asked for; trouble that may pass has it done again later."""

    store: ObjectStore
    queue: JobQueue
    formats: ImageFormats
    settings: ReportSettings
    workspace: Workspace
    progress: ScanProgress
    scanner: Scanner

    def tasks(self) -> Mapping[str, Task]:
        """Return the tasks by their names."""
        return {
            commands.SCAN: self._scan,
            commands.IMPORT: self._answering(self._import),
            commands.CLEAN: self._answering(self._clean),
            commands.RESTORE: self._answering(self._restore),
            commands.REPAIR: self._answering(self._repair),
        }

    def give_up(self) -> Mapping[str, Task]:
        """Return what is done instead of a task that has failed too often."""
        return {
            commands.SCAN: self._give_up_scan,
            commands.IMPORT: self._give_up_import,
            commands.CLEAN: self._give_up_cleaning,
        }

    async def _scan(self, context: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        command = ScanCommand.model_validate(payload)
        await self._retry_when_unavailable(self.scanner.scan(accept_shrinkage=command.accept_shrinkage), context)

    async def _give_up_scan(self, _context: Mapping[str, Any], _payload: Mapping[str, Any]) -> None:
        await self.scanner.fail()

    async def _give_up_import(self, _context: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        command = ImportCommand.model_validate(payload)
        await discard(self.store, PendingImport(command.kind, command.pending_id, command.notation))
        await self.progress.record_import(command.kind, command.pending_id, "It was given up after too many tries.")

    async def _give_up_cleaning(self, _context: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        await self._end_cleaning(CleanupCommand.model_validate(payload))

    async def _end_cleaning(self, command: CleanupCommand) -> None:
        """Let be put back what a clean-up has taken that does not go on."""
        with suppress(NotFound):  # it had not begun
            await finish_batch(self.store, command.id)

    def _answering(self, work: Callable[[Mapping[str, Any]], Coroutine[Any, Any, Answer]]) -> Task:
        """Return a task that leaves what *work* returns, or refuses, for who waits for it."""

        async def task(context: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
            async def answer() -> None:
                try:
                    found = await work(payload)
                except UserError as error:
                    found = commands.refusal_reply(error)
                await self.queue.reply(payload["id"], found)

            await self._retry_when_unavailable(answer(), context)

        return task

    async def _import(self, payload: Mapping[str, Any]) -> Answer:
        command = ImportCommand.model_validate(payload)
        pending = PendingImport(command.kind, command.pending_id, command.notation)
        try:
            version = await import_catalog(
                self.store,
                command.kind,
                read_parts(self.store, pending),
                command.notation,
                self.workspace,
                received_at=pending.received_at,
            )
        except NotFound as error:
            # Perhaps it was taken over and discarded, by a reporter that died before it could tell.
            taken = await current(self.store, command.kind)
            result = await self.progress.import_result(command.pending_id)
            if taken is None or result != (command.pending_id, ""):
                await self.progress.record_import(command.kind, command.pending_id, error.reason)
                raise
            return taken.model_dump(mode="json")
        except UserError as error:
            await self.progress.record_import(command.kind, command.pending_id, error.reason)
            await discard(self.store, pending)
            raise
        await self.progress.record_import(command.kind, command.pending_id)
        await discard(self.store, pending)
        _log.info("catalog taken over", type=command.kind, entries=version.entries, images=version.images)
        return version.model_dump(mode="json")

    async def _clean(self, payload: Mapping[str, Any]) -> Answer:
        command = CleanupCommand.model_validate(payload)
        settings = self.settings
        try:
            done = await run_cleanup(
                self.store, command.kind, command, self.formats, grace=settings.grace, share=settings.max_share
            )
        except CleanupRefused:  # perhaps of what an earlier try has begun
            await self._end_cleaning(command)
            raise
        _log.info("clean-up", type=command.kind, dry=done.dry, files=done.files, bytes=done.bytes, trash=done.trash)
        return done.model_dump(mode="json")

    async def _restore(self, payload: Mapping[str, Any]) -> Answer:
        command = RestoreCommand.model_validate(payload)
        restored = await restore(self.store, command.trash)
        _log.info("files restored", trash=command.trash, files=restored.files, kept=restored.kept)
        return restored._asdict()

    async def _repair(self, payload: Mapping[str, Any]) -> Answer:
        command = RepairCommand.model_validate(payload)
        repaired = await repair(self.store, self.queue, command.kind, self.formats)
        _log.info("repair", type=command.kind, converting=repaired.converting, missing=repaired.missing)
        return repaired.model_dump(mode="json")

    async def _retry_when_unavailable(self, work: Coroutine[Any, Any, None], context: Mapping[str, Any]) -> None:
        try:
            await work
        except Unavailable as error:
            job, attempts = context["job_id"], context["job_try"]
            _log.warning("job is tried again later", job=job, attempts=attempts, reason=error.reason)
            if isinstance(error, QueueUnavailable) or await self.store.confirm_unavailable():
                raise requeue() from error
            raise retry_with_backoff(attempts) from error
