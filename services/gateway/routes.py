"""The URL table: everything that the gateway answers."""

from collections.abc import Iterator

from aiohttp import web
from aiohttp.typedefs import Handler

from services.gateway import content, health, openapi
from services.gateway.auth import login
from services.gateway.imageconverter_api import administration, previews, status_page
from services.gateway.images_api import (
    catalogs,
    cleanups,
    dead_letters,
    deletions,
    directories,
    reports,
    runs,
    uploads,
    urls,
)

IMAGES_BASES = ("/admin/api/v1/images", "/images")
IMAGECONVERTER_BASE = "/imageconverter"

# The images API, below each of its bases; a trailing slash is accepted everywhere.
IMAGES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/url/{typeId}", urls.image_url),
    ("POST", "/upload", uploads.upload),
    ("POST", "/upload/convert", uploads.upload_and_convert),
    ("DELETE", "/upload/{typeId}", deletions.delete_several),
    ("DELETE", "/upload/{typeId}/{filename}", deletions.delete_one),
    ("GET", "/directories/{typeId}", directories.list_directories),
    ("POST", "/directories/{typeId}", directories.create_directory),
    ("DELETE", "/directories/{typeId}", directories.delete_directory),
    ("POST", "/convert/start", runs.start),
    ("GET", "/convert/status", runs.status),
    ("GET", "/convert/events", runs.events),
    ("POST", "/convert/cancel", runs.cancel),
    ("GET", "/convert/results", runs.results),
    ("GET", "/convert/runs", runs.history),
    ("GET", "/jobs/dead", dead_letters.list_dead),
    ("POST", "/jobs/dead/{jobId}", dead_letters.retry),
    ("DELETE", "/jobs/dead/{jobId}", dead_letters.drop),
    ("POST", "/report", reports.start),
    ("GET", "/report", reports.show),
    ("GET", "/report/status", reports.status),
    ("GET", "/report/trash", cleanups.trash),
    ("POST", "/report/restore", cleanups.restore),
    ("GET", "/report/{typeId}", reports.show),
    ("DELETE", "/report/{typeId}/unused", cleanups.clean),
    ("POST", "/report/{typeId}/repair", cleanups.repair),
    ("PUT", "/catalog/{typeId}", catalogs.replace),
    ("GET", "/catalog/{typeId}", catalogs.show),
)

# Beside the images API, below the base of the admin interface.
CHECK_BASE = "/admin/api/v1/login/checkToken/"
LOGIN: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/admin/api/v1/login", login.login),
    ("GET", CHECK_BASE + "{otok}", login.check_token),
)

# The ImageConverter API, below its base. Its operations tell for themselves what is wrong with a key, and take
# anything for a format, slashes too. Where GET clears, HEAD does not.
_READING, _CLEARING = ("GET",), ("DELETE", "POST", "GET")
IMAGECONVERTER: tuple[tuple[tuple[str, ...], str, Handler], ...] = (
    (("POST",), "/cacheAndGetImage/{imageKey}/{requestFormat}", previews.cache_and_get_image),
    (("POST",), "/cacheAndGetImageAndMetadata/{imageKey}/{requestFormat}", previews.cache_and_get_image_and_metadata),
    (("POST",), "/cacheImage/{imageKey}", previews.cache_image),
    (_READING, "/getImage/{imageKey}/{requestFormat}", previews.get_image),
    (_READING, "/getImageAndMetadata/{imageKey}/{requestFormat}", previews.get_image_and_metadata),
    (_READING, "/getMetadata/{imageKey}", previews.get_metadata),
    (_CLEARING, "/clearImages", administration.clear_images),
    (_CLEARING, "/clearImagesByKey/{imageKey}", administration.clear_images_by_key),
    (_READING, "/getKeyCount", administration.get_key_count),
    (_READING, "/getKeys", administration.get_keys),
    (_READING, "/status", status_page.status),
    (_READING, "", status_page.status),
)
_ANY = {"{imageKey}": "{imageKey:[^/]*}", "{requestFormat}": r"{requestFormat:[\s\S]*}"}

PLAIN: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/content/{path:.+}", content.content),
    ("GET", "/openapi/images.yaml", openapi.images),
    ("GET", "/openapi/imageconverter.yaml", openapi.imageconverter),
    ("GET", "/health/live", health.live),
    ("GET", "/health/ready", health.ready),
    ("GET", "/metrics", health.metrics),
)


def routes() -> Iterator[web.RouteDef]:
    """All routes; where GET reads, HEAD is answered as well."""
    for method, path, handler in PLAIN:
        yield _route(method, path, handler)
    for method, path, handler in LOGIN:
        yield _route(method, path, handler)
        yield _route(method, path + "/", handler)
    for base in IMAGES_BASES:
        for method, path, handler in IMAGES:
            yield _route(method, base + path, handler)
            yield _route(method, base + path + "/", handler)
    for methods, template, handler in IMAGECONVERTER:
        path = IMAGECONVERTER_BASE + template
        for name, pattern in _ANY.items():
            path = path.replace(name, pattern)
        for method in methods:
            yield _route(method, path, handler, allow_head=methods == _READING)
            if not template.endswith("{requestFormat}"):
                yield _route(method, path + "/", handler, allow_head=methods == _READING)


def liveness_routes() -> Iterator[web.RouteDef]:
    """Yield what the liveness port answers."""
    yield web.get("/health/liveness", health.live)


def _route(method: str, path: str, handler: Handler, *, allow_head: bool = True) -> web.RouteDef:
    return web.get(path, handler, allow_head=allow_head) if method == "GET" else web.route(method, path, handler)
