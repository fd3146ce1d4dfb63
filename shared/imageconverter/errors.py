"""Every failure that crosses a module's border, in one tree.

    ImageConverterError
    ├── UserError                 the request is at fault: answered with 4xx, never retried
    │   ├── MalformedBody         400, no code: not JSON, not UTF-8, not an object
    │   ├── MalformedRequest      400, no code: a fault that the operation gives no code
    │   ├── UnknownField          400  unknownDataField
    │   ├── MissingField          400  missing
    │   ├── InvalidFieldFormat    400  invalidFormat: a field of another type
    │   ├── InvalidValue          400  invalidValue
    │   │   └── BrokenLine        a line of a catalog that cannot be used
    │   ├── InvalidFileFormat     400  invalidFileFormat: not an image that can be read
    │   ├── Unauthorized          401, no code: no key, a wrong key or a missing right
    │   ├── NotFound              404, no code
    │   ├── SourceRefused         400, no code: a source of a catalog that cannot be read as it is
    │   ├── CleanupRefused        409, no code: files that must not be taken away now
    │   ├── TooLarge              413, no code
    │   └── TooManyAttempts       429, no code: too many wrong credentials of late
    ├── Unavailable               503  internalError: trouble that may pass, worth another try
    │   ├── StoreUnavailable      the object store did not answer
    │   ├── QueueUnavailable      Redis did not answer
    │   ├── SourceUnavailable     a source of a catalog did not answer, or not to its end
    │   ├── DatabaseFailed        no room or memory for the rows of a report
    │   ├── QueueFull             more is waiting than the setting allows
    │   ├── TooManyRequests       more is being answered than the setting allows
    │   ├── NoCatalog           nobody has told yet what the shop refers to
    │   ├── RunAlreadyRunning     only one run at a time
    │   ├── RunNotStopped         a canceled run still has work in hand
    │   └── ConversionFailed      no output could be made, or not in time
    ├── RunUnreadable             500, no code: a stored run that this release cannot read
    └── ImageError              an image that cannot be converted: a result, not a fault
        ├── Undecodable           broken
        │   └── NotAnImage       not of a supported format
        ├── ImageTooLarge       over the limit of pixels
        ├── ObjectTooLarge        over the limit of bytes
        └── LimitExceeded         over the limit of time or memory while converting

``code`` is the machine-readable type of the images API ("" where its table leaves the cell empty),
``status`` the HTTP status. The gateway alone turns them into answers.
"""

from typing import ClassVar


class ImageConverterError(Exception):
    """The root; ``reason`` is an English sentence that may be shown to a client."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = ""

    def __init__(self, reason: str, *, field: str = "") -> None:
        """Keep the *reason* and, for a fault of the request, the name of its *field*."""
        super().__init__(reason)
        self.reason = reason
        self.field = field


class UserError(ImageConverterError):
    """The request is at fault; sending it again changes nothing."""

    status = 400


class MalformedBody(UserError):  # noqa: N818 - named after what happened; so are all below
    """The request's body could not be loaded."""


class MalformedRequest(UserError):  # noqa: N818
    """A value that is not allowed, in an operation whose table gives it no code."""


class UnknownField(UserError):  # noqa: N818
    """The body holds a field that the operation does not know."""

    code = "unknownDataField"


class MissingField(UserError):  # noqa: N818
    """A field or parameter that the operation needs was not passed."""

    code = "missing"


class InvalidFieldFormat(UserError):  # noqa: N818
    """A field holds a value of another type."""

    code = "invalidFormat"


class InvalidValue(UserError):  # noqa: N818
    """A field holds a value that is not allowed."""

    code = "invalidValue"


class BrokenLine(InvalidValue):
    """A line of a catalog that cannot be used; the reason names the line and the place in it."""

    def __init__(self, line: int, place: str, trouble: str) -> None:
        """Say that in *line*, counted from 1, at *place* ("column 7", "images[1]" or "") is *trouble*."""
        super().__init__(f"Line {line}{', ' if place else ''}{place}: {trouble}", field=place)
        self.line = line
        self.place = place


class InvalidFileFormat(UserError):  # noqa: N818
    """The uploaded file is not an image of a supported format."""

    code = "invalidFileFormat"


class Unauthorized(UserError):  # noqa: N818
    """No key, an unknown key, or a key without the right for the operation."""

    status = 401


class NotFound(UserError):  # noqa: N818
    """What the request names does not exist."""

    status = 404


class CleanupRefused(UserError):  # noqa: N818
    """Taking the unused files away now might take more than anybody wants."""

    status = 409


class SourceRefused(UserError):  # noqa: N818
    """A source of a catalog that cannot be read before its address, its contents or a limit is changed."""


class TooLarge(UserError):  # noqa: N818
    """The body is over the limit."""

    status = 413


class TooManyAttempts(UserError):  # noqa: N818
    """The client's address has presented too many wrong credentials; another chance comes in ``seconds``."""

    status = 429

    def __init__(self, reason: str, *, seconds: int = 1) -> None:
        """Keep the *reason*, and the *seconds* after which it makes sense to try again."""
        super().__init__(reason)
        self.seconds = seconds


class Unavailable(ImageConverterError):  # noqa: N818
    """Trouble on the server's side that may pass."""

    status = 503
    code = "internalError"


class StoreUnavailable(Unavailable):
    """The object store did not answer, or refused, within its deadline."""


class QueueUnavailable(Unavailable):
    """Redis did not answer within its deadline."""


class SourceUnavailable(Unavailable):
    """A source of a catalog did not answer, did not go on, or broke off."""


class DatabaseFailed(Unavailable):
    """The rows could not be worked on: no room in the folder, too little memory, or a file that is not ours."""


class QueueFull(Unavailable):
    """The queue holds as many jobs as its setting allows."""


class TooManyRequests(Unavailable):
    """The gateway is answering as many requests as its setting allows."""


class NoCatalog(Unavailable):
    """There is no catalog to compare the files with."""


class RunAlreadyRunning(Unavailable):
    """A run is running already; there is one at a time."""


class RunNotStopped(Unavailable):
    """A run was canceled, but not all of its work has ended in time."""


class ConversionFailed(Unavailable):
    """None of the outputs could be made, or not before the deadline."""


class RunUnreadable(ImageConverterError):  # noqa: N818
    """A stored run cannot be read, for example because a newer release has written it."""


class ImageError(ImageConverterError):
    """An image that cannot be converted. Never retried: it becomes a result with this reason."""


class Undecodable(ImageError):  # noqa: N818
    """The image is broken."""


class NotAnImage(Undecodable):
    """The file is not of a supported image format."""


class ImageTooLarge(ImageError):  # noqa: N818
    """The image has more pixels than the limit, or is drawn in more scans than may be."""


class ObjectTooLarge(ImageError):  # noqa: N818
    """The file has more bytes than the limit."""


class LimitExceeded(ImageError):  # noqa: N818
    """Converting the image took more time or memory than the limits allow."""
