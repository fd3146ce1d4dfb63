"""Request bodies of the images API."""

from typing import Annotated, Any
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from imageconverter.runs import RunRequest
from services.gateway.images_api.image_types import TypeId

MAX_ARCHIVE_IMAGES = 50_000
MAX_FACTS = 1000

_NOT_EMPTY: JsonDict = {"minLength": 1}
_BASE64: JsonDict = {"minLength": 1, "contentEncoding": "base64"}


def _some(item: JsonDict) -> JsonDict:
    return {"minItems": 1, "items": {"type": "string", **item}}


# These stop at the first error: pydantic allocates almost a kilobyte for each. The bounds are only documented here:
# the handlers check them, after the errors that come first in the order of the API.
Strings = Annotated[list[str], Field(fail_fast=True)]
FormatIds = Annotated[list[str], Field(fail_fast=True, json_schema_extra={"minItems": 1})]
Name = Annotated[str, Field(json_schema_extra=_NOT_EMPTY)]
Names = Name | Annotated[list[str], Field(fail_fast=True, json_schema_extra=_some(_NOT_EMPTY))]
Texts = (
    Annotated[str, Field(json_schema_extra=_BASE64)]
    | Annotated[list[str], Field(fail_fast=True, json_schema_extra=_some(_BASE64))]
)


class JsonBody(BaseModel):
    """The body of a request; the OpenAPI document contains its schema, with the docstrings of class and fields."""

    model_config = ConfigDict(strict=True, use_attribute_docstrings=True)


class UploadBody(JsonBody):
    """One image, or several in arrays of equal length."""

    model_config = ConfigDict(extra="forbid")

    fileName: Names  # noqa: N815 - the API's own spelling, here and below
    """The name, or several; unique, and without a path."""
    imageData: Texts  # noqa: N815
    """The image, or one for each name: the file in base64 of the standard alphabet, with padding; line breaks are
    allowed."""
    formats: FormatIds
    """Ids of configured formats."""

    @property
    def names(self) -> list[str]:
        """The file names, as a list even for one image."""
        return [self.fileName] if isinstance(self.fileName, str) else self.fileName

    @property
    def texts(self) -> list[str]:
        """The images in base64, as a list even for one image."""
        return [self.imageData] if isinstance(self.imageData, str) else self.imageData


class DirectoryBody(JsonBody):
    """A directory."""

    model_config = ConfigDict(json_schema_extra={"required": ["path"]})

    path: Name = ""
    """The directory, or its parent if `name` is given."""
    name: str = ""
    """The directory's name in `path`."""


