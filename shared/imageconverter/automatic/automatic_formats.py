"""The automatic formats: which of them a source is converted to."""

from collections.abc import Iterable, Sequence

from imageconverter.images import directories
from imageconverter.images.image_formats import ImageFormat


class AutomaticFormats:
    """The automatic ones of the image formats."""

    def __init__(self, formats: Iterable[ImageFormat]) -> None:
        """Use those of *formats* that are automatic."""
        self._by_directory: dict[str, list[ImageFormat]] = {}
        for each in formats:
            if each.automatic:
                self._by_directory.setdefault(each.source_directory, []).append(each)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._by_directory)

    @property
    def directories(self) -> list[str]:
        """The source directories, without those that are below others."""
        return sorted(each for each in self._by_directory if not self._above(each))

    @property
    def all(self) -> list[ImageFormat]:
        """The automatic formats."""
        return [each for formats in self._by_directory.values() for each in formats]

    def of_source(self, path: str) -> tuple[ImageFormat, ...]:
        """Return the formats that the source at *path* is converted to."""
        return tuple(each for directory in self._above(path) for each in self._by_directory[directory])

    def followed(self, path: str) -> tuple[ImageFormat, ...]:
        """Return those of its formats whose outputs follow if the source at *path* is deleted."""
        return tuple(each for each in self.of_source(path) if each.follow != "off")

    def follows(self, directory: str) -> bool:
        """Whether the outputs of a format with sources in *directory*, or below it, follow their sources."""
        return any(
            each.follow != "off"
            for below, formats in self._by_directory.items()
            for each in formats
            if below == directory or below.startswith(f"{directory}/")
        )

    def groups(self, paths: Iterable[str]) -> dict[tuple[ImageFormat, ...], list[str]]:
        """Return *paths* by their formats, without those that have none."""
        found: dict[tuple[tuple[str, str], ...], tuple[tuple[ImageFormat, ...], list[str]]] = {}
        by_directory: dict[str, list[str] | None] = {}  # formats are not hashed or compared for each path
        for path in paths:
            directory = path.rpartition("/")[0]
            if directory not in by_directory:
                formats = self.of_source(path)
                places = tuple((each.id, each.target_directory) for each in formats)
                by_directory[directory] = found.setdefault(places, (formats, []))[1] if formats else None
            if (group := by_directory[directory]) is not None:
                group.append(path)
        return dict(found.values())

    def _above(self, path: str) -> Sequence[str]:
        return [each for each in directories.ancestry(path)[:-1] if each in self._by_directory]
