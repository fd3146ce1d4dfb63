"""The route table: every route of the gateway, and what it requires of a request."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from services.gateway import audit, content, health, openapi, state
from services.gateway.auth import login
from services.gateway.auth.route_permissions import (
    BASIC_AUTH,
    CREDENTIALS_IN_REQUEST,
    PUBLIC,
    READ,
    Changes,
    Requirement,
    guarded,
    permission,
)
from services.gateway.console import assets, convert, docs, docs_examples, images, reports_cleanup, session
from services.gateway.console import automatic as automatic_page
from services.gateway.console import formats as formats_page
from services.gateway.console import health as health_page
from services.gateway.console import previews as previews_page
from services.gateway.console import reports as reports_page
from services.gateway.console import runs as runs_page
from services.gateway.idempotency.once import once
from services.gateway.imageconverter_api import administration, previews, status_page
from services.gateway.images_api import (
    archives,
    automatic_scans,
    catalogs,
    cleanups,
    converted_images,
    dead_letters,
    deletions,
    directories,
    focal_points,
    format_drafts,
    format_examples,
    formats,
    presigned_uploads,
    reports,
    run_comparisons,
    run_events,
    runs,
    schedules,
    source_details,
    source_facts,
    source_trash,
    sources,
    store_events,
    stored_previews,
    system,
    thumbnails,
    uploads,
    urls,
    webhooks,
)
from services.gateway.signed_urls.images import signed_image


class Route(NamedTuple):
    """A row of the table."""

    methods: tuple[str, ...]
    path: str
    handler: Handler
    requires: Requirement
    only_reads: bool = False
    """Whether POST changes nothing, and only has a body that says what is wanted."""
    by_subshop: bool = False
    """Whether the handler names the subshop of which it changes something; else that is shared by all of them."""

    @property
    def changes_something(self) -> bool:
        """Whether its requests change something, and so are in the audit log: also GET, if DELETE does the same."""
        return self.methods != ("GET",) and not self.only_reads

    @property
    def changes(self) -> Changes:
        """What a key needs that is limited to subshops."""
        if not self.changes_something:
            return "nothing"
        return "subshop" if self.by_subshop else "all"


IMAGES_BASES = ("/admin/api/v1/images", "/images")
IMAGECONVERTER_BASE = "/imageconverter"

# Permissions of the images API that can be narrowed by type. The type is that of the path, or the handler names the
# types that a request touches.
PUBLISH = permission("images.publish", narrowed="handler")
PUBLISH_OF_TYPE = permission("images.publish", narrowed="path")
DELETE = permission("images.delete", narrowed="handler")
DELETE_OF_TYPE = permission("images.delete", narrowed="path")

READ_ANY_TYPE = Requirement("{area}.read", narrowed="handler")

# The images API, below each of its bases; a trailing slash is always accepted.
IMAGES: tuple[Route, ...] = (
    Route(("GET",), "/formats", formats.list_formats, permission("images.read")),
    Route(("POST",), "/formats/validate", format_drafts.validate, permission("images.read"), only_reads=True),
    Route(("POST",), "/formats/example", format_drafts.example, permission("images.publish"), only_reads=True),
    Route(("GET",), "/formats/{formatId}/example", format_examples.example, permission("images.read")),
    Route(("GET",), "/url/{typeId}", urls.image_url, READ),
    Route(("GET",), "/srcset/{typeId}", urls.srcset, READ),
    Route(("POST",), "/upload", once(uploads.upload), PUBLISH, by_subshop=True),
    Route(("POST",), "/upload/convert", once(uploads.upload_and_convert), PUBLISH, by_subshop=True),
    Route(("DELETE",), "/upload/{typeId}", deletions.delete_several, DELETE_OF_TYPE, by_subshop=True),
    Route(("DELETE",), "/upload/{typeId}/{filename}", deletions.delete_one, DELETE_OF_TYPE, by_subshop=True),
    Route(("GET",), "/sources", sources.list_sources, permission("images.read")),
    Route(("POST",), "/sources", sources.add, permission("images.publish")),
    Route(("POST",), "/sources/move", sources.move, permission("images.delete")),
    Route(("POST",), "/sources/copy", sources.copy, permission("images.publish")),
    Route(("POST",), "/sources/events", store_events.receive, permission("images.publish")),
    Route(("POST",), "/sources/facts", source_facts.several, permission("images.read"), only_reads=True),
    Route(("POST",), "/sources/presign", presigned_uploads.presign, permission("images.publish")),
    Route(("POST",), "/sources/publish", presigned_uploads.publish_upload, permission("images.publish")),
    Route(("GET",), "/sources/{path:.+}", sources.show, permission("images.read")),
    Route(("PUT",), "/sources/{path:.+}", sources.replace, PUBLISH),
    Route(("DELETE",), "/sources/{path:.+}", sources.delete, permission("images.delete")),
    Route(("GET",), "/focal-points/{path:.+}", focal_points.show, permission("images.read")),
    Route(("PUT",), "/focal-points/{path:.+}", focal_points.replace, permission("images.publish")),
    Route(("DELETE",), "/focal-points/{path:.+}", focal_points.delete, permission("images.publish")),
    Route(("GET",), "/trash/sources", source_trash.list_trash, permission("images.delete")),
    Route(("DELETE",), "/trash/sources", source_trash.empty, permission("images.delete")),
    Route(("POST",), "/trash/sources/restore", source_trash.restore, permission("images.delete")),
    Route(("GET",), "/trash/thumbnails/{item:.+}", source_trash.thumbnail, permission("images.delete")),
    Route(("DELETE",), "/trash/sources/{item:.+}", source_trash.delete, permission("images.delete")),
    Route(("GET",), "/details/{path:.+}", source_details.details, permission("images.read")),
    Route(("GET",), "/targets", converted_images.list_converted, permission("images.read")),
    Route(("GET",), "/thumbnails/{path:.+}", thumbnails.thumbnail, permission("images.read")),
    Route(("POST",), "/archive", archives.download, permission("images.read"), only_reads=True),
    Route(("GET",), "/directories/{typeId}", directories.list_directories, permission("images.read")),
    Route(("POST",), "/directories/{typeId}", directories.create_directory, PUBLISH),
    Route(("DELETE",), "/directories/{typeId}", directories.delete_directory, DELETE),
    Route(("POST",), "/convert/start", once(runs.start), PUBLISH, by_subshop=True),
    Route(("POST",), "/convert/compare", run_comparisons.compare, permission("images.read"), only_reads=True),
    Route(("GET",), "/convert/compare", run_comparisons.show, permission("images.read")),
    Route(("POST",), "/convert/plan", runs.plan, PUBLISH, only_reads=True),
    Route(("POST",), "/convert/retry", once(runs.retry), PUBLISH, by_subshop=True),
    Route(("GET",), "/convert/status", runs.status, permission("images.read")),
    Route(("GET",), "/convert/events", run_events.events, permission("images.read")),
    Route(("POST",), "/convert/cancel", runs.cancel, PUBLISH, by_subshop=True),
    Route(("GET",), "/convert/results", runs.results, permission("images.read")),
    Route(("GET",), "/convert/runs", runs.history, permission("images.read")),
    Route(("GET",), "/jobs/dead", dead_letters.list_dead, permission("admin")),
    Route(("POST",), "/jobs/dead/{jobId}", dead_letters.retry, permission("admin")),
    Route(("DELETE",), "/jobs/dead/{jobId}", dead_letters.drop, permission("admin")),
    Route(("GET",), "/system", system.system, permission("admin")),
    Route(("GET",), "/system/history", system.history, permission("admin")),
    Route(("GET",), "/previews", stored_previews.list_keys, permission("admin")),
    Route(("DELETE",), "/previews", stored_previews.clear, permission("admin")),
    Route(("GET",), "/previews/contexts", stored_previews.list_contexts, permission("admin")),
    Route(("DELETE",), "/previews/{imageKey}", stored_previews.clear_key, permission("admin")),
    Route(("GET",), "/webhooks", webhooks.list_endpoints, permission("admin")),
    Route(("POST",), "/webhooks/{webhookId}", webhooks.retry, permission("admin")),
    Route(("GET",), "/convert/schedule", schedules.RUNS.show, permission("images.read")),
    Route(("PUT",), "/convert/schedule", schedules.RUNS.replace, permission("admin")),
    Route(("DELETE",), "/convert/schedule", schedules.RUNS.reset, permission("admin")),
    Route(("GET",), "/convert/scan", automatic_scans.show_scan, permission("images.read")),
    Route(("POST",), "/convert/scan", automatic_scans.start_scan, permission("images.publish")),
    Route(("GET",), "/convert/orphans", automatic_scans.list_orphans, permission("images.read")),
    Route(("POST",), "/report", once(reports.start), permission("products.create")),
    Route(("GET",), "/report", reports.show, READ),
    Route(("GET",), "/report/status", reports.status, permission("products.read")),
    Route(("GET",), "/report/schedule", schedules.REPORTS.show, permission("products.read")),
    Route(("PUT",), "/report/schedule", schedules.REPORTS.replace, permission("products.create")),
    Route(("DELETE",), "/report/schedule", schedules.REPORTS.reset, permission("products.create")),
    Route(("GET",), "/report/trash", cleanups.trash, DELETE),
    Route(("POST",), "/report/restore", cleanups.restore, DELETE),
    Route(("GET",), "/report/{typeId}", reports.show, READ),
    Route(("GET",), "/report/{typeId}/history", reports.history, READ),
    Route(("DELETE",), "/report/{typeId}/unused", cleanups.clean, DELETE_OF_TYPE),
    Route(("POST",), "/report/{typeId}/repair", once(cleanups.repair), PUBLISH_OF_TYPE),
    Route(("PUT",), "/catalog/{typeId}", catalogs.replace, permission("products.create")),
    Route(("GET",), "/catalog/{typeId}", catalogs.show, READ),
)

# The login.
CHECK_BASE = "/admin/api/v1/login/checkToken/"
LOGIN: tuple[Route, ...] = (
    Route(("POST",), "/admin/api/v1/login", login.login, CREDENTIALS_IN_REQUEST),
    Route(("DELETE",), "/admin/api/v1/login", login.logout, CREDENTIALS_IN_REQUEST),
    Route(("POST",), "/admin/api/v1/login/refresh", login.refresh, CREDENTIALS_IN_REQUEST),
    Route(("GET",), CHECK_BASE + "{otok}", login.check_token, CREDENTIALS_IN_REQUEST),
)

# The ImageConverter API, below its base. Its handlers validate keys and formats themselves, so its patterns match any
# text, slashes in a format included. HEAD is not accepted where GET deletes.
_GET, _DELETE_POST_GET = ("GET",), ("DELETE", "POST", "GET")
IMAGECONVERTER: tuple[Route, ...] = (
    Route(("POST",), "/cacheAndGetImage/{imageKey}/{requestFormat}", previews.cache_and_get_image, PUBLIC),
    Route(
        ("POST",),
        "/cacheAndGetImageAndMetadata/{imageKey}/{requestFormat}",
        previews.cache_and_get_image_and_metadata,
        PUBLIC,
    ),
    Route(("POST",), "/cacheImage/{imageKey}", previews.cache_image, PUBLIC),
    Route(_GET, "/getImage/{imageKey}/{requestFormat}", previews.get_image, PUBLIC),
    Route(_GET, "/getImageAndMetadata/{imageKey}/{requestFormat}", previews.get_image_and_metadata, PUBLIC),
    Route(_GET, "/getMetadata/{imageKey}", previews.get_metadata, PUBLIC),
    Route(_DELETE_POST_GET, "/clearImages", administration.clear_images, BASIC_AUTH),
    Route(_DELETE_POST_GET, "/clearImagesByKey/{imageKey}", administration.clear_images_by_key, BASIC_AUTH),
    Route(_GET, "/getKeyCount", administration.get_key_count, PUBLIC),
    Route(_GET, "/getKeys", administration.get_keys, BASIC_AUTH),
    Route(_GET, "/status", status_page.status, PUBLIC),
    Route(_GET, "", status_page.status, PUBLIC),
)
_PATTERNS = {"{imageKey}": "{imageKey:[^/]*}", "{requestFormat}": r"{requestFormat:[\s\S]*}"}

# Of both APIs, what needs neither the bucket nor Redis.
WITHOUT_BUCKET: tuple[Handler, ...] = (status_page.status, urls.image_url, formats.list_formats)

# The pages of the console. Who is not logged in is led to the login.
CONSOLE: tuple[Route, ...] = (
    Route(("GET",), "/console/", convert.page, PUBLISH),
    Route(("GET",), "/console/images", images.page, permission("images.read")),
    Route(("GET",), "/console/images/trash", images.trash, permission("images.delete")),
    Route(("GET",), "/console/reports", reports_page.page, READ_ANY_TYPE),
    Route(("GET",), "/console/reports/cleanup", reports_cleanup.page, DELETE),
    Route(("GET",), "/console/formats", formats_page.page, permission("images.read")),
    Route(("GET", "POST"), "/console/formats/edit", formats_page.edit, permission("images.read"), only_reads=True),
    Route(("GET",), "/console/previews", previews_page.page, permission("admin")),
    Route(("GET",), "/console/health", health_page.page, permission("admin")),
    Route(("GET",), "/console/runs", runs_page.page, permission("images.read")),
    Route(("GET",), "/console/runs/automatic", automatic_page.page, permission("images.read")),
    Route(("GET",), "/console/runs/new", runs_page.new_page, PUBLISH),
    Route(("GET",), "/console/runs/{run}", runs_page.run_page, permission("images.read")),
    Route(("GET",), "/console/runs/{run}/compare/{base}", runs_page.comparison_page, permission("images.read")),
)

# What the pages need before or beside a login.
BROWSER: tuple[Route, ...] = (
    Route(("GET",), "/", session.lead_home, PUBLIC),
    Route(("GET",), "/console", session.lead_home, PUBLIC),
    Route(("GET",), session.LOGIN, session.login_page, PUBLIC),
    Route(("GET",), "/console/preferences", session.preferences, PUBLIC),
    Route(("GET",), "/docs", session.public_page(docs.viewer), PUBLIC),
    Route(("GET",), "/docs/", docs.lead_to_viewer, PUBLIC),
    Route(("GET",), "/docs/imageconverter", session.public_page(docs.viewer), PUBLIC),
    Route(("GET",), "/docs/examples", session.public_page(docs_examples.examples), PUBLIC),
    Route(("GET",), "/docs/examples/{language}", session.public_page(docs_examples.examples), PUBLIC),
    Route(("GET",), assets.PATH + "/{digest}/{name:.+}", assets.show, PUBLIC),
)

PLAIN: tuple[Route, ...] = (
    Route(("GET",), "/content/_/{signature}/{options:.+}/{path}", signed_image, PUBLIC),
    Route(("GET",), "/content/{path:.+}", content.content, PUBLIC),
    Route(("GET",), "/openapi/images.yaml", openapi.images, PUBLIC),
    Route(("GET",), "/openapi/imageconverter.yaml", openapi.imageconverter, PUBLIC),
    Route(("GET",), "/health/live", health.live, PUBLIC),
    Route(("GET",), "/health/ready", health.ready, PUBLIC),
    Route(("GET",), "/metrics", health.metrics, PUBLIC),
)


def routes() -> Iterator[web.RouteDef]:
    """Yield all routes. GET routes accept HEAD, except those where GET deletes."""
    for route in (*PLAIN, *BROWSER):
        yield from _definitions(route, route.path)
    for route in CONSOLE:
        yield from _definitions(route, route.path, wrapped_by=session.page)
    for route in LOGIN:
        yield from _definitions(route, route.path, route.path + "/")
    for base in IMAGES_BASES:
        for route in map(_for_owner, IMAGES):
            yield from _definitions(route, base + route.path, base + route.path + "/")
    for route in map(_for_owner, IMAGECONVERTER):
        path = IMAGECONVERTER_BASE + route.path
        for name, pattern in _PATTERNS.items():
            path = path.replace(name, pattern)
        yield from _definitions(route, path, *([] if route.path.endswith("{requestFormat}") else [path + "/"]))


def _for_owner(route: Route) -> Route:
    """Return *route* for the stack that owns the bucket, unless it does not need it."""
    if route.handler in WITHOUT_BUCKET:
        return route

    @functools.wraps(route.handler)
    async def owned(request: web.Request) -> web.StreamResponse:
        request.app[state.OWNERSHIP].require()
        return await route.handler(request)

    return route._replace(handler=owned)


def _definitions(
    route: Route, *paths: str, wrapped_by: Callable[[Handler], Handler] = lambda handler: handler
) -> Iterator[web.RouteDef]:
    """Yield *route* at *paths*: the only way from the table to aiohttp, so that no route escapes its requirement."""
    handler = wrapped_by(guarded(route.handler, route.requires, changes=route.changes))
    if route.changes_something:
        handler = audit.changing(handler)
    for method in route.methods:
        for path in paths:
            if method == "GET":
                yield web.get(path, handler, allow_head="DELETE" not in route.methods)
            else:
                yield web.route(method, path, handler)


def liveness_routes() -> Iterator[web.RouteDef]:
    """Yield the routes of the liveness port."""
    yield web.get("/health/liveness", health.live)
