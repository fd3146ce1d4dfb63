"""A refused system call is never taken for a broken file."""

import errno
import io
from collections.abc import Callable

import pytest
from PIL import Image

from imageconverter.engine import Limits, pipeline
from imageconverter.engine.decode import open_image
from imageconverter.engine.decoder_errors import ignore_decoder_errors, raise_refusal
from imageconverter.engine.metadata import read_metadata
from imageconverter.engine.pipeline import convert
from tests.testing import image_files
from tests.testing.image_assertions import target


def refuse(*_arguments: object, **_options: object) -> None:
    """Fail as a system call does that the sandbox refuses."""
    raise OSError(errno.EPERM, "Operation not permitted")


def refuse_wrapped(*_arguments: object, **_options: object) -> None:
    """Fail as a decoder does that reports a refused system call as an error of its own."""
    try:
        refuse()
    except OSError as error:
        raise ValueError("cannot decode") from error


@pytest.fixture(params=[refuse, refuse_wrapped], ids=["as it is", "wrapped"])
def refusal(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Both ways in which a refusal shows."""
    fail: Callable[..., None] = request.param
    return fail


def test_a_refusal_while_the_image_is_opened(monkeypatch: pytest.MonkeyPatch, refusal: Callable[..., None]) -> None:
    """Not a broken file."""
    monkeypatch.setattr(Image, "open", refusal)
    with pytest.raises(PermissionError):
        open_image(io.BytesIO(image_files.jpeg()), Limits())


def test_a_refusal_while_the_pixels_are_decoded(
    monkeypatch: pytest.MonkeyPatch, refusal: Callable[..., None]
) -> None:
    """Not a broken file."""
    image, info = open_image(io.BytesIO(image_files.bmp()), Limits())
    monkeypatch.setattr(image, "load", refusal)
    monkeypatch.setattr(pipeline, "open_image", lambda *_: (image, info))
    with pytest.raises(PermissionError):
        convert(io.BytesIO(image_files.bmp()), [target()])


def test_a_refusal_while_the_orientation_is_read(
    monkeypatch: pytest.MonkeyPatch, refusal: Callable[..., None]
) -> None:
    """Not an image without an orientation."""
    monkeypatch.setattr(Image.Exif, "get", refusal)
    with pytest.raises(PermissionError):
        open_image(io.BytesIO(image_files.jpeg(orientation=6)), Limits())


def test_a_refusal_in_a_later_frame(monkeypatch: pytest.MonkeyPatch, refusal: Callable[..., None]) -> None:
    """Not a broken animation."""
    image, info = open_image(io.BytesIO(image_files.animated_gif()), Limits())
    monkeypatch.setattr(image, "seek", refusal)
    monkeypatch.setattr(pipeline, "open_image", lambda *_: (image, info))
    with pytest.raises(PermissionError):
        convert(io.BytesIO(b""), [target(output="gif")])


def test_a_refusal_while_an_output_is_encoded(monkeypatch: pytest.MonkeyPatch, refusal: Callable[..., None]) -> None:
    """Not an output that cannot be made."""
    data = image_files.jpeg()
    monkeypatch.setattr(Image.Image, "save", refusal)
    with pytest.raises(PermissionError):
        convert(io.BytesIO(data), [target()])


def test_a_refusal_while_metadata_is_read(monkeypatch: pytest.MonkeyPatch, refusal: Callable[..., None]) -> None:
    """Not an image without EXIF."""
    image, info = open_image(io.BytesIO(image_files.jpeg(metadata=True)), Limits())
    monkeypatch.setattr("imageconverter.engine.metadata.reading.ImageFileDirectory_v2", refusal)
    with pytest.raises(PermissionError):
        read_metadata(io.BytesIO(image_files.jpeg(metadata=True)), image, info)


def test_other_errors_are_ignored() -> None:
    """What a broken part of a file raises."""
    with ignore_decoder_errors(MemoryError):
        raise MemoryError
    with ignore_decoder_errors():
        raise ValueError("bad tag") from KeyError("tag")
    raise_refusal(OSError(errno.ENOENT, "No such file or directory"))
