"""Every key in the object store and in Redis, and nowhere else.

Object store::

    source/upload/<12 hex>/<name>     uploads, swept after `IMAGECONVERTER_UPLOAD_HOURS`
    source/<path>                     source directories
    facts/<path>                      facts of the source of that path, as JSON, with the ETag that they are of
    target/<path>                     converted images, public under /content/<path>
    variants/<file type>/<path>       the same images in smaller file types
    focal-points/<path>               the focal points of a source, by ETags
    runs/orders/<run>.json            the backup of a run, until it has ended
    runs/ended/<run>.json             the summary of a run that has ended, 30 days
    runs/<run>/results/<n>.<counts>.ndjson
                                      results of a run, from the n-th on; the counts are their number, then the
                                      outputs with status error, skipped, success and warning
    runs/<run>/compared/<base>.json   the comparison of a run with another one before
    runs/<run>/compared/<base>/<difference>-<n>.ndjson
                                      its sources with different outcomes
    previews/<hh>/<h>/group.json      a key of the ImageConverter API: the key, its generation, contexts, creation;
                                      h is the key's SHA-256, hh its first two digits
    previews/<hh>/<h>/<generation>/source, metadata.json, <format>.<extension>
                                      a source, its metadata, its previews; a generation never changes. Empty and
                                      without metadata if the source is one of the source tree
    catalog/<type>/current.json       which version of the catalog is current
    catalog/<type>/<version>/entries-<n>.parquet
                                      its entries; a version never changes
    catalog/<type>/arriving/<id>/<n>  the n-th part of a pending import; the last one ends in -last.<notation>
    reports/<type>/shelf.json         the report index: the reports that are kept, the newest first
    reports/<type>/<folder>/<table>-<n>.ndjson
                                      rows of a report
    trash/manifests/<id>.json         a trash batch: the files of a clean-up, and its time
    trash/files/<id>/<path>           the files that were moved from the target tree
    trash/sources/<n>-<h>/<path>      deleted sources, by deletion; n is smaller for later ones, h is random
    state/dead/<n>-<h>.json           the copy of a dead letter; n is its time, h the SHA-256 of the job's id
    state/epoch                       the copy of `ic:epoch`
    state/schedules/reports.json      the schedule of reports, if it is not that of the settings
    state/schedules/runs.json         likewise that of automatic runs
    state/outputs/<d>/contents.json   the output index of a target directory: the first names of its segments; d is
                                      the SHA-256 of the directory
    state/outputs/<d>/<s>.json        a segment: fingerprints, ETags and runs of outputs, by name; s is the SHA-256 of
                                      its first name
    state/known/<d>/contents.json     the sources that were seen below an automatic directory whose deletions are
                                      followed: the first names of its segments; d is the SHA-256 of the directory
    state/known/<d>/<s>.json          a segment: names of sources; s is the SHA-256 of its first name
    state/owner                       the ownership mark: the id of the stack that owns the bucket
    state/written                     shows that the store can be written

Redis (all below one prefix, so that services can share a Redis)::

    ic:lane:<queue>         sorted set: waiting and running jobs of a queue (arq's queue)
    arq:job:<id>            string: the payload of a job (arq's name), until it is done
    ic:reply:<id>           list: the outcome of a job that a client waits for, 1 hour
    ic:flight:<name>        string: single flight: the job in progress for all clients that request the same
    ic:waiters:<id>         string: the number of clients that wait for that job, until it is done
    ic:waited:<id>          string: a client waits for that job, 15 seconds, renewed meanwhile
    ic:wake:<queue>         list: an entry for each enqueued job, for one idle worker to notice, 5 seconds
    ic:dead                 sorted set: ids of dead letters by time of failure, those of 30 days
    ic:dead:jobs            hash: dead letters as JSON, by id
    ic:epoch                string: a number that grows every minute; smaller than its copy if Redis has lost data
    ic:stack                string: the id of this stack, which is in the ownership mark of its bucket
    ic:clock                hash: a time that goes on when Redis's clock is set, and that clock when it was last read
    ic:ready                string: shows that Redis can be written, 1 minute
    ic:live:<role>          sorted set: live processes by the time of their last heartbeat
    ic:live:<role>:formats  hash: the digests of the image formats of these processes
    ic:live:<role>:reports  hash: what these processes are doing, as JSON
    ic:minute:<minute>      hash: what all processes have counted in a minute since 1970, by name, 75 minutes
    ic:failures:<address>   string: the number of wrong passwords and keys from an address, 5 minutes
    ic:login:<login>        hash: a login: the ids of its refresh tokens, 7 days
    ic:idempotency:<hash>   hash: a request with an idempotency key: its token, then its response, 24 hours
    ic:idempotency:<hash>:lease  string: the gateway that carries it out, 15 seconds, renewed meanwhile
    ic:turn:<task>          string: a periodic task was claimed, until it is due again
    ic:count:refused        hash: the number of refused jobs by queue
    ic:count:refused:calls  hash: the number of system calls that the sandbox refused, by name
    ic:count:done:<what>    hash: the number of items that periodic tasks processed, and their last execution, by task
    ic:scheduled            string: the last time at which the schedule requested a scan, or was changed
    ic:scheduled:runs       string: likewise that of automatic runs
    ic:automatic            hash: the scan for automatic runs: whether it is requested, where it is; last submission
    ic:automatic:pending    sorted set: paths of sources that wait for an automatic run, by submission, up to 10,000
    ic:automatic:submitted  set: versions of sources that a scan has submitted, up to 200,000, 1 day
    ic:automatic:lease      string: token of the reporter that starts automatic runs and scans, 1 minute
    ic:automatic:scan       hash: the running scan, or the last one: what it has found, by name
    ic:automatic:orphans    hash: orphaned outputs that the scans have found as JSON, by path
    ic:scan                 hash: the progress of the running scan, the failures of the last scan and imports
    ic:imported:<id>        string: the outcome of an import, 1 day
    ic:imported:<id>:lines  string: its invalid lines as JSON, 1 day
    ic:runs                 list: ids of the last runs, the newest first
    ic:runs:automatic       list: ids of the last automatic runs, likewise
    ic:run:<run>            hash: a run: its definition, its plan cursor, its counters
    ic:run:<run>:done       bitmap: recorded sources by index
    ic:run:<run>:results    list: results that are not in the store yet
    ic:run:<run>:failed     list: the last 100 results with an error, 1 day
    ic:run:<run>:moving     string: results are being moved to the store, half a minute
    ic:webhook:endpoints    hash: the endpoints of webhooks as JSON, by id
    ic:webhook:events       sorted set: recorded events as JSON, until deliveries are made of them, up to 1,000
    ic:webhook:due:<endpoint>    sorted set: ids of deliveries that wait, by the time of their next attempt
    ic:webhook:log:<endpoint>    sorted set: ids of deliveries that have ended, a hundred of 7 days, by time
    ic:webhook:deliveries:<endpoint>  hash: all of these deliveries as JSON, by id
    ic:webhook:lease:<endpoint>  string: an attempt is being made, 10 seconds longer than it may take
    ic:preview:<id>         hash: a group: generation, creation, bytes, contexts and previews; <id> stands for its key
    ic:previews             sorted set: ids by last access, by `ic:clock`
    ic:previews:bytes       string: bytes of all sources and previews
    ic:previews:context:<context>  set: ids that have a context
    ic:previews:contexts    set: all contexts that some id has
    ic:previews:arriving    sorted set: pending writes: ids by the time at which writing began
    ic:previews:leaving     sorted set: pending deletes: ids by the time of their removal
"""

