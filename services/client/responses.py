"""The responses of the images API as types, made from its OpenAPI document by `make docs`."""

from typing import Any, Literal, NotRequired, TypedDict, final

TypeId = Literal["categories", "products", "appImages"]


@final
class NotMoved(TypedDict):
    """Why no orphaned output of a format was moved to the trash."""

    formatId: str
    reason: str


@final
class AutomaticScan(TypedDict):
    """What the running scan for automatic runs has found so far, or the last one."""

    running: bool
    requested: bool
    """Whether a scan is to begin."""
    startedAt: str | None
    """Null before the first scan."""
    endedAt: str | None
    """Null before the end of the first scan, and while one is running."""
    sources: int
    """Sources that were listed; below two automatic directories, one within the other, they count once."""
    submitted: int
    """Sources with an output that was missing or not up to date, which were submitted for a run."""
    pending: int
    """Sources that wait for a run now, also those that the API has stored."""
    orphaned: int
    """Outputs whose source is gone, of formats with `follow`, without those in the trash."""
    moved: int
    """Such outputs that the last scan has moved to the trash."""
    trash: list[str]
    """Where they can be restored from, by type of the formats."""
    notMoved: list[NotMoved]
    """Formats whose orphaned outputs it has not moved, because there are too many."""


@final
class InvalidLine(TypedDict):
    """An invalid line of a catalog."""

    line: int
    field: str
    """The field, column or image in the line; empty if it is the whole line."""
    reason: str


@final
class LastImport(TypedDict):
    """The outcome of the last import of a catalog."""

    id: str
    """The id of the 202 response; empty if the catalog was read from a source."""
    failure: str
    """Why the import failed; empty if it succeeded."""
    lines: NotRequired[list[InvalidLine]]
    """The invalid lines, the first ones if there are many; for a day."""


@final
class Catalog(TypedDict):
    """The current catalog of a type, and its last import."""

    version: str
    """Changes with the catalog; empty before the first one."""
    createdAt: str | None
    entries: int
    images: int
    """Names in active entries."""
    bytes: int
    """Size in the object store, compressed, in bytes."""
    lastImport: LastImport


@final
class FormatProblem(TypedDict):
    """Something that is wrong with a formats file."""

    line: NotRequired[int]
    """Omitted if it is not about a line."""
    column: NotRequired[int]
    """Of a syntax error, where it is known."""
    field: NotRequired[str]
    """Omitted if it is not about a field."""
    reason: str
    """What is wrong, and what is allowed."""


@final
class FormatBox(TypedDict):
    """The box of an image format in pixels, and how images fit it."""

    maxWidth: int | None
    """Null if the width is free."""
    maxHeight: int | None
    """Null if the height is free."""
    fit: Literal["contain", "cover", "crop", "pad"]


@final
class FormatDirectories(TypedDict):
    """The directories of an image format."""

    target: str
    """That of its images, below `/content/`."""
    source: str
    """That of its sources for runs with source `format`; empty if it has none."""


@final
class Format(TypedDict):
    """A configured image format."""

    id: str
    """As requests name it."""
    name: str
    type: TypeId
    box: FormatBox
    output: Literal["keep", "auto", "jpeg", "png", "webp", "avif", "gif"]
    """`keep`: the type of the source, if it can be written; `auto`: JPEG, or PNG if something is transparent."""
    variants: NotRequired[list[Literal["avif", "webp"]]]
    """The file types in which its images are stored too, where they are smaller; omitted if there are none."""
    directories: FormatDirectories
    aliases: list[str]
    """Further ids."""
    set: NotRequired[str]
    """The id that stands for this format and others of the same image; omitted if there is none."""
    fingerprint: str
    """Changes with the format."""


@final
class CheckedFormats(TypedDict):
    """What is wrong with a formats file, or its image formats."""

    problems: list[FormatProblem]
    """Up to 100; none if the file can be used."""
    items: list[Format]
    """The image formats, sets by their members; none if there are problems."""
    digest: NotRequired[str]
    """That of the formats; omitted if there are problems."""


@final
class KeptFiles(TypedDict):
    """The unused files that a cleanup does not move, for one reason."""

    reason: Literal["tooNew", "notInAllReports"]
    """`tooNew`: they are newer than the oldest of the reports.

    `notInAllReports`: not all of the reports list them as unused.
    """
    files: int
    bytes: int
    first: list[str]
    """Paths of the first files."""


