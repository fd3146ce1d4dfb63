"""Unchanged sources, found by listings and the output index: never one of which an output is outdated."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.images import directories
from imageconverter.images.conversions import ConversionJob, OutputSpec, made_output, output_specs, up_to_date
from imageconverter.images.image_formats import ImageFormat, ImageFormats
from imageconverter.images.output_index import MadeOutput, OutputIndex
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from imageconverter.runs import Counts, Run, RunRequest, RunStore, create_run, plan_more, read_results
from imageconverter.runs.unchanged import find_unchanged
from imageconverter.storage.store import StoredObject

SOURCES = 40
RUN = "earlier"


@dataclass
class Shop:
    """A source directory, and the image formats to which its sources are converted."""

    resources: Resources
    directory: str
    formats: Sequence[ImageFormat]

    async def put(self, *paths: str, data: bytes = b"source") -> None:
        """Store sources."""
        await asyncio.gather(
            *(
                self.resources.store.put(self.key(path), data + path.encode(), content_type="image/png")
                for path in paths
            )
        )

    def key(self, path: str) -> str:
        """Return the key of a source."""
        return keys.source(f"{self.directory}/{path}")

    async def sources(self) -> list[StoredObject]:
        """Return all sources, as they are listed."""
        pages = directories.files(self.resources.store, "source", self.directory)
        return [stored async for page in pages for stored in page]

    async def convert(
        self, formats: Sequence[ImageFormat] | None = None, watermarks: Mapping[str, str] | None = None
    ) -> list[MadeOutput]:
        """Store an output of each source for each format, with the metadata of a conversion by a run."""
        made = await asyncio.gather(
            *(
                self._convert(each, output_specs(each.key, formats or self.formats, watermarks))
                for each in await self.sources()
            )
        )
        return [each for outputs in made for each in outputs]

    async def _convert(self, source: StoredObject, specs: tuple[OutputSpec, ...]) -> list[MadeOutput]:
        job = ConversionJob(id="", source_key=source.key, outputs=specs, run_id=RUN)
        made = []
        for spec in job.outputs:
            metadata = job.object_metadata(source.etag, spec, (1, 1), "")
            key, data = keys.target(spec.expected_path), f"{spec.directory} of {source.etag}".encode()
            etag = await self.resources.store.put(key, data, content_type="image/png", metadata=metadata)
            made.append(made_output(spec.expected_path, etag, metadata))
        return made

    async def unchanged(self, formats: Sequence[ImageFormat] | None = None, run_id: str = "new") -> set[str]:
        """Return the paths of the sources that are known to be unchanged."""
        found = await find_unchanged(
            await self.sources(), formats or self.formats, self.resources.store, run_id=run_id
        )
        return {key.removeprefix(keys.source(f"{self.directory}/")) for key in found}


NAMES = {f"{number:02}.png" for number in range(SOURCES)}


@pytest.fixture
async def shop(resources: Resources) -> AsyncIterator[Shop]:
    """Forty sources that were converted to two formats, with an output index."""
    directory = f"unchanged {uuid4().hex}"
    formats = [
        ImageFormat(
            id=name, name=name, type="product", target_directory=f"{directory}/{name}", max_width=8, max_height=8
        )
        for name in ("large", "small")
    ]
    shop = Shop(resources, directory, formats)
    await shop.put(*NAMES)
    await OutputIndex(resources.store).add(await shop.convert())
    yield shop
    prefixes = [f"source/{directory}/", f"target/{directory}/"]
    prefixes += [keys.output_index(each.target_directory) for each in formats]
    for prefix in prefixes:
        await resources.store.delete([each.key async for page in resources.store.list(prefix) for each in page])


async def test_sources_with_all_outputs_are_unchanged(shop: Shop) -> None:
    """Their outcomes are those of a job that finds the outputs up to date."""
    found = await find_unchanged(await shop.sources(), shop.formats, shop.resources.store, run_id="new")

    assert await shop.unchanged() == NAMES
    stored = await shop.resources.store.head(keys.target(f"{shop.directory}/small/07.png"))
    assert stored is not None
    assert found[shop.key("07.png")][1] == up_to_date(f"{shop.directory}/small/07.png", stored.size)


async def test_no_source_is_unchanged_when_the_watermark_has_changed(shop: Shop) -> None:
    """Or when it is gone: the worker says so then."""
    store, mark = shop.resources.store, f"{shop.directory} marks/logo.png"
    marked = [each.model_copy(update={"watermark": mark}) for each in shop.formats]
    etag = await store.put(keys.source(mark), b"first", content_type="image/png")
    assert await shop.unchanged(marked) == set()
    await OutputIndex(store).add(await shop.convert(marked, {mark: etag}))
    assert await shop.unchanged(marked) == NAMES
    await store.put(keys.source(mark), b"second", content_type="image/png")
    assert await shop.unchanged(marked) == set()
    await store.delete([keys.source(mark)])
    assert await shop.unchanged(marked) == set()


Change = Callable[[Shop], Awaitable[object]]


async def _replace_source(shop: Shop) -> None:
    await shop.put("07.png", data=b"other")


async def _delete_output(shop: Shop) -> None:
    await shop.resources.store.delete([keys.target(f"{shop.directory}/small/07.png")])


async def _overwrite_output(shop: Shop) -> None:
    await shop.resources.store.put(f"target/{shop.directory}/large/07.png", b"by hand", content_type="image/png")


async def _swap_outputs(shop: Shop) -> None:
    """Another program copies the output of another source."""
    directory = keys.target(f"{shop.directory}/large")
    await shop.resources.store.copy(f"{directory}/08.png", f"{directory}/07.png")


async def _convert_from_elsewhere(shop: Shop) -> None:
    """A source of the same name in another directory."""
    elsewhere = Shop(shop.resources, f"{shop.directory} 2", shop.formats)
    await elsewhere.put("07.png", data=b"other")
    await elsewhere.convert()
    await shop.resources.store.delete([elsewhere.key("07.png")])


@pytest.mark.parametrize(
    "change", [_replace_source, _delete_output, _overwrite_output, _swap_outputs, _convert_from_elsewhere]
)
async def test_a_change_of_the_store_is_seen(shop: Shop, change: Change) -> None:
    """Although the index has not changed: it counts for the objects of its ETags only."""
    await change(shop)
    assert await shop.unchanged() == NAMES - {"07.png"}


async def test_a_changed_image_format_is_seen(shop: Shop) -> None:
    """Until the outputs are made anew."""
    changed = [shop.formats[0], shop.formats[1].model_copy(update={"quality": 50})]
    assert await shop.unchanged(changed) == set()

    await OutputIndex(shop.resources.store).add(await shop.convert(changed))

    assert await shop.unchanged(changed) == NAMES
    assert await shop.unchanged() == set()


async def test_another_engine_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that converts in another way."""
    monkeypatch.setattr("imageconverter.images.conversions.ENGINE_VERSION", "another")
    assert await shop.unchanged() == set()


