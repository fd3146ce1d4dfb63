"""Every failure that one module reports to another, as a tree.

    ImageConverterError
    ├── UserError                 the request is invalid: status 4xx, never retried
    │   ├── MalformedBody         400, no code: not JSON, not UTF-8, not an object
    │   ├── MalformedRequest      400, no code: the operation has no code for it
    │   ├── UnknownField          400  unknownDataField
    │   ├── MissingField          400  missing
    │   ├── InvalidFieldFormat    400  invalidFormat: a field of another type
    │   ├── InvalidValue          400  invalidValue
    │   │   └── BrokenLine        an invalid line of a catalog
    │   ├── InvalidFileFormat     400  invalidFileFormat: not a readable image
    │   ├── Unauthorized          401, no code: missing or wrong key, or missing permission
    │   ├── SignatureRefused      403, no code: the signature of a URL is wrong, or the URL has expired
    │   ├── NotFound              404, no code
    │   │   └── SourceMissing     an indexed source that the store does not have
    │   ├── SourceRefused         400, no code: a catalog source that cannot be read
    │   ├── CleanupRefused        409, no code: a clean-up that is not safe now
    │   ├── RequestInProgress     409, no code: the same request, by its idempotency key
    │   ├── IdempotencyKeyReused  422, no code: the idempotency key of another request
    │   ├── TooLarge              413, no code
    │   └── TooManyAttempts       429, no code: too many wrong credentials recently
    │       └── TooManyRequestsInTime  more requests than the setting allows for this client
    ├── Unavailable               503  internalError: a temporary failure, worth a retry
    │   ├── StoreUnavailable      the object store did not respond
    │   │   └── StoreRefused      it refuses all requests of this process
    │   ├── QueueUnavailable      Redis did not respond
    │   ├── BucketNotOwned        another stack owns the bucket
    │   ├── SourceUnavailable     a catalog source did not respond, or only in part
    │   ├── DatabaseFailed        no disk space or memory for the rows of a report
    │   ├── QueueFull             more jobs are waiting than the setting allows
    │   ├── PreviewsFull          the previews take up more space than the setting allows
    │   ├── TooManyRequests       more requests are in progress than the setting allows
    │   ├── NoCatalog             no catalog was imported yet
    │   ├── RunAlreadyRunning     only one run at a time
    │   ├── RunNotStopped         a canceled run still has running jobs
    │   └── ConversionFailed      not done in time
    ├── NotConverted              503  internalError: no output could be made of an image; not temporary
    ├── RunUnreadable             500, no code: a stored run that this release cannot read
    └── ImageError                an image that cannot be converted: a result, not an internal error
        ├── Undecodable           broken
        │   ├── NotAnImage        not of a supported file type
        │   └── Unsupported       of a variant of its file type that is not supported
        ├── ImageTooLarge         over the limit of pixels
        ├── ObjectTooLarge        over the limit of bytes
        └── LimitExceeded         over the limit of time or memory while converting

``code`` is the machine-readable type of the images API ("" if it has none), ``status`` the HTTP status, and
``retry_seconds`` says whether the same request may succeed later. Only the gateway turns them into responses.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal, Self

ErrorCode = Literal[
    "", "missing", "invalidFormat", "unknownDataField", "invalidValue", "invalidFileFormat", "internalError"
]


class ImageConverterError(Exception):
    """The root; ``reason`` is an English sentence for clients."""

    status: ClassVar[int] = 500
    code: ClassVar[ErrorCode] = ""
    retry_seconds: ClassVar[int] = 0
    """After so many seconds the same request may succeed; 0: not before something else is changed."""

    def __init__(self, reason: str, *, field: str = "") -> None:
        """Store the *reason* and, if a field of the request is invalid, the name of that *field*."""
        super().__init__(reason)
        self.reason = reason
        self.field = field


class UserError(ImageConverterError):
    """The request is invalid; a retry changes nothing."""

    status = 400


class MalformedBody(UserError):
    """The request body could not be parsed."""


class MalformedRequest(UserError):
    """A value is not allowed, and the operation has no code for it."""


class UnknownField(UserError):
    """The body contains a field that the operation does not know."""

    code = "unknownDataField"


class MissingField(UserError):
    """A required field or parameter is missing."""

    code = "missing"


class InvalidFieldFormat(UserError):
    """A field has a value of another type."""

    code = "invalidFormat"


class InvalidValue(UserError):
    """A field has a value that is not allowed."""

    code = "invalidValue"


class BrokenLine(InvalidValue):
    """A line of a catalog is invalid; the reason names the line and the place in it."""

    def __init__(self, line: int, place: str, problem: str) -> None:
        """Report a *problem* in *line*, counted from 1, at *place*: "column 7", "images[1]" or ""."""
        super().__init__(f"Line {line}{', ' if place else ''}{place}: {problem}", field=place)
        self.line = line
        self.place = place
        self.problem = problem
        self.others: tuple[BrokenLine, ...] = ()
        """Further invalid lines, a limited number."""

    def followed_by(self, others: Iterable["BrokenLine"]) -> Self:
        """Return this error with further invalid lines."""
        self.others = tuple(others)
        return self


class InvalidFileFormat(UserError):
    """The uploaded file is not an image of a supported file type."""

    code = "invalidFileFormat"


class Unauthorized(UserError):
    """No key, an unknown key, or a key without the permission for the operation."""

    status = 401


class SignatureRefused(UserError):
    """The signature of a URL is wrong, or the URL has expired."""

    status = 403


class NotFound(UserError):
    """The requested object does not exist."""

    status = 404


class SourceMissing(NotFound):
    """The store reports that it does not have the source of a group of previews."""


class CleanupRefused(UserError):
    """A clean-up now could remove files that are in use."""

    status = 409


class RequestInProgress(UserError):
    """The request with the same idempotency key is being carried out."""

    status = 409
    retry_seconds = 1


class IdempotencyKeyReused(UserError):
    """Another request has had the same idempotency key."""

    status = 422


class SourceRefused(UserError):
    """A catalog source cannot be read until its address, its content or a limit is changed."""


class TooLarge(UserError):
    """The body is over the limit."""

    status = 413


class TooManyAttempts(UserError):
    """The client's address has sent too many wrong credentials; it may retry after ``seconds``."""

    status = 429

    def __init__(self, reason: str, *, seconds: int = 1) -> None:
        """Store the *reason*, and the *seconds* after which a retry makes sense."""
        super().__init__(reason)
        self.seconds = seconds