@final
class Cleanup(TypedDict):
    """What a cleanup has moved to the trash, or a dry run would move."""

    dryRun: bool
    report: int
    """The newest report."""
    since: int
    """The oldest report that lists the files as unused."""
    files: int
    bytes: int
    share: float
    """Share of all files of the report."""
    refused: str
    """Why the cleanup would be refused, or was stopped; or empty."""
    trash: str
    """The id for restoring the files; empty if none was moved."""
    first: list[str]
    """Paths of the first files."""
    kept: list[KeptFiles]
    """The other unused files of the newest report, by the reason for which they are not moved."""


@final
class CleanupAccepted(TypedDict):
    """A cleanup that has not ended yet."""

    dryRun: bool
    trash: str


@final
class FinishedCleanup(TypedDict):
    """A clean-up that has moved files to the trash."""

    type: Literal["products", "categories", "appImages"]
    """The image type."""
    trash: str
    """The id for restoring the files; empty if none was moved."""
    report: int
    """The newest report."""
    since: int
    """The oldest report that lists the files as unused."""
    files: int
    bytes: int
    share: float
    """Share of all files of the report."""
    refused: str
    """Why the clean-up was stopped before its end, or empty."""


@final
class CleanupFinishedEvent(TypedDict):
    """A clean-up has moved files to the trash."""

    type: Literal["cleanup.finished"]
    timestamp: str
    """When it happened."""
    data: FinishedCleanup


@final
class ClearedPreviews(TypedDict):
    """What was removed."""

    keys: int


@final
class ComparedSource(TypedDict):
    """A source with different outcomes."""

    source: str
    """Path of the source in the source tree."""
    before: NotRequired[Literal["success", "warning", "skipped", "error"]]
    """The worst status of its outputs in the run before; omitted if it was not in it."""
    after: NotRequired[Literal["success", "warning", "skipped", "error"]]
    """The worst status of its outputs in the run; omitted if it was not in it."""
    message: NotRequired[str]
    """The error, in the run that has one."""


@final
class ComparedSourcesPage(TypedDict):
    """A page of sources with different outcomes."""

    items: list[ComparedSource]
    total: int
    """The number of all sources with this difference."""
    cursor: NotRequired[str]
    """Omitted on the last page."""


@final
class ConfiguredFormats(TypedDict):
    """The image formats that are in effect, in the order of the formats file."""

    items: list[Format]
    digest: str
    """Changes with each of the formats; the same in all processes that have the same formats."""


@final
class Conversions(TypedDict):
    """The conversions of one kind and queue in a minute; each is of one source to all of its outputs."""

    kind: Literal["image", "preview"]
    queue: Literal["interactive", "expensive", "batch", "scan"]
    success: int
    warning: int
    skipped: int
    """Up to date, or not an image."""
    error: int
    unavailable: int
    """Attempts that an outage has ended."""
    seconds: float
    """How long they took together."""
    bytesIn: int
    bytesOut: int


@final
class ConvertedImage(TypedDict):
    """A converted image."""

    path: str
    """In the target tree."""
    size: int
    """Bytes."""
    modified: str
    etag: str
    """Changes with the image."""
    url: str
    """Without scheme."""


@final
class ConvertedImagesPage(TypedDict):
    """A page of the converted images in a directory."""

    directories: list[str]
    """Paths of the directories below it, on this page; none in a recursive listing."""
    items: list[ConvertedImage]
    cursor: NotRequired[str]
    """For the next page; the last one has none."""


@final
class Counter(TypedDict):
    """Sources or outputs by how they ended."""

    error: int
    skipped: int
    """Not an image, or its output is newer."""
    success: int
    warning: int
    """Converted, with a warning as `message`."""


@final
class CreatedDeadLetter(TypedDict):
    """A job that has used up its attempts or could not be read."""

    id: str
    lane: str
    """The queue of the job."""
    task: str
    """The task; empty if the job could not be read."""
    reason: str
    """Why the job failed."""
    tries: int
    """Number of attempts."""


@final
class DeadLetter(TypedDict):
    """A job that has used up its attempts or could not be read."""

    id: str
    lane: Literal["interactive", "expensive", "batch", "scan"]
    """The queue of the job."""
    task: str
    """The task; empty if the job could not be read."""
    reason: str
    """Why the job failed."""
    tries: int
    """Number of attempts."""
    died: int
    """When the job failed, in Unix seconds."""
    order: Any
    """The payload; null if it could not be read."""


@final
class DeadLetterCreatedEvent(TypedDict):
    """A job has failed for good."""

    type: Literal["dead_letter.created"]
    timestamp: str
    """When it happened."""
    data: CreatedDeadLetter