async def test_restored_outputs_are_up_to_date(shop: Shop) -> None:
    """From the trash they come back as they were."""
    path, trash = keys.target(f"{shop.directory}/small/07.png"), f"source/{shop.directory}/away/07"
    assert await shop.resources.store.copy(path, trash)
    await shop.resources.store.delete([path])
    assert await shop.resources.store.copy(trash, path)
    await shop.resources.store.delete([trash])

    assert await shop.unchanged() == NAMES


async def test_sources_that_the_run_itself_has_converted_are_not_skipped(shop: Shop) -> None:
    """They are planned again if Redis has lost the run; their status says that they were converted."""
    assert await shop.unchanged(run_id=RUN) == set()


async def test_without_the_index_nothing_is_known(shop: Shop) -> None:
    """As of outputs of an earlier release; of one image format, too."""
    prefix = keys.output_index(shop.formats[1].target_directory)
    await shop.resources.store.delete([each.key async for page in shop.resources.store.list(prefix) for each in page])
    assert await shop.unchanged() == set()
    assert await shop.unchanged(shop.formats[:1]) == NAMES


async def test_an_old_index_is_no_reason_to_skip(shop: Shop) -> None:
    """It was restored, but not the outputs, which were made of other sources since."""
    await shop.put("07.png", data=b"other")
    await shop.convert()  # and the index is not written
    assert await shop.unchanged() == NAMES - {"07.png"}


async def test_a_source_of_the_same_name_in_another_directory_is_not_skipped(shop: Shop) -> None:
    """The one that was converted last has the outputs, also if their bytes are the same."""
    await shop.put("below/07.png")
    await shop.resources.store.copy(shop.key("07.png"), shop.key("below/07.png"))
    await OutputIndex(shop.resources.store).add(await shop.convert())

    found = await shop.unchanged()
    assert len(found & {"07.png", "below/07.png"}) <= 1
    assert found >= NAMES - {"07.png"}


async def test_few_sources_are_left_to_jobs(shop: Shop) -> None:
    """A listing of a large directory would cost more."""
    few = (await shop.sources())[:10]
    assert await find_unchanged(few, shop.formats, shop.resources.store, run_id="new") == {}


