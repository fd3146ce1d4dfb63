"""Every key in the object store and in Redis, and nowhere else.

Object store::

    source/upload/<12 hex>/<name>     staged uploads, swept after `IMAGECONVERTER_UPLOAD_HOURS`
    source/<path>                     source directories
    target/<path>                     converted pictures, public under /content/<path>
    runs/<run>/results/<n>.ndjson     results of a run, from the n-th on
    previews/<hh>/<h>/group.json      a key of the ImageConverter API: the key, its generation, contexts, creation;
                                      h is the key's SHA-256, hh its first two digits
    previews/<hh>/<h>/<generation>/source, metadata.json, <format>.<extension>
                                      a source, what its header says, its previews; nothing of it ever changes

Redis (all under one prefix, so that a Redis may be shared)::

    ic:lane:<lane>          sorted set: waiting and running jobs of a lane (arq's queue)
    arq:job:<id>            a job's payload (arq's name), 7 days
    ic:reply:<id>           list: the outcome of a job that a client waits for, 1 hour
    ic:flight:<name>        string: the job that is under way for all who ask for the same
    ic:waiters:<id>         string: how many clients wait for that job
    ic:wake:<lane>          list: an entry for each job that came, for one idle worker to notice, 5 seconds
    ic:live:<role>          sorted set: processes that are alive, by the time of their last beat
    ic:turn:<task>          string: a recurring task has had its turn, until the next one is due
    ic:count:refused        hash: refused jobs by lane
    ic:runs                 list: ids of the last runs, the newest first
    ic:run:<run>            hash: a run as it was ordered, how far it is planned, its counters
    ic:run:<run>:done       bitmap: sources that are recorded, by their index
    ic:run:<run>:results    list: results that are not in the store yet
    ic:run:<run>:moving     string: somebody moves results to the store, for half a minute
    ic:preview:<id>         hash: generation, creation, bytes, contexts and previews of a key, which <id> stands for
    ic:previews             sorted set: ids by their last access
    ic:previews:bytes       string: bytes of all sources and previews
    ic:previews:context:<context>  set: ids that a context has asked for
    ic:previews:arriving    sorted set: ids whose objects are being put, by when that began
    ic:previews:leaving     sorted set: ids with objects that are to be deleted, by when they were removed
"""

import re
from hashlib import sha256
from typing import Final

SOURCE: Final = "source/"
TARGET: Final = "target/"
UPLOADS: Final = "upload"
PREVIEWS: Final = "previews/"

REFUSED: Final = "ic:count:refused"
RUNS: Final = "ic:runs"
PREVIEW_IDS: Final = "ic:previews"
PREVIEW_BYTES: Final = "ic:previews:bytes"
PREVIEW_ARRIVING: Final = "ic:previews:arriving"
PREVIEW_LEAVING: Final = "ic:previews:leaving"

_SHA256 = re.compile("[0-9a-f]{64}")
_RAW = b"\0"  # begins an id that is a hash in 32 bytes; no key begins with it
_NOT_IN_NAMES = re.compile("[^A-Za-z0-9.-]")


def source(path: str) -> str:
    """Object key of a source picture at *path* in the source tree."""
    return SOURCE + path


def target(path: str) -> str:
    """Object key of a converted picture at *path* in the target tree."""
    return TARGET + path


def lane(name: str) -> str:
    """Redis key of a lane's queue."""
    return f"ic:lane:{name}"


def reply(job_id: str) -> str:
    """Redis key on which a waiting client finds the outcome of its job."""
    return f"ic:reply:{job_id}"


def flight(name: str) -> str:
    """Redis key of the job that is under way for all who ask for the same."""
    return f"ic:flight:{name}"


def waiters(job_id: str) -> str:
    """Redis key of the number of clients that wait for a flight's job."""
    return f"ic:waiters:{job_id}"


def wake(name: str) -> str:
    """Redis key of a lane on which idle workers wait for jobs."""
    return f"ic:wake:{name}"


def live(role: str) -> str:
    """Redis key of the live processes of a role."""
    return f"ic:live:{role}"


def turn(task: str) -> str:
    """Redis key that exists while a recurring task is not due again."""
    return f"ic:turn:{task}"


def run(run_id: str) -> str:
    """Redis key of a run."""
    return f"ic:run:{run_id}"


def run_done(run_id: str) -> str:
    """Redis key of the bitmap of a run's recorded sources."""
    return f"ic:run:{run_id}:done"


def run_results(run_id: str) -> str:
    """Redis key of a run's results that are not in the store yet."""
    return f"ic:run:{run_id}:results"


def run_moving(run_id: str) -> str:
    """Redis key that exists while somebody moves a run's results to the store."""
    return f"ic:run:{run_id}:moving"


def result_parts(run_id: str) -> str:
    """Prefix of the objects that hold a run's results."""
    return f"runs/{run_id}/results/"


def result_part(run_id: str, start: int) -> str:
    """Object key of the results of a run from the *start*-th on; the keys sort like the numbers."""
    return f"{result_parts(run_id)}{start:012}.ndjson"


def preview_prefix(key: str) -> str:
    """Prefix of all objects of a preview key. A hash, because a client chooses the key."""
    digest = sha256(key.encode()).hexdigest()
    return f"{PREVIEWS}{digest[:2]}/{digest}/"


def preview_group(key: str) -> str:
    """Object key of what is known of a preview key beside its pictures: what the index is rebuilt from."""
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
    """Object key of one preview; *documented* is its format, *extension* begins with a dot."""
    return f"{preview_generation(key, generation)}{_NOT_IN_NAMES.sub('_', documented)}{extension}"


def preview_format(name: str) -> str:
    """Return the format that the object called *name*, without its extension, is a preview of."""
    kind, _, rest = name.partition("_")
    box, _, quality = rest.rpartition("_")
    return f"{kind}:{box.replace('_', '~')}@{quality}"


def preview_id(key: str) -> bytes:
    """Return what stands for a preview key in Redis: where it is a SHA-256, as most are, half as long as the key."""
    return _RAW + bytes.fromhex(key) if _SHA256.fullmatch(key) else key.encode()


def preview_key(identity: bytes) -> str:
    """Return the preview key that the id *identity* stands for."""
    return identity[1:].hex() if identity.startswith(_RAW) else identity.decode()


def preview(identity: bytes) -> bytes:
    """Redis key of what is known of the preview key with the id *identity*."""
    return b"ic:preview:" + identity


def preview_context(context: str) -> str:
    """Redis key of the ids that a context has asked for."""
    return f"ic:previews:context:{context}"
