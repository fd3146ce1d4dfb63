"""A bare aiohttp handler that serves one file from memory: ``python bare.py PORT FILE MEDIA-TYPE``."""

import sys
from pathlib import Path

from aiohttp import web


def main() -> None:
    """Serve until killed."""
    port, file, media_type = sys.argv[1:]
    data = Path(file).read_bytes()

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=data, content_type=media_type)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    web.run_app(app, host="127.0.0.1", port=int(port), print=None, access_log=None)


if __name__ == "__main__":
    main()
