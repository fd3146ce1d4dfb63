"""The image formats that are in effect, while their file may change."""

from pathlib import Path

from imageconverter.images.formats_file import FormatsFileError, load_formats


class CurrentFormats:
    """The image formats of a file that is read again when its content changes.

    What takes longer than a moment keeps the catalog that it began with: `current` is another one after a change.
    """

    def __init__(self, path: Path | None) -> None:
        """Read the file at *path*, or the shipped defaults; raises FormatsFileError."""
        self.path = path
        """None for the shipped defaults."""
        self._judged = self._pending = self._content()
        self.current = load_formats(path)
        self.problems: tuple[str, ...] = ()
        """What is wrong with the file, if the formats before its last change are still in effect."""

    def refresh(self, *, at_once: bool = False) -> bool:
        """Read the file if it has changed; returns whether `current` or `problems` were set.

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
            self.current = load_formats(self.path)
        except FormatsFileError as error:
            self.problems = tuple(map(str, error.problems))
        else:
            self.problems = ()
        return True

    def _content(self) -> bytes | None:
        """Return the content of the file, None if it cannot be read; of the defaults, which never change, too."""
        try:
            return self.path.read_bytes() if self.path is not None else None
        except OSError:
            return None