@final
class DeadLetterList(TypedDict):
    """DeadLetterList."""

    items: list[DeadLetter]


@final
class Deleted(TypedDict):
    """Sources that were deleted."""

    trash: NotRequired[str]
    """The item of the trash by which they can be restored; none if they were deleted permanently."""


@final
class DeletedSource(TypedDict):
    """A source in the trash."""

    item: str
    """Names it in requests.

    What is before the first slash is the deletion, which all sources of a deleted directory have in common.
    """
    path: str
    """Where it was in the source tree."""
    size: int
    """Bytes."""
    deletedAt: str
    deletedAfter: str
    """When it is going to be deleted permanently."""
    thumbnail: str
    """URL of a thumbnail, on this server."""


@final
class Directory(TypedDict):
    """A directory with all below it."""

    name: str
    path: str
    """The path from the root of the tree."""
    subDirectories: list["Directory"]


@final
class DirectoryDeletion(TypedDict):
    """The tree without what was deleted."""

    items: list[Directory]
    trash: NotRequired[str]
    """With `tree=false`: the item of the trash by which the directory can be restored, if it was moved there."""


@final
class DirectoryList(TypedDict):
    """DirectoryList."""

    items: list[Directory]


@final
class DirectoryTotals(TypedDict):
    """The totals of one directory of the target tree."""

    files: int
    bytes: int
    """Size of the files in bytes."""
    missing: int
    unused: int
    unusedBytes: int
    subshops: NotRequired[list[str]]
    """Ids of the subshops that have images there; omitted if there is one subshop."""


@final
class Empty(TypedDict):
    """An object without keys."""


@final
class WebhookCounter(TypedDict):
    """Sources or outputs by how they ended."""

    error: int
    skipped: int
    success: int
    warning: int


@final
class EndedRun(TypedDict):
    """A run that has ended."""

    id: str
    action: str
    """The label of the run."""
    startedBy: str
    """`key NAME` or `user NAME`; empty for a run of an earlier release."""
    status: Literal["finished", "canceled", "error"]
    reason: str
    """Why it failed, or empty."""
    counter: WebhookCounter
    """Finished sources, by the worst status of their outputs; for a canceled run, when it was canceled."""
    formatCounter: WebhookCounter
    """Finished outputs."""
    start: int
    """Unix seconds."""
    end: int
    """Unix seconds."""
    usedFormats: list[str]
    """Ids of the formats of the run."""


@final
class Error(TypedDict):
    """The body of an error response."""

    error: str
    """The name of the status."""
    type: NotRequired[
        Literal["missing", "invalidFormat", "unknownDataField", "invalidValue", "invalidFileFormat", "internalError"]
    ]
    """For programs. Several errors have none."""
    reason: str
    """An English sentence for people."""
    field: NotRequired[str]
    """The invalid field or parameter."""
    lines: NotRequired[list[InvalidLine]]
    """The invalid lines of a catalog, the first ones if there are many."""


@final
class SourceFacts(TypedDict):
    """What is worth knowing of an image before it is loaded."""

    width: int
    """Pixels, as a person sees the image: after its orientation."""
    height: int
    frames: int
    """1 if the image is not animated."""
    alpha: bool
    """Whether anything shines through."""
    dominantColor: str
    """The color that most of the image has."""
    thumbHash: str
    """A ThumbHash of the first frame, in base64."""
    perceptualHash: NotRequired[str]
    """64 bits (pHash), most of which are the same for images that look alike; none if an image has hardly any
    contrast.
    """


@final
class FactsRow(TypedDict):
    """What is known of one source."""

    path: str
    state: Literal["known", "pending", "failed", "missing"]
    """`known`: there are `facts`.

    `pending`: they are not made yet, ask again. `failed`: the file has none. `missing`: there is no such source.
    """
    etag: NotRequired[str]
    """Of the source that the facts are of."""
    facts: NotRequired[SourceFacts]
    reason: NotRequired[str]
    """Why there are none."""


@final
class FactsPage(TypedDict):
    """The facts of several sources."""

    items: list[FactsRow]
    """In the order of the request, or of the listing."""
    cursor: NotRequired[str]
    """For the next page of a directory; the last one has none."""


