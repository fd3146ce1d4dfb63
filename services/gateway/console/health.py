"""The page *Health*: what all processes are doing, the last hour, and the dead letters."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

import imageconverter
from imageconverter import keys
from imageconverter.errors import QueueUnavailable
from imageconverter.monitoring.system_state import Process, SystemState
from services.gateway import state
from services.gateway.console.health_plots import plots_of
from services.gateway.console.rendering import page_response, render, render_text
from services.gateway.images_api.system import problems_of_installation

_MAX_DEAD_LETTERS: Final = 100
_MAX_PAYLOAD: Final = 2000  # characters
_DIGEST_CHARACTERS: Final = 8
_MAX_SUBJECT: Final = 30  # characters


class LatestParts:
    """The parts of the page that were rendered last: many people look at the same state."""

    def __init__(self) -> None:
        """Keep none yet."""
        self._kept: dict[tuple[str, str], tuple[SystemState, str]] = {}

    def get(self, language: str, part: str, found: SystemState) -> str | None:
        """Return *part* in a language as it was rendered for the state *found*; None if it was not."""
        of, text = self._kept.get((language, part), (None, ""))
        return text if of is found else None

    def keep(self, language: str, part: str, found: SystemState, text: str) -> None:
        """Keep *text* until another one of the same part is kept."""
        self._kept[language, part] = found, text


async def page(request: web.Request) -> web.StreamResponse:
    """Return the page, or the part of it that a script renews."""
    parts = {"now": _now, "hour": _hour, "dead": _dead_letters}
    wanted = request.headers.get("HX-Target", "")
    if wanted == "now":
        return await _latest(request)
    values: dict[str, Any] = {}
    for name in [wanted] if wanted in parts else parts:
        values |= await parts[name](request)
    return await render(request, "health.html", **values)


async def _latest(request: web.Request) -> web.Response:
    """Return the part `now`, rendered once for each state and language."""
    found, latest = await request.app[state.SYSTEM].state(), request.app[state.LATEST_HEALTH]
    language = request.app[state.TEMPLATES].languages.of(request).code
    text = latest.get(language, "now", found)
    if text is None:
        text = render_text(request, "health.html", **await _now(request))
        latest.keep(language, "now", found, text)
    return page_response(request, text)


async def _now(request: web.Request) -> dict[str, Any]:
    found = await request.app[state.SYSTEM].state()
    digest = request.app[state.FORMATS].current.digest()
    running = sum(queue.running for queue in found.jobs.queues.values())
    return {
        "state": found,
        "problems": list(problems_of_installation(request)),
        "invalid_formats": request.app[state.FORMATS].problems,
        "shortened": _shortened,
        "roles": {
            role: [_shown(process, found, digest) for process in processes]
            for role, processes in found.processes.items()
        },
        "running": running,
        "waiting": sum(queue.jobs for queue in found.jobs.queues.values()) - running,
        "sandboxes": [each.report.sandbox for each in found.processes.get("worker", ()) if each.report.sandbox],
        "formats": digest[:_DIGEST_CHARACTERS],
    }


def _shown(process: Process, found: SystemState, digest: str) -> dict[str, Any]:
    report, now = process.report, found.at.timestamp()
    return {
        "host": process.host,
        "pid": process.pid,
        "version": report.version,
        "is_other_version": report.version not in ("", imageconverter.__version__),
        "seconds": max(0.0, now - report.started) if report.started else None,
        "formats": process.formats[:_DIGEST_CHARACTERS],
        "has_other_formats": process.formats not in ("", digest),
        "tasks": [(task, max(0.0, now - task.since)) for task in report.tasks],
        "further_tasks": report.task_count - len(report.tasks),
    }


def _shortened(subject: str) -> str:
    """Return what a job is about as it fits into a line: the end of a path, or the beginning of a key."""
    path = subject.removeprefix(keys.SOURCE)
    if len(path) <= _MAX_SUBJECT:
        return path
    return f"…{path[-_MAX_SUBJECT + 1 :]}" if "/" in path else f"{path[: _MAX_SUBJECT - 1]}…"


async def _hour(request: web.Request) -> dict[str, Any]:
    try:
        minutes = await request.app[state.SYSTEM].history()
    except QueueUnavailable:
        return {"plots": None}
    return {"plots": plots_of(minutes)}


async def _dead_letters(request: web.Request) -> dict[str, Any]:
    try:
        found = await request.app[state.QUEUE].dead.all()
    except QueueUnavailable:
        return {"dead_letters": None, "dead_count": 0, "payload": _payload}
    return {"dead_letters": found[:_MAX_DEAD_LETTERS], "dead_count": len(found), "payload": _payload}


def _payload(value: Any) -> str:
    """Return the payload of a job as text, cut if it is long."""
    text = json.dumps(value, indent=1 if isinstance(value, Mapping) else None, ensure_ascii=False)
    return text if len(text) <= _MAX_PAYLOAD else f"{text[: _MAX_PAYLOAD - 1]}…"
