"""Every key in the object store and in Redis, and nowhere else.

Object store::

    source/upload/<12 hex>/<name>     staged uploads, swept after `IMAGECONVERTER_UPLOAD_HOURS`
    source/<path>                     source directories
    target/<path>                     converted pictures, public under /content/<path>
    runs/<run>/results/<n>.ndjson     results of a run, from the n-th on

Redis (all under one prefix, so that a Redis may be shared)::

    ic:lane:<lane>          sorted set: waiting and running jobs of a lane (arq's queue)
    arq:job:<id>            a job's payload (arq's name), 7 days
    ic:reply:<id>           list: the outcome of a job that a client waits for, 1 hour
    ic:live:<role>          sorted set: processes that are alive, by the time of their last beat
    ic:turn:<task>          string: a recurring task has had its turn, until the next one is due
    ic:count:refused        hash: refused jobs by lane
    ic:runs                 list: ids of the last runs, the newest first
    ic:run:<run>            hash: a run as it was ordered, how far it is planned, its counters
    ic:run:<run>:done       bitmap: sources that are recorded, by their index
    ic:run:<run>:results    list: results that are not in the store yet
    ic:run:<run>:moving     string: somebody moves results to the store, for half a minute
"""

from typing import Final

SOURCE: Final = "source/"
TARGET: Final = "target/"
UPLOADS: Final = "upload"

REFUSED: Final = "ic:count:refused"
RUNS: Final = "ic:runs"


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