@final
class Result(TypedDict):
    """One source in one format."""

    duration: int
    """Duration of the conversion, in whole seconds."""
    fileSize: str
    """Size of the output in KB of 1,024 bytes; `0 KB` if there is none."""
    format: str
    """Name of the format."""
    formatId: str
    """Id of the format."""
    message: str
    """`success`, or the warning or error."""
    output: str
    """Path of the output in the target tree; the image is at `/content/<output>`."""
    outputFilename: str
    """The last part of `output`."""
    source: str
    """Path of the source in the source tree."""
    sourceFilename: str
    """The last part of `source`."""
    status: Literal["success", "warning", "skipped", "error"]
    bytes: NotRequired[int]
    """Size of the output; this and the next fields with `details=true` only."""
    width: NotRequired[int]
    """In pixels; 0 if there is no output."""
    height: NotRequired[int]
    seconds: NotRequired[float]
    """Duration of the conversion."""


@final
class FailedSources(TypedDict):
    """Sources that have failed, as they come."""

    items: list[Result]
    """Their outputs with an error."""
    total: int
    """The number of all failed sources so far."""


@final
class FocalPoint(TypedDict):
    """A point of an image as a person sees it, that is after the EXIF orientation."""

    x: float
    """Its share of the width, from the left."""
    y: float
    """Its share of the height, from the top."""


@final
class FormatPlan(TypedDict):
    """What a run would do in one format."""

    id: str
    """Id of the format."""
    name: str
    make: int
    """Outputs that are missing or outdated; some may turn out to be broken."""
    upToDate: int
    """Outputs that would be skipped."""
    notImages: int
    """Files that are not images and would be skipped."""


@final
class FormatTotals(TypedDict):
    """The totals of one format."""

    missing: int
    unused: int
    unusedBytes: int


@final
class PreviewsInMinute(TypedDict):
    """Previews that the ImageConverter API has served."""

    cached: int
    converted: int


@final
class RequestsInMinute(TypedDict):
    """HTTP requests by the status of their responses."""

    success: int
    """Below 400."""
    clientErrors: int
    """4xx."""
    serverErrors: int
    """5xx."""


@final
class Minute(TypedDict):
    """What all processes have done in a minute."""

    at: str
    """When it began."""
    conversions: list[Conversions]
    previews: PreviewsInMinute
    requests: RequestsInMinute


@final
class Hour(TypedDict):
    """The last sixty minutes, the current one last."""

    items: list[Minute]


@final
class ImageUrl(TypedDict):
    """The URL of the images of a format."""

    url: str
    """Without scheme and trailing slash."""


@final
class ImportAccepted(TypedDict):
    """An upload of a catalog whose import has not ended yet."""

    id: str


@final
class Live(TypedDict):
    """That the process is running."""

    status: Literal["live"]


@final
class MissingImage(TypedDict):
    """An image that the catalog references and the target tree does not have."""

    filename: str
    """The name in the catalog."""
    format: str
    """Id of the format."""
    path: str
    """The expected path in the target tree."""
    near: str
    """A file that differs only in case or extension, or empty."""
    products: list[str]
    """Ids of entries that reference it."""
    productCount: int
    """Number of entries that reference it."""


@final
class Orphan(TypedDict):
    """An output whose source is gone."""

    path: str
    """In the target tree."""
    source: str
    """The path that its source had."""
    formatId: str
    bytes: int
    since: str
    """The start of the scan that has found it first."""


@final
class OrphanPage(TypedDict):
    """Orphaned outputs, by their paths."""

    items: list[Orphan]
    total: int
    cursor: NotRequired[str]
    """Where the next page starts; omitted if this is the last one."""


@final
class Totals(TypedDict):
    """The totals of a report."""

    entries: int
    """Entries of the catalog."""
    images: int
    """Names in active entries."""
    files: int
    """Files in the directories of the formats."""
    bytes: int
    """Size of these files in bytes."""
    passedOver: int
    """Ignored objects, which no conversion creates."""
    missing: int
    missingButNear: int
    unused: int
    unusedBytes: int
    """Size of the unused files in bytes."""


@final
class PastReport(TypedDict):
    """A report that is kept, without its rows."""

    id: int
    createdAt: str
    totals: Totals
    unusedRefused: str
    """Why no file is reported as unused; empty if files are."""


@final
class PastReportList(TypedDict):
    """PastReportList."""

    items: list[PastReport]


@final
class PresignedUpload(TypedDict):
    """A request that a client may send to the object store, with the image as its body."""

    method: Literal["PUT"]
    url: str
    """Valid for a body of the announced size only."""
    upload: str
    """For `sources/publish`, after the request."""
    expires: str


@final
class PreviewContext(TypedDict):
    """A context."""

    context: str
    keys: int
    """How many keys have it."""


@final
class PreviewContextList(TypedDict):
    """PreviewContextList."""

    items: list[PreviewContext]


