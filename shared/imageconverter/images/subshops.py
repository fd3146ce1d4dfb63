"""Subshops: the shops that share an installation, each with its formats, its part of the target tree and its host."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from imageconverter.engine.target import VariantType
from imageconverter.images.image_formats import ImageFormat, ImageFormats


class Subshop(NamedTuple):
    """A shop."""

    id: str
    """"" if the only shop has none."""
    name: str
    formats: ImageFormats
    """Those that its images are converted to; their target directories begin with the prefix."""
    content_host: str = ""
    """Host, and perhaps port and path, at which clients reach its images; "" for those of the default subshop."""
    target_prefix: str = ""
    """The directory of the target tree that has its images only; "" if it shares those of the default subshop."""

    @property
    def host_name(self) -> str:
        """The content host without port and path; "" without a host of its own."""
        return host_name(self.content_host.partition("/")[0])

    @property
    def is_separate(self) -> bool:
        """Whether its images are served at its own host only."""
        return bool(self.target_prefix and self.content_host)


class Subshops(Mapping[str, Subshop]):
    """The subshops by id, the default one first."""

    def __init__(self, subshops: Sequence[Subshop]) -> None:
        """Use *subshops*; the first one is the default, and is not listed if it has no id."""
        self.default = subshops[0]
        self._all = subshops
        self._by_id = {each.id: each for each in subshops if each.id}
        self._by_host = {each.host_name: each for each in subshops if each.host_name}

    def __getitem__(self, subshop_id: str) -> Subshop:
        return self._by_id[subshop_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    @cached_property
    def formats(self) -> tuple[ImageFormat, ...]:
        """The formats of all subshops; those that several subshops share are there once."""
        found = [each for subshop in self._all for each in subshop.formats.values()]
        return tuple({(each.id, each.target_directory): each for each in reversed(found)}.values())[::-1]

    def owners(self, image_format: ImageFormat) -> tuple[str, ...]:
        """Return the ids of the subshops that have their images of *image_format* in its directory."""
        return self._owners[image_format.id, image_format.target_directory]

    @cached_property
    def _owners(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for subshop in self._all:
            for each in subshop.formats.values():
                place = (each.id, each.target_directory)
                found[place] = (*found.get(place, ()), subshop.id)
        return found

    def digest(self) -> str:
        """Return a hash of the formats of all subshops: that of the formats file if they share all of them."""
        formats = self.default.formats
        if all(each.formats is formats for each in self._all):
            return formats.digest()
        text = "".join(f"{each.id} {each.formats.digest()}\n" for each in self._all)
        return hashlib.sha256(text.encode()).hexdigest()

    def configured(self, image_format: ImageFormat) -> ImageFormat | None:
        """Return how *image_format* of any subshop is configured now, of the default one if its directory changed."""
        place = (image_format.id, image_format.target_directory)
        same = next((each for each in self.formats if (each.id, each.target_directory) == place), None)
        return same or self.default.formats.get(image_format.node_id)

    def has_host(self, host: str) -> bool:
        """Whether *host*, as in a Host header, is the content host of a subshop."""
        return host_name(host) in self._by_host

    def at_host(self, host: str) -> Subshop:
        """Return the subshop whose images are served at *host*, as in a Host header; the default one for others."""
        return self._by_host.get(host_name(host), self.default)

    def at_path(self, path: str) -> Subshop:
        """Return the subshop whose prefix *path* in the target tree begins with, else the default one."""
        return next(
            (each for each in self._all if each.target_prefix and f"{path}/".startswith(f"{each.target_prefix}/")),
            self.default,
        )

    def variants_at(self, path: str) -> tuple[VariantType, ...]:
        """Return the variants that an output at *path* of the target tree may have."""
        owner = self.at_path(path)
        sharing = [owner] if owner.target_prefix else [each for each in self._all if not each.target_prefix]
        return next((found for each in sharing if (found := each.formats.variants_at(path))), ())


def host_name(host: str) -> str:
    """Return *host* in lower case, without port and trailing dot.

    >>> host_name("Content.Shop.example.:8443"), host_name("[::1]:80")
    ('content.shop.example', '[::1]')
    """
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower().removesuffix(".")


def same_subshops(formats: ImageFormats, ids: Sequence[str]) -> Subshops:
    """Return subshops that have an id each and share all *formats*; without *ids* there is one that has none."""
    return Subshops([Subshop(each, each, formats) for each in ids or [""]])
