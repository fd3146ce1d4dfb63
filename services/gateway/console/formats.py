"""The pages *Formats*: what is configured, with live examples, and a copy of the file to edit."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.images.formats_file import FormatsFileError, formats_text, parse_sent_formats
from imageconverter.images.image_formats import ImageFormat, ImageFormats
from imageconverter.images.listing import list_page
from services.gateway import state
from services.gateway.auth.route_permissions import grant_of
from services.gateway.console.formats_drawing import drawing_of, scale_of
from services.gateway.console.rendering import render
from services.gateway.images_api.image_types import type_id
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import FormatsDraftBody

_SAMPLES: Final = 12
_IN_CARD: Final = frozenset({
    "id", "aliases", "name", "type", "targetDirectory", "sourceDirectory", "maxWidth", "maxHeight", "fit", "output",
})  # fmt: skip


async def page(request: web.Request) -> web.StreamResponse:
    """Return the formats that are in effect, with examples of a source."""
    formats = request.app[state.FORMATS]
    return await render(
        request,
        "formats.html",
        cards=_cards(formats.current),
        digest=formats.current.digest(),
        problems=formats.problems,
        is_default=formats.path is None,
        **await _samples(request),
    )


async def edit(request: web.Request) -> web.StreamResponse:
    """Return an editor with a copy of the formats file; for a text in the body, only what is made of it."""
    may_convert = (grant := grant_of(request)) is not None and grant.may("images.publish")
    if request.method == "POST":
        text = (await read_json(request, FormatsDraftBody)).toml
    else:
        text = await asyncio.to_thread(_text_to_edit, request.app[state.FORMATS].path)
    cards, problems = await _draft(request, text)
    return await render(
        request,
        "formats-edit.html",
        text=text,
        cards=cards,
        problems=problems,
        may_convert=may_convert,
        **(await _samples(request) if request.method != "POST" else {}),
    )


def _text_to_edit(path: Path | None) -> str:
    """Return the text of the formats file; of the defaults, if it cannot be read any more."""
    try:
        return formats_text(path)
    except FormatsFileError:
        return formats_text(None)


async def _draft(request: web.Request, text: str) -> tuple[list[dict[str, Any]], tuple[Any, ...]]:
    """Return the cards of the formats in *text*, or its problems."""
    loop, work = asyncio.get_running_loop(), partial(parse_sent_formats, text)
    try:
        found = await loop.run_in_executor(request.app[state.DECODING], work)
    except FormatsFileError as error:
        return [], error.problems
    return _cards(found), ()


def _cards(formats: ImageFormats) -> list[dict[str, Any]]:
    scale = scale_of([*formats.values()])
    set_ids = {member: set_id for set_id, members in formats.sets.items() for member in members}
    return [_card(each, scale, set_ids) for each in formats.values()]


def _card(each: ImageFormat, scale: float, set_ids: Mapping[str, str]) -> dict[str, Any]:
    options = each.model_dump(by_alias=True, exclude_defaults=True)
    return {
        "format": each,
        "id": each.node_id,
        "short_id": each.id,
        "type": type_id(each.type),
        "set": set_ids.get(each.node_id, "").rpartition(".")[2],
        "drawing": drawing_of(each, scale),
        "options": [f"{name} = {_toml(value)}" for name, value in options.items() if name not in _IN_CARD],
    }


def _toml(value: Any) -> str:
    """Return a value as the formats file has it: TOML and JSON write these alike."""
    return json.dumps(value, ensure_ascii=False)


async def _samples(request: web.Request) -> dict[str, Any]:
    """Return the first sources, of which one can be chosen as the example, and the one that is chosen."""
    try:
        found = await list_page(request.app[state.STORE], "source", "", after="", size=_SAMPLES, recursive=True)
    except StoreUnavailable:
        return {"samples": [], "sample": "", "is_available": False}
    paths = [stored.key.removeprefix(keys.SOURCE) for stored in found.files]
    chosen = request.query.get("path", "").strip("/")
    if chosen and chosen not in paths:
        paths = [chosen, *paths[: _SAMPLES - 1]]
    return {"samples": paths, "sample": chosen or next(iter(paths), ""), "is_available": True}
