"""The types of images (product, category, app): their names in paths and permissions, and what belongs to each."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.image_formats import ImageFormat, ImageType


class TypeId(StrEnum):
    """A type of images."""

    CATEGORIES = "categories"
    PRODUCTS = "products"
    APP_IMAGES = "appImages"


TYPE_IDS: Final[dict[str, ImageType]] = {
    TypeId.CATEGORIES: "category",
    TypeId.PRODUCTS: "product",
    TypeId.APP_IMAGES: "app",
}
AREAS: Final[dict[ImageType, str]] = {"category": "categories", "product": "products", "app": "app"}
"""The names of the types in permissions: `images.publish.categories`."""


def image_type(request: web.Request, default: ImageType | None = None) -> ImageType:
    """Return the type in the path, or *default* if the path has none; raises InvalidValue."""
    type_id = request.match_info.get("typeId")
    found = default if type_id is None else TYPE_IDS.get(type_id)
    if found is None:
        raise InvalidValue("The type must be categories, products or appImages.", field="typeId")
    return found


def type_id(image_type: str) -> str:
    """Return the name of *image_type* in paths; "" if it is no type."""
    return next((name for name, each in TYPE_IDS.items() if each == image_type), "")


def types_of_target_directory(path: str, formats: Iterable[ImageFormat]) -> frozenset[ImageType]:
    """Return the types whose formats have their images in the target directory *path*, below it or around it.

    For a directory that no format uses, those of its nearest parent that has any; none if there is no such parent.
    """
    directories = [(each.target_directory.strip("/"), each.type) for each in formats]
    path = path.strip("/")
    while True:
        found = frozenset(kind for directory, kind in directories if _overlap(path, directory))
        if found or not path:
            return found
        path = path.rpartition("/")[0]


def _overlap(one: str, other: str) -> bool:
    """Whether one of the directories is the other, or contains it; "" is the root, which contains all."""
    return not one or not other or f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
