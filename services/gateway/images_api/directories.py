"""Handlers of `images/directories/{typeId}`."""

import json
from functools import partial
from typing import Any

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images import directories, source_trash
from imageconverter.images.directories import Directory, Root
from imageconverter.images.image_formats import ImageType
from imageconverter.images.names import directory_path
from services.gateway import audit, state
from services.gateway.auth.route_permissions import require_types
from services.gateway.http.compression import compressed
from services.gateway.http.responses import (
    Items,
    NonEmpty,
    ResponseModel,
    json_response,
    json_text_response,
    optional,
)
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.image_types import types_of_target_directory
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.parameters import flag
from services.gateway.images_api.request_bodies import DirectoryBody, NewDirectoryBody


class DirectoryResponse(ResponseModel):
    """A directory with all below it."""

    name: NonEmpty
    path: NonEmpty
    """The path from the root of the tree."""
    sub_directories: "tuple[DirectoryResponse, ...]"


class DirectoryDeletion(ResponseModel):
    """The tree without what was deleted."""

    items: tuple[DirectoryResponse, ...]
    trash: NonEmpty | None = optional()
    """With `tree=false`: the item of the trash by which the directory can be restored, if it was moved there."""


_ROOTS: dict[str, Root] = {"source": "source", "target": "target"}


@compressed
@revalidated
async def list_directories(request: web.Request) -> web.Response:
    """Return the whole tree of source or target directories."""
    return await _tree(request, _root(request))


async def create_directory(request: web.Request) -> web.Response:
    """Create a directory and its parents; returns the new tree, unless `?tree=false`."""
    with_tree = flag(request, "tree", default=True)
    root = _root(request)
    body = await read_json(request, NewDirectoryBody)
    if not body.name:
        raise InvalidValue("name is missing or empty.", field="name")
    path = _joined(body.path, body.name)
    audit.describe(request, path=path)
    require_types(request, "images.publish", _types(request, root, path))
    await directories.create(request.app[state.STORE], root, path)
    return await _tree(request, root) if with_tree else json_response(Items[DirectoryResponse](items=()))


async def delete_directory(request: web.Request) -> web.Response:
    """Delete a directory with everything in it; returns the new tree, or what was deleted with `?tree=false`.

    A source directory is moved to the trash, or deleted with `?permanently=true`.
    """
    root, with_tree = _root(request), flag(request, "tree", default=True)
    in_trash = root == "source" and not flag(request, "permanently")
    body = await read_json(request, DirectoryBody)
    path = _joined(body.path, body.name)
    if not path:
        raise InvalidValue("path is missing or empty.", field="path")
    audit.describe(request, path=path)
    require_types(request, "images.delete", _types(request, root, path))
    store = request.app[state.STORE]
    deletion = source_trash.new_deletion() if in_trash else ""
    delete = partial(source_trash.move_all, store, deletion) if in_trash else None
    await directories.remove(store, root, path, delete=delete)
    return (
        await _tree(request, root)
        if with_tree
        else json_response(DirectoryDeletion(items=(), trash=deletion or None))
    )


def _root(request: web.Request) -> Root:
    root = _ROOTS.get(request.match_info["typeId"])
    if root is None:
        raise InvalidValue("The type must be source or target.", field="typeId")
    return root


def _types(request: web.Request, root: Root, path: str) -> frozenset[ImageType]:
    """Return the types whose images a directory holds; none for source directories, which all types share."""
    if root == "source":
        return frozenset()
    # In normal form, as the formats file is: another spelling of a directory must not pass for another directory.
    return types_of_target_directory(directory_path(path), request.app[state.FORMATS].subshops.formats)


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path and name else path or name


async def _tree(request: web.Request, root: Root) -> web.Response:
    found = await directories.tree(request.app[state.STORE], root)
    return json_text_response(json.dumps({"items": [_json(each) for each in found]}))


def _json(directory: Directory) -> dict[str, Any]:
    """Return *directory* as a `DirectoryResponse`; as a dict, because pydantic serializes no more than 250 levels."""
    return {
        "name": directory.name,
        "path": directory.path,
        "subDirectories": [_json(each) for each in directory.children.values()],
    }
