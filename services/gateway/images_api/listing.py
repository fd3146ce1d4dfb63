"""The page of a tree that a request asks for: of a directory, or of what a search finds below it."""

from typing import Final

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.directories import Root
from imageconverter.images.listing import Page, list_page
from imageconverter.images.names import directory_path
from services.gateway import state
from services.gateway.images_api.parameters import flag, page_size

_MAX_SEARCH: Final = 200  # characters
_MAX_FOUND: Final = 200  # on a page: each is looked up in the store


async def requested_page(request: web.Request, root: Root) -> Page:
    """Return the page of the tree *root*; raises InvalidValue, StoreUnavailable."""
    query = request.query
    directory, after, search = (query.get(name, "") for name in ("directory", "cursor", "search"))
    if directory:
        directory = directory_path(directory, field="directory")
    if not search:
        return await list_page(
            request.app[state.STORE],
            root,
            directory,
            after=after,
            size=page_size(request),
            recursive=flag(request, "recursive"),
            begin=query.get("prefix", ""),
        )
    if len(search) > _MAX_SEARCH:
        raise InvalidValue(f"search has more than {_MAX_SEARCH} characters.", field="search")
    size = min(page_size(request), _MAX_FOUND)
    files, cursor = await request.app[state.NAMES][root].search(search, directory, after=after, size=size)
    return Page(files=files, cursor=cursor)
