"""The image formats and subshops that are in effect, while their files may change."""

from collections.abc import Sequence
from pathlib import Path

from imageconverter.images.formats_file import FormatsFileError, load_formats
from imageconverter.images.image_formats import ImageFormats
from imageconverter.images.subshops import Subshops, same_subshops
from imageconverter.images.subshops_file import load_subshops


class CurrentFormats:
    """The image formats of a file, and the subshops of another one, that are read again when their content changes.

    What takes longer than a moment keeps the catalog that it began with: `current` is another one after a change.
    Formats and subshops change together: subshops inherit formats.
    """

    def __init__(
        self, path: Path | None, subshops_path: Path | None = None, subshop_ids: Sequence[str] = ("default",)
    ) -> None:
        """Read the formats file at *path*, or the shipped defaults, and the subshops file if there is one.

        Without one, there are subshops with *subshop_ids*, which share everything. Raises FormatsFileError.
        """
        self.path = path
        """None for the shipped defaults."""
        self._subshops_path = subshops_path
        self._subshop_ids = subshop_ids
        self._judged = self._pending = self._content()
        self.current, self.subshops = self._load()
        """The formats of the default subshop, and all subshops."""
        self.problems: tuple[str, ...] = ()
        """What is wrong with a file, if what was there before its last change is still in effect."""

    def refresh(self, *, at_once: bool = False) -> bool:
        """Read the files if one has changed; returns whether anything was set.

        A broken file only sets `problems`. A change counts when two calls in succession have found the same content,
        because the file may be half written; or *at_once*.
        """
        found = self._content()
        is_settled = at_once or found == self._pending
        self._pending = found
        if found == self._judged or not is_settled:
            return False
        self._judged = found
        try:
            self.current, self.subshops = self._load()
        except FormatsFileError as error:
            of_subshops = error.file == self._subshops_path
            self.problems = tuple(f"{error.file}: {each}" if of_subshops else str(each) for each in error.problems)
        else:
            self.problems = ()
        return True

    def _load(self) -> tuple[ImageFormats, Subshops]:
        formats = load_formats(self.path)
        if self._subshops_path is None:
            return formats, same_subshops(formats, self._subshop_ids)
        return formats, load_subshops(self._subshops_path, formats)

    def _content(self) -> list[bytes | None]:
        """Return the content of each file, None if it cannot be read; of the defaults, which never change, too."""
        return [_content(path) for path in (self.path, self._subshops_path)]


def _content(path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path is not None else None
    except OSError:
        return None
