"""The URL table: everything that the gateway answers."""

from collections.abc import Iterator

from aiohttp import web
from aiohttp.typedefs import Handler

from services.gateway import content, contract, conversions, deletions, directories, health, login, uploads, urls

IMAGES_BASES = ("/admin/api/v1/images", "/images")

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
    ("POST", "/convert/start", conversions.start),
    ("GET", "/convert/status", conversions.status),
    ("GET", "/convert/events", conversions.events),
    ("POST", "/convert/cancel", conversions.cancel),
    ("GET", "/convert/results", conversions.results),
    ("GET", "/convert/runs", conversions.history),
)

# Beside the images API, below the base of the admin interface.
LOGIN: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/admin/api/v1/login", login.login),
    ("GET", "/admin/api/v1/login/checkToken/{otok}", login.check_token),
)

PLAIN: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/content/{path:.+}", content.content),
    ("GET", "/openapi/images.yaml", contract.images),
    ("GET", "/health/live", health.live),
    ("GET", "/health/ready", health.ready),
    ("GET", "/metrics", health.metrics),
)


def routes() -> Iterator[web.RouteDef]:
    """All routes; GET answers HEAD as well."""
    for method, path, handler in PLAIN:
        yield _route(method, path, handler)
    for method, path, handler in LOGIN:
        yield _route(method, path, handler)
        yield _route(method, path + "/", handler)
    for base in IMAGES_BASES:
        for method, path, handler in IMAGES:
            yield _route(method, base + path, handler)
            yield _route(method, base + path + "/", handler)


def _route(method: str, path: str, handler: Handler) -> web.RouteDef:
    return web.get(path, handler) if method == "GET" else web.route(method, path, handler)