@final
class StoredPreview(TypedDict):
    """A preview."""

    format: str
    """As the ImageConverter API writes it."""
    type: str
    width: int
    height: int
    size: int
    """Bytes."""


@final
class PreviewGroup(TypedDict):
    """The source and the previews of one key."""

    key: str
    contexts: list[str]
    size: int
    """Bytes of the source and the previews."""
    created: str
    idleSeconds: int
    """Since the last access."""
    previews: list[StoredPreview]


@final
class PreviewTotals(TypedDict):
    """All previews."""

    keys: int
    size: int
    """Bytes of all sources and previews."""


@final
class PreviewPage(TypedDict):
    """A page of keys."""

    items: list[PreviewGroup]
    cursor: NotRequired[int]
    """For the next page; the last one has none."""
    totals: PreviewTotals


@final
class Task(TypedDict):
    """A job or a periodic task that runs now."""

    task: str
    queue: NotRequired[Literal["interactive", "expensive", "batch", "scan"]]
    """The queue of a job; omitted for a periodic task."""
    subject: str
    """What a job is about: the key of a source or preview, a run or a type; empty if unknown."""
    since: str


@final
class Sandbox(TypedDict):
    """The sandbox of a worker."""

    missing: str
    """Why system calls are not filtered; empty if they are."""
    processes: int
    converting: int
    """How many of them convert an image now."""


@final
class Process(TypedDict):
    """A process that is running."""

    host: str
    pid: int
    version: str
    """Its release; empty if that does not report it."""
    started: NotRequired[str]
    """Omitted if unknown."""
    formats: str
    """The digest of its image formats; empty if unknown."""
    tasks: list[Task]
    """Those that run longest, up to 32."""
    taskCount: int
    """The number of all that run."""
    sandbox: NotRequired[Sandbox]
    """Of a worker."""


@final
class Progress(TypedDict):
    """Finished sources or outputs, of those known so far."""

    finished: int
    percentage: int
    """Rounded down; 0 if `total` is 0."""
    total: int
    """Increases while the sources are being listed."""


@final
class Published(TypedDict):
    """A source that was uploaded to the object store."""

    path: str
    type: str
    """The file type, by the leading bytes."""


@final
class Queue(TypedDict):
    """A queue."""

    queue: Literal["interactive", "expensive", "batch", "scan"]
    jobs: int
    """Those that wait and those that run."""
    running: int
    """Those that run, among the first 1,000."""
    oldestSeconds: float | None
    """For how long the job waits that has waited longest; null if none waits."""
    refused: int
    """Jobs that were refused because the queue was full, since Redis was empty."""


@final
class Ready(TypedDict):
    """Whether images can be converted, and what is missing."""

    status: Literal["ready", "not ready"]
    redis: Literal["up", "read-only", "down"]
    store: Literal["up", "read-only", "down"]
    workers: int
    """Number of workers that are running."""
    problems: NotRequired[list[str]]
    """What Redis or the object store lack, another owner of the bucket, and processes with other formats; omitted
    if nothing.
    """


@final
class ReadyReport(TypedDict):
    """A report that was made."""

    type: Literal["products", "categories", "appImages"]
    """The image type."""
    id: int
    files: int
    bytes: int
    missing: int
    missingButNear: int
    """Missing images with a file that differs only in case or extension."""
    unused: int
    unusedBytes: int
    unusedRefused: str
    """Why no file is reported as unused; empty if files are."""


@final
class Redis(TypedDict):
    """Redis."""

    state: Literal["up", "read-only", "down"]
    version: str
    """Empty if unknown."""
    usedBytes: int
    """Memory; 0 if unknown."""
    maxBytes: int | None
    """The limit; null if there is none."""


@final
class RefusedItem(TypedDict):
    """An item that was not restored."""

    item: str
    reason: str


@final
class Repair(TypedDict):
    """What a repair converts."""

    report: int
    missing: int
    """Missing images, each in one format or several."""
    converting: int
    """Sources that are being converted."""
    withoutSource: int
    """Images without a source."""
    more: bool
    """Whether there are more than one request converts."""


@final
class UnusedImage(TypedDict):
    """A file that no active entry references."""

    filename: str
    format: str
    """Id of the format; empty if several formats use its directory."""
    path: str
    """Path in the target tree."""
    size: int
    """Bytes."""
    modified: str


@final
class SimilarImage(TypedDict):
    """A source that looks like the others of its group."""

    group: int
    """The number of the group."""
    path: str
    """In the source tree."""
    distance: int
    """Bits of its perceptual hash that differ from those of the first source of the group, which has 0."""
    width: int
    """Pixels, after its orientation."""
    height: int