class NewDirectoryBody(DirectoryBody):
    """A new directory."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    path: str = ""
    """The parent; if empty, the root of the tree."""
    name: Name = ""
    """The new directory."""


class SingleDeletionBody(JsonBody):
    """Which images of one name to delete."""

    model_config = ConfigDict(extra="forbid")

    formats: FormatIds = []
    """Ids of formats of this type; by default all of them."""

    @property
    def requested_formats(self) -> list[str] | None:
        """The formats in the body; None if the field was not passed."""
        return self.formats if "formats" in self.model_fields_set else None


class DeletionBody(SingleDeletionBody):
    """Which images to delete."""

    fileName: Names  # noqa: N815
    """The name, or several."""

    @property
    def names(self) -> list[str]:
        """The file names, as a list even for one image."""
        return [self.fileName] if isinstance(self.fileName, str) else self.fileName


class StartBody(JsonBody):
    """What a run converts. Unknown fields are ignored."""

    model_config = ConfigDict(json_schema_extra={"required": ["source"]})

    action: str = ""
    """The label of the run, for example `manual`."""
    source: Annotated[str, Field(json_schema_extra={"enum": ["directory", "format", "selection"]})] = ""
    """`directory`: all images in `directory`, in all formats. `format`: for each format the images in its own source
    directory. `selection`: the images of `selection`, in all formats."""
    formatList: Strings = []  # noqa: N815
    """Ids of configured formats; if empty or not given, all of them."""
    directory: str = ""
    """With the source `directory`: a directory of the source tree, or the `path` of an upload."""
    selection: Annotated[Strings, Field(json_schema_extra={"maxItems": 1000})] = []
    """With the source `selection`: paths of sources and of source directories."""
    subshopId: Name = ""  # noqa: N815
    """The subshop whose formats these are; by default the default one."""

    @property
    def requested_subshop(self) -> str | None:
        """The subshop in the body; None if the field was not passed."""
        return self.subshopId if "subshopId" in self.model_fields_set else None

    def request(self, *, run_id: str, subshop: str, started_by: str) -> RunRequest:
        """Return the request of a run, "" for a new id, that *started_by*, a key or user, has sent for *subshop*."""
        return RunRequest(
            action=self.action,
            source=self.source,
            formats=tuple(self.formatList),
            directory=self.directory,
            selection=tuple(self.selection),
            subshop=subshop,
            started_by=started_by,
            id=run_id,
        )


class StoreEventBody(JsonBody):
    """What an object store says of a change, in the shape of SeaweedFS or MinIO. Unknown fields are ignored."""

    key: str = ""
    """SeaweedFS: the path of the file, as `/buckets/images/source/products/a.jpg`."""
    Records: Annotated[list[dict[str, Any]], Field(json_schema_extra={"maxItems": 1000})] = []
    """MinIO: the events, each with the key of an object in `s3.object.key`, quoted as in URLs."""

    @property
    def object_keys(self) -> list[str]:
        """The keys of the objects."""
        _, _, key = self.key.removeprefix("/buckets/").partition("/")
        return [key, *map(_object_key, self.Records)]


class PlanBody(StartBody):
    """What a run would convert. Unknown fields are ignored."""

    cursor: str = ""
    """The `cursor` of the previous response."""


class RetryRunBody(JsonBody):
    """Which run to retry."""

    model_config = ConfigDict(extra="forbid")

    run: Name
    """The id of a run that has ended."""
    action: str = ""
    """The label of the new run; by default that of the run."""


class CompareRunsBody(JsonBody):
    """Which runs to compare."""

    model_config = ConfigDict(extra="forbid")

    run: Name
    """The id of a run that has ended."""
    base: Name
    """The id of the run before, which has ended too."""


class LoginBody(JsonBody):
    """A key, or user and password, or a refresh token."""

    model_config = ConfigDict(extra="forbid")

    apiKey: str | None = None  # noqa: N815
    email: str | None = None
    password: str | None = None
    refreshToken: str | None = None  # noqa: N815


class LogoutBody(JsonBody):
    """The login to end."""

    model_config = ConfigDict(extra="forbid")

    refreshToken: str = ""  # noqa: N815
    """By default that of the cookie."""


class ScanBody(JsonBody):
    """Options of a scan for automatic runs."""

    model_config = ConfigDict(extra="forbid")

    share: float = 0
    """The share of the images of a format that this scan may move to the trash because their source is gone, if the
    settings allow less; 1 allows all, also those of a directory without any sources."""


class ReportBody(JsonBody):
    """Options of a scan. Unknown fields are ignored."""

    shrunken: list[TypeId] = []
    """Types whose files are reported as unused although their catalog has lost more than half of its entries."""


class ScheduleBody(JsonBody):
    """When reports are made."""

    model_config = ConfigDict(extra="forbid")

    cron: str
    """A cron expression of five fields; empty: only on request."""
    timeZone: str = ""  # noqa: N815
    """The IANA name of a time zone, such as `Europe/Berlin`; by default the local time of the reporter."""


class RestoreBody(JsonBody):
    """The files to restore."""

    model_config = ConfigDict(extra="forbid")

    trash: Name
    """The id of the cleanup."""


class MoveBody(JsonBody):
    """Where a source is, and where it is moved or copied to."""

    model_config = ConfigDict(extra="forbid")

    from_: Name = Field(alias="from")
    """The path of the source."""
    to: Name
    """The path of the destination."""
    overwrite: bool = False
    """Whether a source at the destination is replaced."""


class FactsBody(JsonBody):
    """The sources whose facts are wanted: `paths`, or `directory`."""

    model_config = ConfigDict(extra="forbid")

    paths: Annotated[Strings, Field(json_schema_extra={"minItems": 1, "maxItems": MAX_FACTS})] = []
    """Paths of sources."""
    directory: str = ""
    """A directory of the source tree; empty: its root."""
    recursive: bool = False
    """Whether the sources in all directories below it are wanted too."""
    cursor: str = ""
    """The `cursor` of the page before."""
    limit: Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": MAX_FACTS})] = 200
    """The maximum number of names on a page; directories, of which there are no facts, count too."""

    @property
    def given(self) -> set[str]:
        """Which of `paths` and `directory` were passed."""
        return self.model_fields_set & {"paths", "directory"}


class FocalPointBody(JsonBody):
    """A point of an image as a person sees it, that is after the EXIF orientation."""

    model_config = ConfigDict(extra="forbid")

    x: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    """Its share of the width, from the left."""
    y: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    """Its share of the height, from the top."""


class SourceRestoreBody(JsonBody):
    """What to restore from the trash of sources."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[Strings, Field(json_schema_extra={"minItems": 1, "maxItems": 1000})]
    """Items of the trash; without a path, all of a deletion."""
    overwrite: bool = False
    """Whether sources that have these paths by now are replaced."""


class ArchiveBody(JsonBody):
    """The images of an archive."""

    model_config = ConfigDict(extra="forbid")

    paths: Annotated[Strings, Field(json_schema_extra={"minItems": 1, "maxItems": MAX_ARCHIVE_IMAGES})]
    """Paths in the target tree, as the `output` of results."""


class PresignBody(JsonBody):
    """A source that a client wants to upload to the object store."""

    model_config = ConfigDict(extra="forbid")

    path: Name
    """The path that it will have."""
    size: Annotated[int, Field(ge=1)]
    """Bytes."""


class PublishBody(JsonBody):
    """An image that was uploaded to the object store."""

    model_config = ConfigDict(extra="forbid")

    path: Name
    """The path that it gets."""
    upload: Name
    """The `upload` of the presigned request."""


class FormatsDraftBody(JsonBody):
    """A formats file that is being written."""

    model_config = ConfigDict(extra="forbid")

    toml: str
    """Its text, up to 64 KiB with lines of up to 1,000 characters."""


class ExampleBody(FormatsDraftBody):
    """An image format of such a file, and a source to convert."""

    format: Name
    """The id of the image format."""
    path: Name
    """The path of the source."""


class EmptyBody(JsonBody):
    """An object without fields; unknown ones are ignored."""


def _object_key(record: dict[str, Any]) -> str:
    try:
        key = record["s3"]["object"]["key"]
    except (KeyError, TypeError):
        return ""
    return unquote_plus(key) if isinstance(key, str) else ""
