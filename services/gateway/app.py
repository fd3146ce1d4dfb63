"""The gateway's aiohttp application."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from imageconverter.engine import Limits
from imageconverter.images import directories
from imageconverter.images.name_index import NameIndex
from imageconverter.previews.cache import PreviewCache
from imageconverter.previews.listing import PreviewListing
from imageconverter.reports.progress import ScanProgress
from imageconverter.resources import Resources
from imageconverter.settings import MEGABYTE, Settings
from services.gateway import state
from services.gateway.audit import AuditLog
from services.gateway.auth.api_keys import KeyRing
from services.gateway.auth.attempts import Attempts
from services.gateway.auth.basic_auth import BasicAuth
from services.gateway.auth.sessions import Sessions
from services.gateway.console.assets import Assets
from services.gateway.console.health import LatestParts
from services.gateway.console.languages import Languages
from services.gateway.console.rendering import Templates
from services.gateway.http.body_memory import BodyMemory
from services.gateway.http.headers import set_security_headers
from services.gateway.http.middleware import error_middleware, set_headers
from services.gateway.http.rate_limit import RateLimiter
from services.gateway.idempotency.store import ResponseStore
from services.gateway.imageconverter_api.concurrency import RequestSlots
from services.gateway.imageconverter_api.metrics import PreviewMetrics
from services.gateway.images_api import archives
from services.gateway.images_api.run_watcher import RunWatcher
from services.gateway.known_focal_points import KnownFocalPoints
from services.gateway.known_objects import KnownObjects
from services.gateway.routes import CONSOLE, liveness_routes, routes
from services.gateway.signed_urls.keys import SigningKeys
from services.gateway.signed_urls.options import OptionsParser
from services.gateway.system_watcher import SystemWatcher

_DECODING_THREADS = 2
_RETRY_TIMEOUT_SECONDS = 4
_OUTPUT_SECONDS = 10.0


def create_app(settings: Settings, resources: Resources) -> web.Application:
    """Return the application; raises SettingsError if no key is configured."""
    app = web.Application(middlewares=[error_middleware])
    app[state.STORE] = resources.store
    max_index_bytes = settings.gateway.search_mb * MEGABYTE
    app[state.OUTPUTS] = KnownObjects(resources.store, seconds=_OUTPUT_SECONDS)
    app[state.NAMES] = {
        root: NameIndex(resources.store, root, max_bytes=max_index_bytes) for root in directories.PREFIXES
    }
    app[state.OWNERSHIP] = resources.ownership
    app[state.QUEUE] = resources.queue
    app[state.RUNS] = resources.runs
    app[state.OUTBOX] = resources.outbox
    app[state.RUN_WATCHER] = RunWatcher(resources.runs)
    app[state.ARCHIVES] = asyncio.Semaphore(archives.MAX_AT_ONCE)
    app[state.FORMATS] = resources.formats
    app[state.KEYS] = keys = KeyRing(settings.gateway)
    app[state.SESSIONS] = Sessions(resources.redis)
    app[state.RESPONSES] = ResponseStore(resources.redis)
    app[state.AUDIT] = AuditLog(settings.gateway)
    app[state.ATTEMPTS] = Attempts(resources.redis, settings.gateway)
    app[state.GATEWAY] = settings.gateway
    app[state.CONVERSION] = settings.conversion
    app[state.LIMITS] = Limits(pixels=settings.conversion.max_pixels)
    memory = settings.gateway.upload_memory_mb * MEGABYTE
    app[state.KEY_MEMORY] = BodyMemory(memory // 2)
    app[state.STRANGER_MEMORY] = BodyMemory(memory * 3 // 8)
    app[state.CATALOG_MEMORY] = BodyMemory(memory // 8)
    app[state.DECODING] = ThreadPoolExecutor(_DECODING_THREADS, thread_name_prefix="decoding")
    app[state.METRICS] = resources.metrics
    app[state.COUNTS] = resources.counts
    app[state.SYSTEM] = SystemWatcher(resources)
    _add_previews(app, settings, resources)
    app[state.REPORTS] = settings.reports
    app[state.SCANS] = ScanProgress(resources.redis, retry_timeout=_RETRY_TIMEOUT_SECONDS)
    app[state.BASIC_AUTH] = BasicAuth(keys.administrator)
    _add_schedules(app, resources)
    _add_console(app)
    app.add_routes(list(routes()))
    app.on_response_prepare.append(set_headers)
    limit = settings.gateway.requests_per_minute
    app[state.RATE_LIMITER] = RateLimiter(limit, keys, settings.gateway.trusted_proxies) if limit else None
    app[state.PROBLEMS] = []
    app[state.STOPPING] = asyncio.Event()
    app.on_shutdown.append(_end_streams)
    app.on_cleanup.append(_stop_threads)
    app.on_cleanup.append(_close_indexes)
    return app


def _add_previews(app: web.Application, settings: Settings, resources: Resources) -> None:
    app[state.PREVIEWS] = PreviewCache(resources.store, resources.previews, resources.queue, settings.previews)
    app[state.SOURCES] = KnownObjects(resources.store, seconds=settings.previews.hot_seconds)
    app[state.FOCAL_POINTS] = KnownFocalPoints(resources.store, seconds=settings.previews.hot_seconds)
    app[state.THUMBNAIL_SECRET] = (settings.storage.credentials[1] or "").encode()
    app[state.SIGNED_OPTIONS] = OptionsParser(settings.signed_urls)
    app[state.SIGNING_KEYS] = SigningKeys(settings.signed_urls)
    app[state.PREVIEW_LISTING] = PreviewListing(resources.redis, retry_timeout=_RETRY_TIMEOUT_SECONDS)
    app[state.PREVIEW_SETTINGS] = settings.previews
    app[state.PREVIEW_SLOTS] = RequestSlots(settings.previews.parallel_requests)
    app[state.PREVIEW_METRICS] = PreviewMetrics(settings.previews, resources.counts)


def _add_schedules(app: web.Application, resources: Resources) -> None:
    app[state.REPORT_SCHEDULE] = resources.report_schedule
    app[state.RUN_SCHEDULE] = resources.run_schedule
    app[state.PENDING_SOURCES] = resources.pending_sources
    app[state.AUTOMATIC_SCANS] = resources.scans


def _add_console(app: web.Application) -> None:
    app[state.TEMPLATES] = Templates(Languages())
    app[state.ASSETS] = Assets()
    app[state.LATEST_HEALTH] = LatestParts()
    app[state.PAGES] = {route.path: route.requires for route in CONSOLE}


def create_liveness_app() -> web.Application:
    """Return the application of the liveness port, which a busy gateway still serves."""
    app = web.Application()
    app.add_routes(list(liveness_routes()))
    app.on_response_prepare.append(_set_security_headers)
    return app


async def _set_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    set_security_headers(response.headers)


async def _end_streams(app: web.Application) -> None:
    app[state.STOPPING].set()


async def _stop_threads(app: web.Application) -> None:
    app[state.DECODING].shutdown(wait=False, cancel_futures=True)


async def _close_indexes(app: web.Application) -> None:
    for index in app[state.NAMES].values():
        await index.close()
