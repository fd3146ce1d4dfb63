"""What `imageconverter doctor` checks."""

import asyncio
import platform
import shutil
import time
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from imageconverter.engine import Converted, OutputType, Target
from imageconverter.errors import ImageError, StoreUnavailable
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.invalid_configuration import InvalidConfiguration
from imageconverter.jobs import JobQueue, open_redis
from imageconverter.settings import Settings, load_settings, unknown_variables
from imageconverter.storage.store import ObjectStore
from services.cli.connection import server_url
from services.client import ApiError, AsyncClient
from services.runtime.logs import set_up_logging
from services.runtime.requirements import unmet_by_redis, unmet_by_store
from services.stack.formats_file import formats_file, subshops_file
from services.stack.running import beside_up
from services.worker.sandbox import seccomp
from services.worker.sandbox.pool import SandboxPool

_CONNECT_SECONDS: Final = 3.0
_MAX_SKEW_SECONDS: Final = 2.0  # headers have times in seconds
_MIN_FREE_BYTES: Final = 2 * 1024**3
_NETPBM: Final = b"P6 8 8 255\n" + bytes(range(192))  # a small image that any decoder reads


class Finding(NamedTuple):
    """The result of a check."""

    state: Literal["ok", "warning", "error"]
    subject: str
    text: str
    advice: str = ""


async def all_findings() -> list[Finding]:
    """Check everything; what depends on invalid settings is left out."""
    found = [Finding("ok", "platform", f"Python {platform.python_version()}, {platform.platform(terse=True)}")]
    found += [
        Finding("warning", "settings", f"{name} is not a setting", "Correct its name; docs/operations.md has all.")
        for name in unknown_variables()
    ]
    try:
        settings = beside_up(load_settings())
    except InvalidConfiguration as error:
        return found + [
            Finding("error", "settings", line, "Correct the variable.") for line in str(error).splitlines()
        ]
    found.append(Finding("ok", "settings", "valid"))
    set_up_logging(settings.process, role="doctor")  # on stderr: stdout is for what was found
    for check in (_formats, _sandbox, _codecs, _disk, _redis, _store, _gateway):
        found += await check(settings)
    return found


async def _formats(settings: Settings) -> list[Finding]:
    file, shops = formats_file(settings), subshops_file(settings)
    place = str(file) if file else "the built-in formats"
    try:
        found = CurrentFormats(file, shops, settings.gateway.subshop_ids)
    except InvalidConfiguration as error:
        advice = "Correct the file; `imageconverter formats check` reads it again."
        return [Finding("error", "formats", line, advice) for line in str(error).splitlines()]
    findings = [Finding("ok", "formats", f"{len(found.current)} in {place}")]
    if shops is not None:
        findings.append(Finding("ok", "subshops", f"{len(found.subshops)} in {shops}"))
    return findings


async def _sandbox(settings: Settings) -> list[Finding]:
    missing = seccomp.unavailable()
    if not missing:
        return [Finding("ok", "sandbox", f"{settings.worker.process_count} processes, system calls are filtered")]
    state: Literal["warning", "error"] = "error" if settings.worker.sandbox == "require" else "warning"
    advice = "Decoders run without a filter of system calls. Use Linux on x86-64 or ARM64 with seccomp."
    return [Finding(state, "sandbox", f"system calls cannot be filtered: {missing}", advice)]


async def _codecs(settings: Settings) -> list[Finding]:
    """Encode a small image in each output type, in a sandbox process."""
    types = get_args(OutputType)
    targets = [Target(max_width=8, max_height=8, output=each) for each in types]
    pool = SandboxPool(settings.worker.model_copy(update={"children": 1, "sandbox": "prefer"}), max_pixels=1_000_000)
    advice = "Install the locked dependencies again: make run."
    try:
        async with pool:
            results = await pool.convert(_NETPBM, targets, interactive=True)
    except ImageError as error:
        return [Finding("error", "codecs", error.reason, advice)]
    broken = [name for name, each in zip(types, results, strict=True) if not isinstance(each, Converted)]
    if broken:
        return [Finding("error", "codecs", f"cannot write {', '.join(broken)}", advice)]
    return [Finding("ok", "codecs", f"writes {', '.join(types)}")]


async def _disk(settings: Settings) -> list[Finding]:
    folder = next(each for each in (settings.process.data_dir.absolute(), Path.cwd(), Path("/")) if each.exists())
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GiB are free at {folder}"
    if free < _MIN_FREE_BYTES:
        return [Finding("warning", "disk", text, "Free some space, or set IMAGECONVERTER_DATA_DIR to a larger disk.")]
    return [Finding("ok", "disk", text)]


async def _redis(settings: Settings) -> list[Finding]:
    if settings.redis.url is None:
        advice = "`imageconverter up` starts one; else set IMAGECONVERTER_REDIS_URL."
        return [Finding("warning", "Redis", "no address is set and no `up` is running", advice)]
    async with open_redis(settings.redis, retry_timeout=_CONNECT_SECONDS) as redis:
        queue = JobQueue(redis, timeout_seconds=_CONNECT_SECONDS, retry_timeout=_CONNECT_SECONDS)
        state = await queue.availability()
        if state != "up":
            advice = "Check IMAGECONVERTER_REDIS_URL, its password, and that Redis is running."
            return [Finding("error", "Redis", f"is {state}", advice)]
        unmet = await unmet_by_redis(redis)
    return [Finding("warning", "Redis", each) for each in unmet] or [Finding("ok", "Redis", "can be written")]


async def _store(settings: Settings) -> list[Finding]:
    if settings.storage.endpoint is None:
        advice = "`imageconverter up` starts one; else set IMAGECONVERTER_S3_ENDPOINT and its keys."
        return [Finding("warning", "S3", "no address is set and no `up` is running", advice)]
    store = ObjectStore(settings.storage)
    try:
        began = time.time()
        skew = abs((await store.now()).timestamp() - began)
        unmet = await unmet_by_store(store)
    except StoreUnavailable as error:
        advice = "Check IMAGECONVERTER_S3_ENDPOINT, the keys, and that the bucket exists or may be created."
        return [Finding("error", "S3", error.reason, advice)]
    found = [Finding("warning", "S3", each) for each in unmet] or [Finding("ok", "S3", "can be written")]
    if skew > _MAX_SKEW_SECONDS:
        advice = "Synchronize the clocks of this machine and the store, for example with NTP."
        return [*found, Finding("warning", "clock", f"differs by {skew:.0f} s from that of S3", advice)]
    return [*found, Finding("ok", "clock", "agrees with that of S3")]


async def _gateway(settings: Settings) -> list[Finding]:
    url = server_url(settings, None)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS), AsyncClient(url) as client:
            await client.ready()
    except TimeoutError:
        return [Finding("warning", "gateway", f"{url} does not respond in time")]
    except ApiError as error:
        return [Finding("warning", "gateway", str(error), "`imageconverter up` starts one.")]
    return [Finding("ok", "gateway", f"{url} is ready")]