import re
from hashlib import sha256
from typing import Final

SOURCE: Final = "source/"
FACTS: Final = "facts/"
TARGET: Final = "target/"
VARIANTS: Final = "variants/"
FOCAL_POINTS: Final = "focal-points/"
UPLOADS: Final = "upload"
SIGNED: Final = "_"
"""The name below `/content/` that URLs with a signature begin with; no directory of the target tree may have it."""
PREVIEWS: Final = "previews/"
RUN_RESULTS: Final = "runs/"
CATALOGS: Final = "catalog/"
REPORTS: Final = "reports/"
TRASH: Final = "trash/"
STATE: Final = "state/"

DEAD_LETTER_TIMES: Final = "ic:dead"
DEAD_LETTERS: Final = "ic:dead:jobs"
REFUSED: Final = "ic:count:refused"
REFUSED_SYSTEM_CALLS: Final = "ic:count:refused:calls"
TASK_COUNTS: Final = "ic:count:done:things"
TASK_TIMES: Final = "ic:count:done:at"
SCHEDULED: Final = "ic:scheduled"
RUNS_SCHEDULED: Final = "ic:scheduled:runs"
AUTOMATIC: Final = "ic:automatic"
AUTOMATIC_PENDING: Final = "ic:automatic:pending"
AUTOMATIC_SUBMITTED: Final = "ic:automatic:submitted"
AUTOMATIC_LEASE: Final = "ic:automatic:lease"
AUTOMATIC_SCAN: Final = "ic:automatic:scan"
ORPHANS: Final = "ic:automatic:orphans"
SCAN: Final = "ic:scan"
RUNS: Final = "ic:runs"
AUTOMATIC_RUN_ID: Final = "auto-"
"""What the ids of automatic runs begin with."""
AUTOMATIC_RUNS: Final = "ic:runs:automatic"
EPOCH: Final = "ic:epoch"
EPOCH_COPY: Final = "state/epoch"
OWNER: Final = "state/owner"
REPORT_SCHEDULE: Final = "state/schedules/reports.json"
RUN_SCHEDULE: Final = "state/schedules/runs.json"
STACK: Final = "ic:stack"
WRITE_CHECK: Final = "state/written"
READY: Final = "ic:ready"
CLOCK: Final = "ic:clock"
WEBHOOK_ENDPOINTS: Final = "ic:webhook:endpoints"
WEBHOOK_EVENTS: Final = "ic:webhook:events"
PREVIEW_IDS: Final = "ic:previews"
PREVIEW_BYTES: Final = "ic:previews:bytes"
PREVIEW_CONTEXTS: Final = "ic:previews:contexts"
PREVIEW_PENDING_WRITES: Final = "ic:previews:arriving"
PREVIEW_PENDING_DELETES: Final = "ic:previews:leaving"