@final
class SimilarTotals(TypedDict):
    """How many sources look alike."""

    compared: int
    """Sources whose facts are known, and that have enough contrast."""
    groups: int
    images: int
    """Sources in the groups."""


@final
class ReportPage(TypedDict):
    """A page of a report, or that there is no report yet."""

    createdAt: str | None
    id: int
    """Increases from 1."""
    missingImages: list[MissingImage]
    unusedImages: list[UnusedImage]
    totals: NotRequired[Totals]
    formats: NotRequired[dict[str, FormatTotals]]
    """By the id of the format; empty for files that several formats may have created."""
    directories: NotRequired[dict[str, DirectoryTotals]]
    """By path; empty in reports of earlier releases."""
    unusedRefused: NotRequired[str]
    """Why no file is reported as unused; empty if files are."""
    sharedDirectories: NotRequired[list[str]]
    """Directories whose files are not reported as unused, because formats of another type use them too."""
    similarImages: NotRequired[list[SimilarImage]]
    """Group by group; with `only=similar` only."""
    similar: NotRequired[SimilarTotals]
    """Likewise."""
    cursor: NotRequired[str]
    """Omitted on the last page."""


@final
class ReportReadyEvent(TypedDict):
    """A report was made."""

    type: Literal["report.ready"]
    timestamp: str
    """When it happened."""
    data: ReadyReport


@final
class Restore(TypedDict):
    """What was restored from the trash, and what was kept there."""

    files: int
    """Restored files."""
    kept: int
    """Files that remain in the trash."""


@final
class ResultList(TypedDict):
    """ResultList."""

    items: list[Result]


@final
class ResultsPage(TypedDict):
    """A page of the results of a run."""

    items: list[Result]
    cursor: NotRequired[str]
    """Omitted on the last page."""


@final
class Role(TypedDict):
    """The processes of a role."""

    role: Literal["gateway", "worker", "reporter"]
    processes: list[Process]


@final
class Timer(TypedDict):
    """Start, end and duration of a run."""

    duration: int
    """Seconds; for an active run, until now."""
    end: int
    """Unix seconds; 0 while it is active."""
    start: int
    """Unix seconds."""


@final
class Run(TypedDict):
    """A run in the list of runs."""

    id: str
    action: str
    """The label of the run."""
    startedBy: str
    """`key NAME` or `user NAME`; empty for a run of an earlier release."""
    reason: NotRequired[str]
    """Why the run has the status `error`."""
    retryOf: NotRequired[str]
    """The run whose failed sources this one converts."""
    subshopId: NotRequired[str]
    """The subshop whose formats are used; none for a run of an earlier release, and for an automatic one."""
    rate: NotRequired[float]
    """Sources per second in the last seconds; in events of an active run."""
    secondsLeft: NotRequired[int]
    """Seconds until its end at this rate; in events of an active run, once all sources are counted."""
    canceled: bool
    """True unless the run is active, so also for a finished run."""
    counter: Counter
    """Finished sources, by the worst status of their outputs."""
    formatCounter: Counter
    """Finished outputs."""
    progress: Progress
    """Sources."""
    progressFormat: Progress
    """Outputs."""
    running: bool
    status: Literal["ready", "running", "finished", "canceled", "error"]
    """`ready`: there was no run yet. `canceled`: it was canceled before its end. `error`: it failed."""
    timer: Timer
    usedFormats: list[str]
    """Ids of the formats of the run, in the order of the request."""


@final
class RunComparison(TypedDict):
    """How many sources have other outcomes in a run than in one before."""

    run: str
    base: str
    """The run before."""
    same: int
    """Sources that failed in both runs, or in neither."""
    failed: int
    """Sources that failed in the run, but not in the run before."""
    fixed: int
    """Sources that failed in the run before, but not in the run."""
    new: int
    """Sources that only the run has."""
    gone: int
    """Sources that only the run before has."""


@final
class RunFinishedEvent(TypedDict):
    """A run has ended: it is finished, was canceled or has failed."""

    type: Literal["run.finished"]
    timestamp: str
    """When it happened."""
    data: EndedRun


@final
class RunPlan(TypedDict):
    """What a run would do with the sources that were checked."""

    sources: int
    """The sources that were checked."""
    formats: list[FormatPlan]
    """In the order of the request."""
    complete: bool
    """Whether all sources have been checked."""
    cursor: NotRequired[str]
    """For the request that checks the next sources, if there are more."""


