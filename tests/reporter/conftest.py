"""A store and a database of the reporter's own, and the scanner that works on them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from imageconverter.catalog.database import Workspace
from imageconverter.reports.progress import ScanProgress
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import RedisSettings, ReportSettings, Settings
from services.reporter.redis_recovery import rebuild
from services.reporter.scanner import Scanner, catalog_sources
from services.reporter.tasks import ReporterTasks
from tests.conftest import MakeSettings, storage_settings


@pytest.fixture
def report_settings(make_settings: MakeSettings, servers: dict[str, str]) -> Settings:
    """Settings of a stack beside the others."""
    return make_settings(
        redis=RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"].removesuffix("/0") + "/3"),
        storage=storage_settings(servers, bucket="reporter"),
    )


@pytest.fixture
async def opened(report_settings: Settings) -> AsyncIterator[Resources]:
    """Resources with nothing in them."""
    async with open_resources(report_settings, retry_timeout=20) as resources:
        await wait_for_bucket(resources.store)
        await resources.redis.flushdb()
        async for page in resources.store.list(""):
            await resources.store.delete(stored.key for stored in page)
        yield resources


@pytest.fixture
async def own(servers: dict[str, str], make_settings: MakeSettings) -> AsyncIterator[Resources]:
    """An empty database of Redis and an empty bucket, for one test."""
    url = servers["IMAGECONVERTER_REDIS_URL"].rpartition("/")[0]
    settings = make_settings(
        redis=RedisSettings(url=f"{url}/15"), storage=storage_settings(servers, bucket=f"rebuild-{uuid4().hex[:12]}")
    )
    async with open_resources(settings, retry_timeout=20) as resources:
        await wait_for_bucket(resources.store)
        await resources.redis.flushdb()
        await rebuild(resources)
        yield resources
        await resources.redis.flushdb()


def make_scanner(resources: Resources, folder: Path, **settings: Any) -> Scanner:
    """Return a scanner with these settings of reports."""
    reports = ReportSettings(**settings)
    progress = ScanProgress(resources.redis, retry_timeout=20)
    sources = catalog_sources(reports)
    workspace = Workspace(folder=folder)
    return Scanner(resources.store, resources.formats, reports, sources, workspace, progress, resources.outbox)


def make_tasks(resources: Resources, scanner: Scanner) -> ReporterTasks:
    """Return the tasks of a reporter that has this *scanner*."""
    return ReporterTasks(
        resources.store,
        resources.queue,
        resources.formats,
        scanner.settings,
        scanner.workspace,
        scanner.progress,
        scanner,
        resources.outbox,
        resources.runs,
    )