_SHA256 = re.compile("[0-9a-f]{64}")
_RAW = b"\0"  # begins an id that is a hash in 32 bytes; no key begins with it
_NOT_IN_NAMES = re.compile("[^A-Za-z0-9.-]")


def source(path: str) -> str:
    """Object key of a source image at *path* in the source tree."""
    return SOURCE + path


def facts(path: str) -> str:
    """Object key of the facts of the source at *path*; these keys have the order of those of sources."""
    return FACTS + path


def target(path: str) -> str:
    """Object key of a converted image at *path* in the target tree."""
    return TARGET + path


def variant(output: str, path: str) -> str:
    """Object key of the variant of type *output* of the converted image at *path*."""
    return f"{VARIANTS}{output}/{path}"


def focal_points(path: str) -> str:
    """Object key of the focal points of the source at *path*."""
    return FOCAL_POINTS + path


def queue(name: str) -> str:
    """Redis key of the jobs of a queue."""
    return f"ic:lane:{name}"


def reply(job_id: str) -> str:
    """Redis key on which a waiting client finds the outcome of its job."""
    return f"ic:reply:{job_id}"


def dedup_key(name: str) -> str:
    """Redis key of the job in progress for all clients that request the same."""
    return f"ic:flight:{name}"


def waiters(job_id: str) -> str:
    """Redis key of the number of clients that wait for a deduplicated job."""
    return f"ic:waiters:{job_id}"


def waited(job_id: str) -> str:
    """Redis key that exists while a client waits for a job."""
    return f"ic:waited:{job_id}"


def wake(name: str) -> str:
    """Redis key of a queue on which idle workers wait for jobs."""
    return f"ic:wake:{name}"


def live(role: str) -> str:
    """Redis key of the live processes of a role."""
    return f"ic:live:{role}"


def live_formats(role: str) -> str:
    """Redis key of the digests of the image formats of a role's live processes."""
    return f"ic:live:{role}:formats"


def live_reports(role: str) -> str:
    """Redis key of what a role's live processes are doing."""
    return f"ic:live:{role}:reports"


def minute(number: str) -> str:
    """Redis key of what was counted in the minute *number* since 1970."""
    return f"ic:minute:{number}"


def failures(address: str) -> str:
    """Redis key of the number of wrong credentials from *address*."""
    return f"ic:failures:{address}"


def login(login_id: str) -> str:
    """Redis key of a login."""
    return f"ic:login:{login_id}"


def idempotent_request(request_hash: str) -> str:
    """Redis key of a request with an idempotency key."""
    return f"ic:idempotency:{request_hash}"


def idempotent_lease(request_hash: str) -> str:
    """Redis key that exists while that request is carried out."""
    return f"ic:idempotency:{request_hash}:lease"


def periodic_claim(task: str) -> str:
    """Redis key that exists until a periodic task is due again."""
    return f"ic:turn:{task}"


def run(run_id: str) -> str:
    """Redis key of a run."""
    return f"ic:run:{run_id}"