@final
class RunState(TypedDict):
    """The status of a run, or that there was none yet."""

    id: NotRequired[str]
    """Of the run; this and the next fields with `details=true` only."""
    action: NotRequired[str]
    """The label of the run."""
    startedBy: NotRequired[str]
    """`key NAME` or `user NAME`; empty for a run of an earlier release."""
    reason: NotRequired[str]
    """Why the run has the status `error`."""
    retryOf: NotRequired[str]
    """The run whose failed sources this one converts."""
    subshopId: NotRequired[str]
    """The subshop whose formats are used; none for a run of an earlier release, and for an automatic one."""
    rate: NotRequired[float]
    """Sources per second in the last seconds; in events of an active run."""
    secondsLeft: NotRequired[int]
    """Seconds until its end at this rate; in events of an active run, once all sources are counted."""
    canceled: bool
    """True unless the run is active, so also for a finished run."""
    counter: Counter
    """Finished sources, by the worst status of their outputs."""
    formatCounter: Counter
    """Finished outputs."""
    progress: Progress
    """Sources."""
    progressFormat: Progress
    """Outputs."""
    running: bool
    status: Literal["ready", "running", "finished", "canceled", "error"]
    """`ready`: there was no run yet. `canceled`: it was canceled before its end. `error`: it failed."""
    timer: Timer
    usedFormats: list[str]
    """Ids of the formats of the run, in the order of the request."""


@final
class RunsPage(TypedDict):
    """Runs, the newest first."""

    items: list[Run]
    cursor: NotRequired[str]
    """For the runs before; the last page has none."""


@final
class Scan(TypedDict):
    """The progress of the running scan, or the outcome of the last one."""

    running: bool
    """Whether a scan is running or waiting for a reporter."""
    type: Literal["", "categories", "products", "appImages"]
    """The type being scanned."""
    files: int
    """Files of this type listed so far."""
    start: int
    """Unix seconds; 0 before the first scan."""
    end: int
    """Unix seconds; 0 while it is active."""
    failure: str
    """Why there is no report of a type, or empty."""


@final
class Schedule(TypedDict):
    """A schedule and its next times."""

    cron: str
    """A cron expression of five fields; empty: only on request."""
    timeZone: str
    """An IANA name; empty: the local time of the reporter."""
    default: str
    """The cron expression of the settings."""
    isDefault: bool
    """Whether the schedule is that of the settings."""
    changedAt: str | None
    changedBy: str
    """The key or user that has changed it last; empty if it is that of the settings."""
    nextTimes: list[str]


@final
class Source(TypedDict):
    """A source image."""

    path: str
    """In the source tree."""
    size: int
    """Bytes."""
    modified: str
    etag: str
    """Changes with the image. That of the object store: the MD5 of an image that was stored by one request."""
    thumbnail: str
    """URL of a thumbnail, on this server."""


@final
class SourceOutput(TypedDict):
    """The output of a source in one image format."""

    formatNodeId: str
    type: TypeId
    state: Literal["upToDate", "outdated", "otherSource", "missing"]
    """`upToDate` if a run would skip it, `otherSource` if it was made of another source of the same name."""
    path: str
    """In the target tree; where it would probably be, if it is missing."""
    url: str
    """Without scheme."""
    size: NotRequired[int]
    """Bytes, if it exists."""
    modified: NotRequired[str]
    width: NotRequired[int]
    """Pixels, if it exists and was not stored by release 0.2.0 or before."""
    height: NotRequired[int]


@final
class SourceInformation(TypedDict):
    """What is known of a source, and of its outputs."""

    path: str
    """In the source tree."""
    size: int
    """Bytes."""
    modified: str
    etag: str
    """Changes with the image. That of the object store: the MD5 of an image that was stored by one request."""
    thumbnail: str
    """URL of a thumbnail, on this server."""
    type: NotRequired[str]
    """The file type, by the leading bytes; none if it is not a supported one."""
    width: NotRequired[int]
    """Pixels as stored, which an orientation may turn, if the header says so."""
    height: NotRequired[int]
    sha256: NotRequired[str]
    """Of the image, in hexadecimal digits, if it was known when the source was stored."""
    facts: NotRequired[SourceFacts]
    """None if the file is no image, or if they could not be made within 5 seconds: then another request may have
    them.
    """
    focalPoint: NotRequired[FocalPoint]
    """If one was set."""
    formats: list[SourceOutput]
    """One for each image format."""


@final
class SourceRestore(TypedDict):
    """The result of restoring items of the trash."""

    restored: int
    """Number of sources."""
    kept: int
    """Number of items that were not restored."""
    refused: list[RefusedItem]
    """The first hundred of these."""


