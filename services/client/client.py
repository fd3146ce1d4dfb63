"""The synchronous client: the asynchronous one in the event loop of a thread."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import suppress
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from services.client.async_client import AsyncClient
from services.client.dead_letters import DeadLetters as AsyncDeadLetters
from services.client.previews import Previews as AsyncPreviews
from services.client.reports import Catalogs as AsyncCatalogs
from services.client.reports import Reports as AsyncReports
from services.client.runs import Runs as AsyncRuns
from services.client.sources import Sources as AsyncSources
from services.client.webhooks import Webhooks as AsyncWebhooks

_Wrapped = TypeVar("_Wrapped")
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="imageconverter client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run *work* and return its result; an interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Facade(Generic[_Wrapped]):
    """The methods of an asynchronous object, to be called without a loop."""

    def __init__(self, wrapped: _Wrapped, loop: _Loop) -> None:
        """Call the methods of *wrapped* in *loop*."""
        self._wrapped = wrapped
        self._loop = loop


def _waiting(
    method: Callable[Concatenate[_Wrapped, _Arguments], Coroutine[Any, Any, _Result]],
) -> Callable[Concatenate[_Facade[_Wrapped], _Arguments], _Result]:
    """Return *method* as one that waits for its result."""

    @wraps(method)
    def call(self: _Facade[_Wrapped], /, *arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        return self._loop.run(method(self._wrapped, *arguments, **options))

    return call


def _iterating(
    method: Callable[Concatenate[_Wrapped, _Arguments], AsyncGenerator[_Result, None]],
) -> Callable[Concatenate[_Facade[_Wrapped], _Arguments], Iterator[_Result]]:
    """Return *method* as one that returns an iterator."""

    @wraps(method)
    def call(
        self: _Facade[_Wrapped], /, *arguments: _Arguments.args, **options: _Arguments.kwargs
    ) -> Iterator[_Result]:
        iterator = method(self._wrapped, *arguments, **options)

        async def following() -> _Result:
            return await anext(iterator)

        try:
            with suppress(StopAsyncIteration):
                while True:
                    yield self._loop.run(following())
        finally:
            self._loop.run(iterator.aclose())

    return call


class Sources(_Facade[AsyncSources]):
    """Operations on sources."""

    list = _iterating(AsyncSources.list)
    pages = _iterating(AsyncSources.pages)
    put = _waiting(AsyncSources.put)
    get = _waiting(AsyncSources.get)
    stream = _iterating(AsyncSources.stream)
    download = _waiting(AsyncSources.download)
    sha256 = _waiting(AsyncSources.sha256)
    delete = _waiting(AsyncSources.delete)
    facts = _iterating(AsyncSources.facts)
    facts_below = _iterating(AsyncSources.facts_below)
    focal_point = _waiting(AsyncSources.focal_point)
    set_focal_point = _waiting(AsyncSources.set_focal_point)
    delete_focal_point = _waiting(AsyncSources.delete_focal_point)
    trash = _iterating(AsyncSources.trash)
    restore = _waiting(AsyncSources.restore)
    move = _waiting(AsyncSources.move)
    copy = _waiting(AsyncSources.copy)


class Runs(_Facade[AsyncRuns]):
    """Operations on runs."""

    start = _waiting(AsyncRuns.start)
    status = _waiting(AsyncRuns.status)
    list = _waiting(AsyncRuns.list)
    cancel = _waiting(AsyncRuns.cancel)
    schedule = _waiting(AsyncRuns.schedule)
    set_schedule = _waiting(AsyncRuns.set_schedule)
    reset_schedule = _waiting(AsyncRuns.reset_schedule)
    scan = _waiting(AsyncRuns.scan)
    start_scan = _waiting(AsyncRuns.start_scan)
    orphans = _iterating(AsyncRuns.orphans)
    results = _iterating(AsyncRuns.results)
    watch = _iterating(AsyncRuns.watch)


class DeadLetters(_Facade[AsyncDeadLetters]):
    """Operations on dead letters."""

    list = _waiting(AsyncDeadLetters.list)
    retry = _waiting(AsyncDeadLetters.retry)
    delete = _waiting(AsyncDeadLetters.delete)


class Catalogs(_Facade[AsyncCatalogs]):
    """Operations on catalogs."""

    get = _waiting(AsyncCatalogs.get)
    replace = _waiting(AsyncCatalogs.replace)


class Reports(_Facade[AsyncReports]):
    """Operations on reports."""

    start = _waiting(AsyncReports.start)
    progress = _waiting(AsyncReports.progress)
    get = _waiting(AsyncReports.get)
    similar = _iterating(AsyncReports.similar)
    history = _waiting(AsyncReports.history)
    schedule = _waiting(AsyncReports.schedule)
    set_schedule = _waiting(AsyncReports.set_schedule)
    clean = _waiting(AsyncReports.clean)
    trash = _waiting(AsyncReports.trash)
    restore = _waiting(AsyncReports.restore)
    repair = _waiting(AsyncReports.repair)


class Webhooks(_Facade[AsyncWebhooks]):
    """Operations on webhooks."""

    list = _waiting(AsyncWebhooks.list)
    retry = _waiting(AsyncWebhooks.retry)


class Previews(_Facade[AsyncPreviews]):
    """Operations of the ImageConverter API."""

    get = _waiting(AsyncPreviews.get)
    put = _waiting(AsyncPreviews.put)
    metadata = _waiting(AsyncPreviews.metadata)
    count = _waiting(AsyncPreviews.count)
    keys = _waiting(AsyncPreviews.keys)
    delete = _waiting(AsyncPreviews.delete)
    clear = _waiting(AsyncPreviews.clear)


class Client(_Facade[AsyncClient]):
    """A client of the images API and the ImageConverter API; use it as a context manager.

    Its methods are those of AsyncClient. It may be used by several threads.
    """

    def __init__(self, server: str, key: str = "", *, user: str = "admin", password: str = "") -> None:
        """Connect to *server*, as AsyncClient does."""
        loop = _Loop()

        async def opened() -> AsyncClient:
            return AsyncClient(server, key, user=user, password=password)

        super().__init__(loop.run(opened()), loop)
        self.sources = Sources(self._wrapped.sources, loop)
        self.runs = Runs(self._wrapped.runs, loop)
        self.dead_letters = DeadLetters(self._wrapped.dead_letters, loop)
        self.catalogs = Catalogs(self._wrapped.catalogs, loop)
        self.reports = Reports(self._wrapped.reports, loop)
        self.webhooks = Webhooks(self._wrapped.webhooks, loop)
        self.previews = Previews(self._wrapped.previews, loop)

    upload = _waiting(AsyncClient.upload)
    convert = _waiting(AsyncClient.convert)
    formats = _waiting(AsyncClient.formats)
    content = _waiting(AsyncClient.content)
    download = _waiting(AsyncClient.download)
    ready = _waiting(AsyncClient.ready)

    @property
    def server(self) -> str:
        """The URL of the server."""
        return self._wrapped.server

    def content_url(self, path: str) -> str:
        """Return the URL of the converted image at *path*."""
        return self._wrapped.content_url(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._loop.run(self._wrapped.close())
        self._loop.close()
