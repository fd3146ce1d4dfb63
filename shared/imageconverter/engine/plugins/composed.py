"""The part that our plugins for animations share: going from frame to frame."""

from abc import abstractmethod
from typing import Any

from PIL import Image, ImageFile


class ComposedImageFile(ImageFile.ImageFile):
    """An animation whose frames are composed one after the other, forward only, when they are loaded."""

    _number = 0
    _composed: Image.Image | None = None

    def tell(self) -> int:
        """Return the number of the current frame, from 0."""
        return self._number

    def seek(self, frame: int) -> None:
        """Go to the next *frame*. Raises EOFError if there is none, OSError if the file is broken there."""
        if frame == self._number:
            return
        if frame != self._number + 1:
            raise ValueError("frames are read one after the other")
        self.load()
        self._advance()
        self._number, self._composed = frame, None

    def load(self) -> Any:
        """Compose the current frame."""
        if self._composed is None:
            self._composed = image = self._compose()
            self.im, self._mode, self._size, self.palette = image.im, image.mode, image.size, image.palette
        return Image.Image.load(self)

    def _warn(self, text: str) -> None:
        """Add *text* to what the client is to know, once."""
        texts = self.info.setdefault("warnings", [])
        if text not in texts:
            texts.append(text)

    @abstractmethod
    def _compose(self) -> Image.Image:
        """Return the whole image at the current frame, which the next one may change."""

    @abstractmethod
    def _advance(self) -> None:
        """Go to the next frame, as `seek` does."""
