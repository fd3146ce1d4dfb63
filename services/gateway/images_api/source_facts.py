"""Handler of `images/sources/facts`: what is worth knowing of many sources before they are loaded."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final, Literal, Self

from aiohttp import web
from pydantic import Field

from imageconverter import keys
from imageconverter.engine.facts import Facts
from imageconverter.errors import ConversionFailed, InvalidValue, MissingField, QueueFull
from imageconverter.images.directories import is_file
from imageconverter.images.facts_job import FactsMaker
from imageconverter.images.listing import list_page
from imageconverter.images.names import directory_path
from imageconverter.images.source_facts import StoredFacts
from imageconverter.images.sources import source_path
from imageconverter.jobs import Client
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import StoredObject
from services.gateway import state
from services.gateway.auth.route_permissions import key_name
from services.gateway.http.compression import compressed
from services.gateway.http.connection import has_left
from services.gateway.http.responses import NonEmpty, Positive, ResponseModel, json_response, optional
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import MAX_FACTS, FactsBody

_SECONDS: Final = 20
"""How long a request may make facts."""
_GONE: Final = "There is no such source."
_PENDING: Final = "The facts are not made yet; ask again."


class SourceFacts(ResponseModel):
    """What is worth knowing of an image before it is loaded."""

    width: Positive
    """Pixels, as a person sees the image: after its orientation."""
    height: Positive
    frames: Positive
    """1 if the image is not animated."""
    alpha: bool
    """Whether anything shines through."""
    dominant_color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]
    """The color that most of the image has."""
    thumb_hash: NonEmpty
    """A ThumbHash of the first frame, in base64."""
    perceptual_hash: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = optional()
    """64 bits (pHash), most of which are the same for images that look alike; none if an image has hardly any
    contrast."""

    @classmethod
    def of(cls, facts: Facts) -> Self:
        """Return *facts* as a response."""
        return cls(**{**facts.model_dump(), "perceptual_hash": facts.perceptual_hash or None})


class FactsRow(ResponseModel):
    """What is known of one source."""

    path: NonEmpty
    state: Literal["known", "pending", "failed", "missing"]
    """`known`: there are `facts`. `pending`: they are not made yet, ask again. `failed`: the file has none.
    `missing`: there is no such source."""
    etag: str | None = optional()
    """Of the source that the facts are of."""
    facts: SourceFacts | None = optional()
    reason: NonEmpty | None = optional()
    """Why there are none."""

    @classmethod
    def of(cls, path: str, found: StoredFacts) -> Self:
        """Return the row of the source at *path*."""
        if found.facts is None:
            return cls(path=path, state="failed", etag=found.etag.strip('"'), reason=found.reason)
        return cls(path=path, state="known", etag=found.etag.strip('"'), facts=SourceFacts.of(found.facts))


class FactsPage(ResponseModel):
    """The facts of several sources."""

    items: tuple[FactsRow, ...]
    """In the order of the request, or of the listing."""
    cursor: NonEmpty | None = optional()
    """For the next page of a directory; the last one has none."""


def facts_maker(request: web.Request) -> FactsMaker:
    """Return what gets facts for *request*."""
    app = request.app
    return FactsMaker(app[state.STORE], app[state.QUEUE], app[state.CONVERSION].max_interactive_queue)


def facts_client(request: web.Request) -> Client:
    """Return the client that waits for them."""
    return Client(f"key {key_name(request)}", has_left=lambda: has_left(request))


@compressed
async def several(request: web.Request) -> web.Response:
    """Return the facts of the sources that the body names, or of a page of a directory."""
    body = await read_json(request, FactsBody)
    if len(body.given) > 1:
        raise InvalidValue("Only one of paths and directory can be passed.", field="directory")
    if "directory" in body.given:
        found, cursor = await _listed(request, body)
    else:
        found, cursor = await _named(request, body.paths), ""
    loop = asyncio.get_running_loop()
    until = loop.time() + _SECONDS
    maker, client = facts_maker(request), facts_client(request)

    async def row(path: str, stored: StoredObject | None) -> FactsRow:
        if stored is None:
            return FactsRow(path=path, state="missing", reason=_GONE)
        try:
            left = max(until - loop.time(), 0)
            return FactsRow.of(path, await maker.get(stored, client, seconds=left, background=True))
        except QueueFull as error:
            return FactsRow(path=path, state="pending", reason=error.reason)
        except ConversionFailed:
            return FactsRow(path=path, state="pending", reason=_PENDING)

    rows = await bounded(partial(row, path, stored) for path, stored in found)
    return json_response(FactsPage(items=tuple(rows), cursor=cursor or None))


async def _named(request: web.Request, paths: Sequence[str]) -> list[tuple[str, StoredObject | None]]:
    """Return the sources at *paths*, None where there is none; raises MissingField and InvalidValue."""
    if not paths:
        raise MissingField("paths or directory was not passed.", field="paths")
    if len(paths) > MAX_FACTS:
        raise InvalidValue(f"paths has more than {MAX_FACTS} entries.", field="paths")
    checked = [source_path(each, field="paths") for each in paths]
    found = await bounded(partial(request.app[state.STORE].head, keys.source(each)) for each in checked)
    files = (stored if stored is not None and is_file(stored) else None for stored in found)
    return list(zip(checked, files, strict=True))


async def _listed(request: web.Request, body: FactsBody) -> tuple[list[tuple[str, StoredObject | None]], str]:
    """Return the sources of a page of a directory, and the cursor of the next one; raises InvalidValue."""
    if not 1 <= body.limit <= MAX_FACTS:
        raise InvalidValue(f"limit must be a number from 1 to {MAX_FACTS}.", field="limit")
    page = await list_page(
        request.app[state.STORE],
        "source",
        directory_path(body.directory, field="directory") if body.directory else "",
        after=body.cursor,
        size=body.limit,
        recursive=body.recursive,
    )
    return [(stored.key.removeprefix(keys.SOURCE), stored) for stored in page.files], page.cursor
