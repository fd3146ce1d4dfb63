"""Handler of `images/targets`: the converted images in the target tree."""

from typing import Self

from aiohttp import web

from imageconverter import keys
from imageconverter.storage.store import StoredObject
from services.gateway.http.compression import compressed
from services.gateway.http.responses import Count, NonEmpty, ResponseModel, Timestamp, json_response, optional
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.listing import requested_page
from services.gateway.images_api.subshops import content_url


class ConvertedImage(ResponseModel):
    """A converted image."""

    path: NonEmpty
    """In the target tree."""
    size: Count
    """Bytes."""
    modified: Timestamp
    etag: str
    """Changes with the image."""
    url: NonEmpty
    """Without scheme."""

    @classmethod
    def of(cls, stored: StoredObject, *, url: str) -> Self:
        """Return the response for an object of a listing, which has the public *url*."""
        path = stored.key.removeprefix(keys.TARGET)
        return cls(path=path, size=stored.size, modified=stored.modified, etag=stored.etag.strip('"'), url=url)


class ConvertedImagesPage(ResponseModel):
    """A page of the converted images in a directory."""

    directories: tuple[str, ...]
    """Paths of the directories below it, on this page; none in a recursive listing."""
    items: tuple[ConvertedImage, ...]
    cursor: NonEmpty | None = optional()
    """For the next page; the last one has none."""


@compressed
@revalidated
async def list_converted(request: web.Request) -> web.Response:
    """Return the converted images and directories in `?directory=`, or those below it, or what `?search=` finds."""
    page = await requested_page(request, "target")
    items = tuple(
        ConvertedImage.of(each, url=content_url(request, each.key.removeprefix(keys.TARGET))) for each in page.files
    )
    directories = tuple(page.directories)
    return json_response(ConvertedImagesPage(directories=directories, items=items, cursor=page.cursor or None))