def run_backups() -> str:
    """Prefix of the backups of all runs that have not ended."""
    return f"{RUN_RESULTS}orders/"


def run_backup(run_id: str) -> str:
    """Object key of the backup of a run."""
    return f"{run_backups()}{run_id}.json"


def run_summaries() -> str:
    """Prefix of the summaries of runs that have ended."""
    return f"{RUN_RESULTS}ended/"


def run_summary(run_id: str) -> str:
    """Object key of the summary of a run that has ended."""
    return f"{run_summaries()}{run_id}.json"


def run_done(run_id: str) -> str:
    """Redis key of the bitmap of a run's recorded sources."""
    return f"ic:run:{run_id}:done"


def run_results(run_id: str) -> str:
    """Redis key of a run's results that are not in the store yet."""
    return f"ic:run:{run_id}:results"


def run_failed(run_id: str) -> str:
    """Redis key of the last results of a run with an error."""
    return f"ic:run:{run_id}:failed"


def run_moving(run_id: str) -> str:
    """Redis key that exists while results of a run are being moved to the store."""
    return f"ic:run:{run_id}:moving"


def result_parts(run_id: str) -> str:
    """Prefix of the results of a run."""
    return f"{RUN_RESULTS}{run_id}/results/"


def comparison(run_id: str, base_id: str) -> str:
    """Object key of the comparison of a run with the run *base_id* before."""
    return f"{RUN_RESULTS}{run_id}/compared/{base_id}.json"


def comparison_part(run_id: str, base_id: str, difference: str, part: int) -> str:
    """Object key of the *part*-th sources of a comparison with that *difference*."""
    return f"{RUN_RESULTS}{run_id}/compared/{base_id}/{difference}-{part:012}.ndjson"


def run_of(key: str) -> str:
    """Return the id of the run whose results, comparisons or summary the object *key* contains, "" if none."""
    if key.startswith(run_summaries()):
        return key.removeprefix(run_summaries()).removesuffix(".json")
    run_id, _, rest = key.removeprefix(RUN_RESULTS).partition("/")
    return run_id if rest.startswith(("results/", "compared/")) else ""


def result_part(run_id: str, start: int, *counts: int) -> str:
    """Object key of the results of a run from the *start*-th on; the keys sort like the numbers.

    *counts*: the number of results in it, then those of their outputs by status.
    """
    return f"{result_parts(run_id)}{start:012}{''.join(f'.{count}' for count in counts)}.ndjson"


def dead_letter_copies() -> str:
    """Prefix of the copies of the dead letters."""
    return "state/dead/"


def dead_letter_copy(job_id: str, failed_at: int) -> str:
    """Object key of the copy of a dead letter; *failed_at* is in seconds since 1970."""
    return f"{dead_letter_copies()}{failed_at:012}-{sha256(job_id.encode()).hexdigest()}.json"


def output_index(directory: str) -> str:
    """Return the prefix of the output index of a target directory."""
    return f"state/outputs/{sha256(directory.encode()).hexdigest()}/"


def output_index_contents(directory: str) -> str:
    """Object key of the table of contents of the output index of a target directory."""
    return f"{output_index(directory)}contents.json"


def output_index_segment(directory: str, first: str) -> str:
    """Object key of a segment of an output index, by its *first* name."""
    return f"{output_index(directory)}{sha256(first.encode()).hexdigest()}.json"


def known_sources(directory: str) -> str:
    """Return the prefix of the sources that were seen below a source directory."""
    return f"state/known/{sha256(directory.encode()).hexdigest()}/"


def known_sources_contents(directory: str) -> str:
    """Object key of the table of contents of the sources that were seen below a source directory."""
    return f"{known_sources(directory)}contents.json"


def known_sources_segment(directory: str, first: str) -> str:
    """Object key of a segment of these sources, by its *first* name."""
    return f"{known_sources(directory)}{sha256(first.encode()).hexdigest()}.json"


def webhook_due(endpoint: str) -> str:
    """Redis key of the deliveries to an endpoint that wait."""
    return f"ic:webhook:due:{endpoint}"


def webhook_log(endpoint: str) -> str:
    """Redis key of the deliveries to an endpoint that have ended."""
    return f"ic:webhook:log:{endpoint}"


def webhook_deliveries(endpoint: str) -> str:
    """Redis key of all deliveries to an endpoint."""
    return f"ic:webhook:deliveries:{endpoint}"


