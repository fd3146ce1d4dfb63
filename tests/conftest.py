"""Real servers for all tests: Redis and SeaweedFS, started once per worker, on loopback, in a temporary folder."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
import structlog
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import (
    PREFIX,
    ConversionSettings,
    GatewaySettings,
    PreviewSettings,
    ProcessSettings,
    RedisSettings,
    ReportSettings,
    Settings,
    SignedUrlSettings,
    StorageSettings,
    WebhookSettings,
    WorkerSettings,
)
from services.gateway.app import create_app
from services.stack.program import Program
from services.stack.servers import object_store, redis_server
from services.worker.main import run as run_worker
from tests.testing.markers import mark
from tests.testing.measurements import figures_table
from tests.testing.openapi_document import check_response
from tests.testing.parallel import Scheduling, allow_open_files, own_ports, sort_for_workers, worker_count

API_KEY = "a-key-for-tests"
TOKEN_SECRET = "a-secret-for-tests-of-32-characters"
ADMIN = {"Authorization": f"Bearer {API_KEY}"}

MakeSettings = Callable[..., Settings]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let hostile files be sent by the thousand (`make hostile`), and things break by the hundred (`make chaos`)."""
    parser.addoption("--thorough", action="store_true", help="send all hostile files and requests, not a few")
    parser.addoption("--long", action="store_true", help="break as much as the goals of delivery say")
    parser.addoption("--screenshots", metavar="DIR", help="keep the screenshots of the console in this folder")
    parser.addoption("--accept-screenshots", action="store_true", help="make the references and illustrations anew")
    parser.addoption("--seed", help="what decides on faults; printed by each session")


def pytest_unconfigure() -> None:
    """Remove Hypothesis' callback of the garbage collector, which keeps every test module alive until the exit.

    DuckDB's bindings report their classes as leaked if an annotation still refers to one of them then.
    """
    gc.callbacks.clear()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return what `-n auto` means."""
    return worker_count()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Distribute tests by file."""
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests, before `-m` selects some, and order them."""
    mark(items)
    sort_for_workers(config, items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the tests of delivery have measured."""
    reports = [report for how in ("passed", "failed") for report in terminalreporter.stats.get(how, [])]
    if table := figures_table(reports, long=bool(config.getoption("--long"))):
        terminalreporter.section("delivery")
        terminalreporter.write_line(table)


def pytest_configure() -> None:
    """Allow as many open files as tests need, and examples to take as long as a busy machine makes them."""
    allow_open_files()
    hypothesis.settings.register_profile("busy", deadline=None)
    hypothesis.settings.load_profile("busy")


@pytest.fixture(scope="session", autouse=True)
def ports_of_this_worker() -> Iterator[None]:
    """Keep parallel workers from starting two servers on one port."""
    with own_ports():
        yield


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> None:
    """What the machine has set for a stack of its own must not change a test."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


@pytest.fixture(autouse=True)
def loggers_of_their_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that a test runs in this process sets up logging, which must not outlast the test."""
    configure = structlog.configure

    def configure_uncached(*args: Any, **options: Any) -> None:
        configure(*args, **{**options, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", configure_uncached)
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def answers_follow_the_contract() -> Iterator[None]:
    """Every answer of the images API to any test is judged by `openapi/images.yaml`."""
    ask = TestClient._request

    async def ask_and_judge(client: TestClient[Any, Any], *args: Any, **options: Any) -> ClientResponse:
        response = await ask(client, *args, **options)
        await check_response(response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "_request", ask_and_judge)
        yield


@pytest.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """Run Redis and SeaweedFS; the value is the environment for a role that uses them."""
    folder = tmp_path_factory.mktemp("servers")
    environment = dict(os.environ)
    redis = redis_server(folder / "redis", folder, environment, "redis-password")
    store = object_store(folder / "s3", folder, environment, ("access", "secret-of-s3"), avoid=[redis.port])
    started = [redis, store]
    # Each bucket takes a volume. SeaweedFS allows as many as fit on the disk if all were full: too few for the tests.
    volumes = replace(store.command, arguments=[*store.command.arguments, "-volume.max=1000"])
    programs = [Program(command) for command in (redis.command, volumes)]
    for program in programs:
        program.start()
    try:
        yield {name: value for server in started for name, value in server.settings.items()}
    finally:
        await asyncio.gather(*(program.stop(grace_seconds=0.1) for program in programs))


@pytest.fixture(scope="session")
def make_settings(servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> MakeSettings:
    """Make settings for the servers; keyword arguments are parts to replace."""

    def make(**parts: Any) -> Settings:
        defaults: dict[str, Any] = {
            "gateway": GatewaySettings(api_key=API_KEY, token_secret=TOKEN_SECRET, wait_seconds=20),
            "redis": RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"], timeout_seconds=10),
            "storage": storage_settings(servers),
            "conversion": ConversionSettings(),
            "worker": WorkerSettings(children=2),
            "previews": PreviewSettings(),
            "reports": ReportSettings(),
            "webhooks": WebhookSettings(),
            "signed_urls": SignedUrlSettings(),
            "process": ProcessSettings(data_dir=tmp_path_factory.getbasetemp()),
        }
        return Settings(**{**defaults, **parts})

    return make


def storage_settings(servers: dict[str, str], **changes: Any) -> StorageSettings:
    """Return the settings of the test's object store."""
    values: dict[str, Any] = {
        "endpoint": servers["IMAGECONVERTER_S3_ENDPOINT"],
        "access_key": servers["IMAGECONVERTER_S3_ACCESS_KEY"],
        "secret_key": servers["IMAGECONVERTER_S3_SECRET_KEY"],
        "bucket": "tests",
        "timeout_seconds": 20,  # the other tests keep the machine busy
    }
    return StorageSettings(**{**values, **changes})


@pytest.fixture(scope="session")
async def resources(make_settings: MakeSettings) -> AsyncIterator[Resources]:
    """Open store and queue on the real servers."""
    async with open_resources(make_settings(), retry_timeout=20) as opened:
        await wait_for_bucket(opened.store)
        yield opened


@pytest.fixture(scope="module")
async def worker(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[None]:
    """Run a worker with real children beside the tests."""
    stopping = asyncio.Event()
    running = asyncio.create_task(run_worker(make_settings(), stopping))
    async with asyncio.timeout(20):
        while not await resources.queue.live_processes("worker"):
            await asyncio.sleep(0.05)
    try:
        yield
    finally:
        stopping.set()
        await running


@pytest.fixture(scope="session")
async def gateway(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[TestClient[Any, Any]]:
    """Serve the gateway on a port of loopback."""
    async with TestClient(TestServer(create_app(make_settings(), resources))) as client:
        yield client


@pytest.fixture
async def no_run(resources: Resources) -> None:
    """Go back to the time before the first run."""
    for automatic in (False, True):
        if latest := await resources.runs.latest(automatic=automatic):
            await resources.runs.cancel(latest, seconds=20)
    await resources.redis.delete(keys.RUNS, keys.AUTOMATIC_RUNS, keys.queue(QueueName.BATCH))
