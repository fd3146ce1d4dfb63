"""Typed keys of the application's state."""

import asyncio
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from aiohttp import web

from imageconverter.automatic import PendingSources, ScanStore
from imageconverter.engine import Limits
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.images.directories import Root
from imageconverter.images.name_index import NameIndex
from imageconverter.jobs import JobQueue
from imageconverter.monitoring.counts import Counts
from imageconverter.monitoring.metrics import Metrics
from imageconverter.ownership import Ownership
from imageconverter.previews.cache import PreviewCache
from imageconverter.previews.listing import PreviewListing
from imageconverter.reports.progress import ScanProgress
from imageconverter.runs import RunStore
from imageconverter.schedules.store import ScheduleStore
from imageconverter.settings import (
    ConversionSettings,
    GatewaySettings,
    PreviewSettings,
    ReportSettings,
)
from imageconverter.storage.store import ObjectStore
from imageconverter.webhooks import Outbox
from services.gateway.audit import AuditLog
from services.gateway.auth.api_keys import KeyRing
from services.gateway.auth.attempts import Attempts
from services.gateway.auth.basic_auth import BasicAuth
from services.gateway.auth.sessions import Sessions
from services.gateway.console.assets import Assets
from services.gateway.console.rendering import Templates
from services.gateway.http.body_memory import BodyMemory
from services.gateway.http.rate_limit import RateLimiter
from services.gateway.idempotency.store import ResponseStore
from services.gateway.imageconverter_api.concurrency import RequestSlots
from services.gateway.imageconverter_api.metrics import PreviewMetrics
from services.gateway.images_api.run_watcher import RunWatcher
from services.gateway.known_focal_points import KnownFocalPoints
from services.gateway.known_objects import KnownObjects
from services.gateway.signed_urls.keys import SigningKeys
from services.gateway.signed_urls.options import OptionsParser
from services.gateway.system_watcher import SystemWatcher

if TYPE_CHECKING:
    from services.gateway.auth.route_permissions import Requirement
    from services.gateway.console.health import LatestParts

STORE = web.AppKey("store", ObjectStore)
NAMES = web.AppKey("names", dict[Root, NameIndex])
"""For searching."""
OUTPUTS = web.AppKey("outputs", KnownObjects)
"""Those that have variants."""
SOURCES = web.AppKey("sources", KnownObjects)
FOCAL_POINTS = web.AppKey("focal_points", KnownFocalPoints)
"""Those that previews are made of, and watermarks."""
OWNERSHIP = web.AppKey("ownership", Ownership)
QUEUE = web.AppKey("queue", JobQueue)
OUTBOX = web.AppKey("outbox", Outbox)
RUNS = web.AppKey("runs", RunStore)
RUN_WATCHER = web.AppKey("run_watcher", RunWatcher)
ARCHIVES = web.AppKey("archives", asyncio.Semaphore)
FORMATS = web.AppKey("formats", CurrentFormats)
KEYS = web.AppKey("keys", KeyRing)
SESSIONS = web.AppKey("sessions", Sessions)
RESPONSES = web.AppKey("responses", ResponseStore)
"""Those to requests with an idempotency key."""
AUDIT = web.AppKey("audit", AuditLog)
ATTEMPTS = web.AppKey("attempts", Attempts)
GATEWAY = web.AppKey("gateway", GatewaySettings)
CONVERSION = web.AppKey("conversion", ConversionSettings)
LIMITS = web.AppKey("limits", Limits)
KEY_MEMORY = web.AppKey("key_memory", BodyMemory)
"""For the bodies of requests with a key."""
STRANGER_MEMORY = web.AppKey("stranger_memory", BodyMemory)
"""For the bodies of requests that need no key."""
CATALOG_MEMORY = web.AppKey("catalog_memory", BodyMemory)
"""For catalogs, which are stored in parts while they arrive."""
DECODING = web.AppKey("decoding", Executor)
METRICS = web.AppKey("metrics", Metrics)
SYSTEM = web.AppKey("system", SystemWatcher)
COUNTS = web.AppKey("counts", Counts)
PREVIEWS = web.AppKey("previews", PreviewCache)
THUMBNAIL_SECRET = web.AppKey("thumbnail_secret", bytes)
"""The same for all gateways; the preview keys of sources are derived from it."""
SIGNED_OPTIONS = web.AppKey("signed_options", OptionsParser)
SIGNING_KEYS = web.AppKey("signing_keys", SigningKeys)
PREVIEW_LISTING = web.AppKey("preview_listing", PreviewListing)
PREVIEW_SETTINGS = web.AppKey("preview_settings", PreviewSettings)
PREVIEW_SLOTS = web.AppKey("preview_slots", RequestSlots)
PREVIEW_METRICS = web.AppKey("preview_metrics", PreviewMetrics)
REPORTS = web.AppKey("reports", ReportSettings)
REPORT_SCHEDULE = web.AppKey("report_schedule", ScheduleStore)
RUN_SCHEDULE = web.AppKey("run_schedule", ScheduleStore)
PENDING_SOURCES = web.AppKey("pending_sources", PendingSources)
AUTOMATIC_SCANS = web.AppKey("automatic_scans", ScanStore)
SCANS = web.AppKey("scans", ScanProgress)
BASIC_AUTH = web.AppKey("basic_auth", BasicAuth)
STOPPING = web.AppKey("stopping", asyncio.Event)
RATE_LIMITER = web.AppKey[RateLimiter | None]("rate_limiter")
"""None without a limit."""
PROBLEMS = web.AppKey("problems", list[str])
"""What Redis or the store lack, as sentences."""
TEMPLATES = web.AppKey("templates", Templates)
LATEST_HEALTH: "web.AppKey[LatestParts]" = web.AppKey("latest_health")
ASSETS = web.AppKey("assets", Assets)
PAGES: "web.AppKey[dict[str, Requirement]]" = web.AppKey("pages")
"""What each page of the console requires, by path."""