def webhook_lease(endpoint: str) -> str:
    """Redis key that exists while an attempt at an endpoint is being made."""
    return f"ic:webhook:lease:{endpoint}"


def preview_prefix(key: str) -> str:
    """Prefix of all objects of a preview key. A hash, because a client chooses the key."""
    digest = sha256(key.encode()).hexdigest()
    return f"{PREVIEWS}{digest[:2]}/{digest}/"


def preview_group(key: str) -> str:
    """Object key of the description of a preview key, from which the index is rebuilt."""
    return f"{preview_prefix(key)}group.json"


def preview_generation(key: str, generation: str) -> str:
    """Prefix of the objects of one generation of a preview key."""
    return f"{preview_prefix(key)}{generation}/"


def preview_source(key: str, generation: str) -> str:
    """Object key of the source of a preview key."""
    return f"{preview_generation(key, generation)}source"


def preview_metadata(key: str, generation: str) -> str:
    """Object key of the metadata of the source of a preview key."""
    return f"{preview_generation(key, generation)}metadata.json"


def preview_object(key: str, generation: str, documented: str, extension: str) -> str:
    """Object key of a preview; *documented* is its format, *extension* begins with a dot."""
    return f"{preview_generation(key, generation)}{_NOT_IN_NAMES.sub('_', documented)}{extension}"


def preview_format(name: str) -> str:
    """Return the format of the preview whose object is called *name*, without the extension."""
    kind, _, rest = name.partition("_")
    box, _, quality = rest.rpartition("_")
    return f"{kind}:{box.replace('_', '~')}@{quality}"


def preview_id(key: str) -> bytes:
    """Return the id of a preview key in Redis: half as long as the key if that is a SHA-256, as most are."""
    return _RAW + bytes.fromhex(key) if _SHA256.fullmatch(key) else key.encode()


def preview_key(identity: bytes) -> str:
    """Return the preview key with the id *identity*."""
    return identity[1:].hex() if identity.startswith(_RAW) else identity.decode()


def preview(identity: bytes) -> bytes:
    """Redis key of the group of the preview key with the id *identity*."""
    return b"ic:preview:" + identity


def preview_context(context: str) -> str:
    """Redis key of the ids that have a context."""
    return f"ic:previews:context:{context}"


def catalog(kind: str) -> str:
    """Prefix of all objects of a type's catalogs."""
    return f"{CATALOGS}{kind}/"


def catalog_part(kind: str, version: str, name: str) -> str:
    """Object key of the file *name* of a version."""
    return f"{catalog(kind)}{version}/{name}"


def current_catalog(kind: str) -> str:
    """Object key of the record of the current version."""
    return f"{catalog(kind)}current.json"


def pending_catalogs(kind: str) -> str:
    """Prefix of the pending imports of a type."""
    return f"{catalog(kind)}arriving/"


def pending_catalog(kind: str, pending_id: str) -> str:
    """Prefix of the parts of a pending import."""
    return f"{pending_catalogs(kind)}{pending_id}/"


def import_result(pending_id: str) -> str:
    """Redis key of the outcome of an import."""
    return f"ic:imported:{pending_id}"


def import_lines(pending_id: str) -> str:
    """Redis key of the invalid lines of an import."""
    return f"{import_result(pending_id)}:lines"


def reports(kind: str) -> str:
    """Prefix of all objects of a type's reports."""
    return f"{REPORTS}{kind}/"


def report_index(kind: str) -> str:
    """Object key of the report index of a type."""
    return f"{reports(kind)}shelf.json"


def report_rows(kind: str, folder: str, name: str) -> str:
    """Object key of the file *name* with rows of a report."""
    return f"{reports(kind)}{folder}/{name}"


def trash_manifests() -> str:
    """Prefix of the manifests of all trash batches."""
    return f"{TRASH}manifests/"


def trash_manifest(trash_id: str) -> str:
    """Object key of the manifest of a trash batch."""
    return f"{trash_manifests()}{trash_id}.json"


def all_trash_files() -> str:
    """Prefix of the files of all trash batches."""
    return f"{TRASH}files/"


def trash_files(trash_id: str) -> str:
    """Prefix of the files of a trash batch."""
    return f"{all_trash_files()}{trash_id}/"


def source_trash() -> str:
    """Prefix of all deleted sources."""
    return f"{TRASH}sources/"


def trashed_source(item: str) -> str:
    """Object key of a deleted source; *item* is `<deletion>/<path>`."""
    return source_trash() + item
