"""Automatic conversion: files of another program, and a scan of unchanged names; long: of a million."""

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import cpu
from bench.servers import running_role, running_servers, settings_of
from bench.simulated import ONE_PIXEL
from bench.unchanged_store import UnchangedStore, directory_of
from imageconverter import keys
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import MEGABYTE, StorageSettings
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject
from services.reporter.automatic_conversion import convert_pending

FILES = 10_000
NAMES = 100_000
NAMES_LONG = 1_000_000
TARGET_SECONDS = 60  # of a scan of a million names
_MAX_SHARE = 0.1
_POLL_SECONDS = 0.2
_FORMAT = """
[[format]]
id = "small"
name = "small"
type = "product"
sourceDirectory = "{source}"
targetDirectory = "small"
automatic = true
follow = "{follow}"
maxWidth = 16
maxHeight = 16
"""


class CountingStore(ObjectStore):
    """A store that counts how often it has listed each source."""

    def __init__(self, settings: StorageSettings) -> None:
        """Start with none."""
        super().__init__(settings)
        self.listed: Counter[str] = Counter()

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """List like any store."""
        async for page in super().list(prefix, after=after):
            if prefix.startswith(keys.SOURCE):
                self.listed.update(each.key for each in page)
            yield page


def main() -> None:
    """Measure and print, with fewer unchanged names."""
    asyncio.run(_measure(NAMES))


def long() -> None:
    """Measure and print."""
    asyncio.run(_measure(NAMES_LONG))


async def _measure(names: int) -> None:
    print(f"\n== automatic: {FILES} files of another program, and a scan of {names} unchanged names")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await _measure_files(folder)
        for follow in ("off", "trash"):
            await _measure_names(folder, names, follow)


async def _measure_files(folder: Path) -> None:
    formats = _formats(folder, "incoming", "trash")
    async with running_servers(store=True) as environment:
        settings = settings_of(environment)
        store = CountingStore(settings.storage)
        async with open_resources(settings, retry_timeout=20) as opened:
            resources = replace(opened, store=store, formats=formats)
            await wait_for_bucket(store)
            async with running_role(["services.cli.main", "worker"], environment):
                while not await resources.queue.live_processes("worker"):  # noqa: ASYNC110 - another process changes it
                    await asyncio.sleep(0.1)
                await bounded(partial(_put, store, number) for number in range(FILES))
                began, before = time.perf_counter(), time.process_time()
                runs = await _scan(resources)
                seconds, used = time.perf_counter() - began, time.process_time() - before
            first = Counter(store.listed.values())
            store.listed.clear()
            before = time.process_time()
            again = await _scan(resources)
            unchanged = time.process_time() - before
            converted = [await resources.runs.status(each) for each in runs]
    outputs = [
        sum(each.outputs.success for each in converted if each),
        sum(sum(each.outputs) for each in converted if each),
    ]
    if outputs != [FILES, FILES] or again or first != Counter({1: FILES}) or len(store.listed) != FILES:
        raise RuntimeError(f"not each file was listed and converted once: {outputs}, {first}")
    print(
        f"{FILES} files: each listed once, converted once, in {len(runs)} runs, {seconds:.0f} s after the scan began"
    )
    print(f"CPU of the reporter per file: {1000 * used / FILES:.3f} ms, unchanged {1000 * unchanged / FILES:.3f} ms")


async def _measure_names(folder: Path, names: int, follow: str) -> None:
    formats = _formats(folder, directory_of(names), follow)
    (image_format,) = formats.current.values()
    store = UnchangedStore(folder, names)
    store.prepare(image_format)
    process, rounds = os.getpid(), []
    async with (
        running_servers(store=False) as environment,
        open_resources(settings_of(environment), retry_timeout=20) as opened,
    ):
        resources = replace(opened, store=store, formats=formats)
        for _ in range(2 if follow == "trash" else 1):  # the first scan learns the names
            cpu.reset_peak_resident()
            before, began, rest = time.process_time(), time.perf_counter(), cpu.peak_resident(process)
            if await _scan(resources):
                raise RuntimeError("an unchanged source was converted")
            grown = (cpu.peak_resident(process) - rest) / MEGABYTE
            rounds.append((time.process_time() - before, time.perf_counter() - began, grown))
    used, seconds, grown = rounds[-1]
    million = 1e6 / names
    print(
        f"follow {follow}: CPU of {names} names {used:.1f} s, {seconds:.1f} s in all; of a million "
        f"{used * million:.0f} s (target {TARGET_SECONDS}); {1000 * used / names:.4f} ms per name; "
        f"the process has grown by {grown:.0f} MiB at most"
    )


def _formats(folder: Path, source: str, follow: str) -> CurrentFormats:
    file = folder / "formats.toml"
    file.write_text(_FORMAT.format(source=source, follow=follow))
    return CurrentFormats(file)


async def _put(store: ObjectStore, number: int) -> None:
    await store.put(f"{keys.SOURCE}incoming/{number // 100:02}/{number:05}.gif", ONE_PIXEL, content_type="image/gif")


async def _scan(resources: Resources) -> set[str]:
    """Scan, and convert what is found; returns the ids of the runs."""
    runs: set[str] = set()
    await resources.scans.request()
    while True:
        await convert_pending(resources, max_share=_MAX_SHARE)
        latest, state = await resources.runs.latest(automatic=True), await resources.pending_sources.state()
        running = latest is not None and await resources.runs.is_running(latest)
        if latest is not None and running:
            runs.add(latest)
        if state == (0, False, None) and not running:
            return runs
        if running:
            await asyncio.sleep(_POLL_SECONDS)