@final
class SourceTrashPage(TypedDict):
    """A page of the sources in the trash."""

    items: list[DeletedSource]
    cursor: NotRequired[str]
    """For the next page; the last one has none."""


@final
class SourcesPage(TypedDict):
    """A page of the sources in a directory."""

    directories: list[str]
    """Paths of the directories below it, on this page; none in a recursive listing."""
    items: list[Source]
    cursor: NotRequired[str]
    """For the next page; the last one has none."""


@final
class SrcsetCandidate(TypedDict):
    """An image of a set."""

    url: str
    """Without scheme."""
    width: int
    """In pixels; that of the format if the image does not exist."""
    exists: bool


@final
class Srcset(TypedDict):
    """The images of one name in all formats of a set."""

    srcset: str
    """For the attribute of `<img>` and `<source>`: the images that exist, each width once; empty without any."""
    candidates: list[SrcsetCandidate]
    """One for each format of the set, from the narrowest to the widest."""


@final
class Staged(TypedDict):
    """A staged upload."""

    path: str
    """The `directory` for a run."""
    size: int
    """Number of images that were added."""


@final
class Store(TypedDict):
    """The object store."""

    state: Literal["up", "read-only", "down"]


@final
class StoredSource(TypedDict):
    """A source that was stored."""

    path: str
    """In the source tree."""
    size: int
    """Bytes."""
    sha256: str
    """Of the image, in hexadecimal digits."""
    type: str
    """The file type, by the leading bytes."""


@final
class StoredSourceList(TypedDict):
    """StoredSourceList."""

    items: list[StoredSource]


@final
class SystemCall(TypedDict):
    """A system call that the sandbox has refused while it converted an image: a fault of the installation."""

    systemCall: str
    count: int


@final
class System(TypedDict):
    """The state of the system. Of processes and jobs nothing is known while Redis is down."""

    at: str
    version: str
    """The release of this gateway."""
    formats: str
    """The digest of this gateway's image formats."""
    problems: list[str]
    """What needs attention, as sentences: what Redis or the store lack, other formats in some processes, …"""
    redis: Redis
    store: Store
    roles: list[Role]
    queues: list[Queue]
    deadLetters: int
    refusedSystemCalls: list[SystemCall]


@final
class TokenHolder(TypedDict):
    """To whom a token was issued."""

    id: str
    """The name of the key or the user."""


@final
class Tokens(TypedDict):
    """The tokens of a login."""

    accessToken: str
    """Valid for 30 minutes, as `Authorization: Bearer …`."""
    refreshToken: str
    """For the next login, valid for a day; can be used once."""


@final
class Trash(TypedDict):
    """The files of one cleanup that are in the trash, or those whose sources a scan has not found any more."""

    trash: str
    type: TypeId
    createdAt: str
    deletedAfter: str
    report: NotRequired[int]
    """The newest report that lists them as unused; omitted if their sources are gone."""
    files: int
    """Number of files that were moved."""
    bytes: int


@final
class TrashList(TypedDict):
    """TrashList."""

    items: list[Trash]


@final
class WebhookDelivery(TypedDict):
    """An event that is sent to an endpoint."""

    id: str
    """The id of the event, sent as `webhook-id`."""
    type: Literal["run.finished", "report.ready", "cleanup.finished", "dead_letter.created"]
    """The type of the event."""
    at: int
    """When it happened, in Unix seconds."""
    status: Literal["waiting", "delivered", "failed"]
    """`failed`: there are no more attempts, unless it is retried."""
    attempts: int
    """Number of attempts."""
    response: int
    """The HTTP status of the last attempt; 0 if there was no response."""
    error: str
    """Why the last attempt failed, or empty."""
    attempted: int
    """When the last attempt ended, in Unix seconds; 0 before the first."""
    next: int
    """When the next attempt is made, in Unix seconds; 0 if there is none, or at once."""


@final
class WebhookEndpoint(TypedDict):
    """An endpoint and its last deliveries."""

    id: str
    origin: str
    """Scheme, host and port of its URL; the rest may be secret."""
    events: list[Literal["run.finished", "report.ready", "cleanup.finished", "dead_letter.created"]]
    """The types of events that it gets."""
    disabled: str
    """Why nothing is sent to it until a reporter is restarted, or empty."""
    waiting: int
    """Number of deliveries that wait."""
    deliveries: list[WebhookDelivery]
    """The next that wait and the last that have ended, up to 100 of each; the newest event first."""


@final
class WebhookEndpointList(TypedDict):
    """WebhookEndpointList."""

    items: list[WebhookEndpoint]