class TooManyRequestsInTime(TooManyAttempts):
    """The client has sent more requests than the setting allows; it may retry after ``seconds``."""


class Unavailable(ImageConverterError):
    """A temporary failure of the service."""

    status = 503
    code = "internalError"
    retry_seconds = 1


class StoreUnavailable(Unavailable):
    """The object store did not respond within the deadline, or refused."""


class StoreRefused(StoreUnavailable):
    """The object store refuses all requests of this process, because of its clock or its credentials."""


class QueueUnavailable(Unavailable):
    """Redis did not respond within the deadline."""


class BucketNotOwned(Unavailable):
    """Another stack owns the bucket, or it is not known which one."""

    retry_seconds = 5


class SourceUnavailable(Unavailable):
    """A catalog source did not respond, stalled, or closed the connection."""


class DatabaseFailed(Unavailable):
    """The rows could not be processed: no disk space, too little memory, or an unreadable file."""

    retry_seconds = 0


class QueueFull(Unavailable):
    """The queue has as many jobs as the setting allows."""


class PreviewsFull(Unavailable):
    """The previews take up more space than the setting allows, until some of them are evicted."""

    retry_seconds = 60


class TooManyRequests(Unavailable):
    """The gateway has as many requests in progress as the setting allows."""


class NoCatalog(Unavailable):
    """There is no catalog to compare the files with."""

    retry_seconds = 0


class RunAlreadyRunning(Unavailable):
    """Another run is running; only one may run at a time."""

    retry_seconds = 10


class RunNotStopped(Unavailable):
    """A run was canceled, but not all of its jobs have ended in time."""

    retry_seconds = 5


class ConversionFailed(Unavailable):
    """The outputs could not be made before the deadline."""


class NotConverted(ImageConverterError):
    """None of the outputs could be made from the image; the same request fails again.

    The status is that of a temporary failure only because the contract has no other; clients are not asked to retry.
    """

    status = 503
    code = "internalError"


class RunUnreadable(ImageConverterError):
    """A stored run cannot be read, for example because a newer release has written it."""


class ImageError(ImageConverterError):
    """An image that cannot be converted. Never retried: it becomes a result with this reason."""


class Undecodable(ImageError):
    """The image is broken."""


class NotAnImage(Undecodable):
    """The file is not of a supported file type."""


class Unsupported(Undecodable):
    """The image is intact, but of a variant of its file type that nothing here decodes."""

    @classmethod
    def variant(cls, name: str) -> Self:
        """Return the error for the variant *name*, as in "12-bit JPEG"."""
        return cls(f"The file is not supported: {name}.")


class ImageTooLarge(ImageError):
    """The image exceeds the limit of pixels or of scans."""


class ObjectTooLarge(ImageError):
    """The file exceeds the limit of bytes."""


class LimitExceeded(ImageError):
    """The conversion exceeded the limit of time or memory."""