async def test_many_files_between_the_outputs_are_not_listed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the outputs are looked up one by one."""
    monkeypatch.setattr("imageconverter.storage.store.PAGE_SIZE", 20)
    monkeypatch.setattr("imageconverter.images.listing.PAGE_SIZE", 20)
    assert await shop.unchanged() == NAMES  # over several pages

    between = [
        f"target/{shop.directory}/large/{number:02}.png.{n}" for number in range(20, SOURCES) for n in range(3)
    ]
    store = shop.resources.store
    await asyncio.gather(*(store.put(key, b"x", content_type="image/png") for key in between))
    prefixes: list[str] = []
    list_pages = store.list

    def counted(prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        prefixes.append(prefix)
        return list_pages(prefix, after=after)

    sources = await shop.sources()
    monkeypatch.setattr(store, "list", counted)
    found = await find_unchanged(sources, shop.formats[:1], store, run_id="new")

    assert len(prefixes) == 2  # the second one has five of the outputs
    assert {key.rpartition("/")[2] for key in found} == {f"{number:02}.png" for number in range(25)}


async def _started(shop: Shop) -> Run:
    """Start a run over all sources of *shop*, of which every eighth one has changed."""
    await shop.put(*sorted(NAMES)[::8], data=b"other")
    request = RunRequest(source="directory", directory=shop.directory)
    run = await create_run(shop.resources.store, ImageFormats(shop.formats), request)
    await shop.resources.runs.start(run)
    return run


async def _check_planned(shop: Shop, run: Run) -> None:
    """Check that the unchanged sources are recorded, each once, and the others are enqueued."""
    runs = shop.resources.runs
    status = await runs.status(run.id)
    assert status is not None
    assert (status.sources, status.outputs) == (Counts(skipped=SOURCES * 7 // 8), Counts(skipped=SOURCES * 7 // 4))
    page = await read_results(run.id, runs, shop.resources.store, start=0, limit=1000)
    assert [each.index for each in page.results] == [index for index in range(SOURCES) if index % 8]
    assert [each.source.rpartition("/")[2] for each in page.results] == [f"{r.index:02}.png" for r in page.results]
    waiting = [each.decode() for each in await shop.resources.redis.zrange(keys.queue(QueueName.BATCH), 0, -1)]
    jobs = sorted(int(each.rpartition(":")[2]) for each in waiting if each.count(":") == 1 and "count" not in each)
    assert jobs == list(range(0, SOURCES, 8))
    await runs.cancel(run.id, seconds=5)


@pytest.mark.usefixtures("no_run")
async def test_planners_that_overlap_record_each_source_once(shop: Shop) -> None:
    """Each finds the same sources unchanged."""
    run = await _started(shop)
    await asyncio.gather(*(plan_more(run.id, shop.resources.runs, shop.resources.store) for _ in range(10)))
    await _check_planned(shop, run)


class Killed(BaseException):
    """What a kill -9 looks like from inside."""


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize("is_written", [False, True], ids=["before it", "after it"])
async def test_a_planner_killed_at_a_step_is_resumed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, is_written: bool
) -> None:
    """At the second of its four portions."""
    monkeypatch.setattr("imageconverter.runs.planner._CHUNK_SIZE", SOURCES // 4)
    run = await _started(shop)
    extend, calls = RunStore.extend, 0

    async def killing(runs: RunStore, *args: Any) -> int | None:
        nonlocal calls
        calls += 1
        outstanding = await extend(runs, *args) if calls != 2 or is_written else None
        if calls == 2:
            raise Killed
        return outstanding

    monkeypatch.setattr(RunStore, "extend", killing)
    with pytest.raises(Killed):
        await plan_more(run.id, shop.resources.runs, shop.resources.store)
    await plan_more(run.id, shop.resources.runs, shop.resources.store)
    await _check_planned(shop, run)


@pytest.mark.usefixtures("no_run")
async def test_a_run_of_unchanged_sources_only_ends_with_its_plan(shop: Shop) -> None:
    """And its results are in the store."""
    run = await create_run(
        shop.resources.store, ImageFormats(shop.formats), RunRequest(source="directory", directory=shop.directory)
    )
    await shop.resources.runs.start(run)
    counted: list[int] = []
    await plan_more(run.id, shop.resources.runs, shop.resources.store, on_unchanged=counted.append)

    status = await shop.resources.runs.status(run.id)
    assert status is not None
    assert (status.state, status.sources.skipped, sum(counted)) == ("finished", SOURCES, SOURCES)
    assert await shop.resources.runs.unmoved_results(run.id) == (SOURCES, [])
