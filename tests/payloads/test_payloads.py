"""Stored data outlives an upgrade and a downgrade: `0.1.0/` was written by the code of that release."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imageconverter.errors import CleanupRefused
from imageconverter.images.image_formats import ImageFormats
from imageconverter.reports.commands import refusal_reply, run_command
from tests.payloads.samples import FULL, PLAIN, SAMPLES, Sample
from tests.payloads.unknown_fields import FIELD, with_unknown_fields
from tests.payloads.writers import written_payloads

THIS = "0.3.0"
RELEASES = ("0.1.0", "0.2.0", THIS)
_HERE = Path(__file__).parent

# What the models of 0.1.0 require, as its code showed; a list has to be as long as it is here.
REQUIRED_BY_0_1_0 = {
    "run": {"id", "action", "formats", "batches.directory", "batches.formats"}
    | {f"batches.formats.{name}" for name in ("max_width", "max_height", "id", "name", "type", "target_directory")},
    "source_result": {"index", "source", "outputs"},
    "conversion_outcome": {"outputs.status", "outputs.message", "outputs.path"},
    "preview_outcome": {"state"},
    "preview_group": {"key", "generation"},
    "report_index": {f"reports.{name}" for name in ("id", "at", "folder", "catalogue", "formats", "summary")}
    | {
        f"reports.summary.{name}"
        for name in (
            "catalogue", "files", "file_bytes", "passed_over", "missing", "missing_but_near", "unused",
            "unused_bytes", "formats", "unused_refused", "shared_directories",
        )
    },
    "trash_manifest": {"id", "kind", "at", "report", "files", "bytes"},
    "catalog_current": {"version", "entries", "images", "at", "came", "bytes", "parts"},
    "dead_letter": {"lane", "task", "reason", "tries", "body"},
    "job_convert_source": {"a.id", "a.source_key", "a.outputs.target", "a.outputs.directory", "a.outputs.name"}
    | {"a.outputs.target.max_width", "a.outputs.target.max_height"},
    "job_make_previews": {"a.key", "a.generation", "a.formats"},
    "job_scan": {"a.id", "a.shrunken"},
    "job_import_catalogue": {"a.id", "a.kind", "a.notation", "a.arrival"},
    "job_clean_up": {"a.id", "a.kind", "a.dry", "a.share"},
    "job_restore": {"a.id", "a.trash"},
    "job_repair": {"a.id", "a.kind"},
}  # fmt: skip


def _stored(release: str, name: str) -> Any:
    return json.loads((_HERE / release / f"{name}.json").read_text())


def _paths(payload: Any, prefix: str = "") -> Iterator[str]:
    """Return the dotted names of all fields; the items of a list have its name."""
    if isinstance(payload, dict):
        for name, value in payload.items():
            yield prefix + name
            yield from _paths(value, f"{prefix}{name}.")
    elif isinstance(payload, list):
        for each in payload:
            yield from _paths(each, prefix)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("name", "sample"), SAMPLES.items(), ids=SAMPLES)
def test_payload_of_each_release_is_read_with_the_same_values(release: str, name: str, sample: Sample) -> None:
    """Queues, runs and objects survive the upgrade."""
    assert sample.read(_stored(release, name)) == sample.value


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("name", "sample"), SAMPLES.items(), ids=SAMPLES)
def test_unknown_fields_are_ignored_at_every_level(release: str, name: str, sample: Sample) -> None:
    """A newer release may add fields; the one beside it, or after a downgrade, must read on."""
    payload = with_unknown_fields(_stored(release, name))
    for report in payload.get("reports", []):
        for mapping in ("formats", "directories"):  # not objects with fields
            report["summary"].get(mapping, {}).pop(FIELD, None)
    payload.get("previews", {}).pop(FIELD, None)  # likewise

    assert sample.read(payload) == sample.value


async def test_stored_payloads_of_this_release_are_the_fixtures() -> None:
    """A change of what is stored is a change of the newest folder, and of what the release before has to read."""
    written = await written_payloads()

    assert written == {name: _stored(THIS, name) for name in SAMPLES}


@pytest.mark.parametrize(("name", "required"), REQUIRED_BY_0_1_0.items(), ids=REQUIRED_BY_0_1_0)
def test_fields_that_release_0_1_0_requires_are_written(name: str, required: set[str]) -> None:
    """During a rolling upgrade its workers take jobs of this release."""
    assert required <= set(_paths(_stored(THIS, name)))


@pytest.mark.parametrize("name", ["job_plan_run", "job_count_run", "job_convert_run_source"])
def test_jobs_of_runs_are_lists_as_release_0_1_0_unpacks_them(name: str) -> None:
    """Its workers would unpack the names of the fields from an object, and lose the source."""
    assert _stored(THIS, name) == _stored("0.1.0", name)


def test_digest_of_formats_equals_that_of_release_0_1_0() -> None:
    """Of formats with all fields set, and with as few as possible."""
    digest = "b317ff586c3f31cb2a1b4400a7c26c4f1181be6c91cc8b34144d97c5ef1123ef"

    assert ImageFormats([PLAIN, FULL]).digest() == digest


async def test_refusal_of_release_0_1_0_raises_the_same_error() -> None:
    """A reporter of one release replies to a gateway of the other."""

    class Queue:
        async def enqueue(self, *_: Any, **__: Any) -> None: ...

        async def wait(self, *_: Any, seconds: float) -> Any:
            del seconds
            return _stored("0.1.0", "refusal")

    command: Any = SAMPLES["job_clean_up"].value
    queue: Any = Queue()
    with pytest.raises(CleanupRefused, match="not now") as raised:
        await run_command(queue, "clean_up", command, seconds=1)
    assert refusal_reply(raised.value) == _stored("0.1.0", "refusal")
