"""A catalog that is the answer to a query of a shop's own database, PostgreSQL or MySQL.

The only place that knows SQLAlchemy and the drivers. What runs in the thread is plain, blocking code.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any, Final
from urllib.parse import quote, quote_plus

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, exc, make_url
from sqlalchemy.pool import NullPool

from imageconverter.errors import ImageConverterError, SourceRefused, SourceUnavailable
from imageconverter.settings import SettingsError
from services.reporter.sources.decompression import decompress
from services.reporter.sources.row_serializer import RowSerializer
from services.reporter.sources.source import Source, SourceLimits

_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_ROWS_AT_ONCE = 1000
# What may pass. SQLSTATE classes: connection, rolled back, resources, in use, operator's intervention, system.
_PASSING_STATES: Final = ("08", "40", "53", "55", "57", "58")
# MySQL: too many connections, shutdown, more of them, deadlocks, interrupted, out of time (of MariaDB and MySQL).
_PASSING_CODES: Final = frozenset((1040, 1053, 1203, 1205, 1213, 1226, 1317, 1969, 3024))
_CLIENT_CODES: Final = range(2000, 3000)  # the connection is refused, cut or out of time
# PostgreSQL 14 and later on Linux can see during a query that whoever asked has gone.
_NOTICE_LEAVING: Final = (
    "SELECT set_config(name, '5s', true) FROM pg_settings "
    "WHERE name = 'client_connection_check_interval' AND strpos(version(), 'linux') > 0"
)
_WRONG_LOGIN: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry")


@asynccontextmanager
async def open_query(address: str, query: str, limits: SourceLimits) -> AsyncIterator[Source]:
    """Make ready to read the *query* of the database at *address*, in a transaction that cannot write.

    Rows come from the server as they are asked for. The chunks raise SourceUnavailable where the database is away,
    hangs or is out of time, and SourceRefused where it does not take the login or the query, or the columns are not
    those of `RowSerializer`. SettingsError: the address is none.
    """
    reading = _Reading(address, query, limits)
    async with (
        aclosing(_in_thread(reading, limits)) as lines,
        aclosing(decompress(lines, limits.max_bytes)) as chunks,
    ):
        yield Source("ndjson", chunks)


async def _in_thread(reading: "_Reading", limits: SourceLimits) -> AsyncGenerator[bytes, None]:
    """Read in a thread, a chunk when it is asked for; at any end the thread and the connection end too."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limits.seconds
    thread = ThreadPoolExecutor(1, "source")
    chunks = reading.chunks()
    try:
        while True:
            retry_timeout = min(limits.connect_seconds + limits.statement_seconds, end - loop.time())
            working = loop.run_in_executor(thread, next, chunks, None)
            try:
                async with asyncio.timeout(retry_timeout):
                    chunk = await asyncio.shield(working)
            except TimeoutError:
                raise SourceUnavailable("The database did not answer, or go on, in time.") from None
            finally:
                if not working.done():
                    reading.interrupt()
                    await asyncio.wait([working])
                    working.exception()  # that it was interrupted, which nobody needs to be told
            if chunk is None:
                return
            yield chunk
    finally:
        await loop.run_in_executor(thread, chunks.close)
        thread.shutdown()


class _Reading:
    """One query, read in one thread; only `interrupt` may be called from another."""

    def __init__(self, address: str, query: str, limits: SourceLimits) -> None:
        try:
            url = make_url(address)
            self._url = url.set(drivername=_DRIVERS[url.drivername])
        except (exc.ArgumentError, ValueError):
            raise SettingsError("The address of the database cannot be read.") from None
        self._query = query
        self._limits = limits
        self._socket: socket.socket | None = None

    def chunks(self) -> Generator[bytes, None, None]:
        """Connect, ask, and write the rows as lines."""
        with self._connected() as connection, self._told():
            self._limit(connection)
            result = connection.exec_driver_sql(
                self._query,
                # Without parameters a % in the query is one.
                execution_options={"stream_results": True, "yield_per": _ROWS_AT_ONCE, "no_parameters": True},
            )
            complete = False
            try:
                if not result.returns_rows:
                    raise SourceRefused("The query gives no rows: it is not a SELECT.")
                yield from RowSerializer(list(result.keys())).chunks(result)
                complete = True
            finally:
                if not complete and not connection.invalidated:  # closing it properly would read what is left
                    self.interrupt()
                    _forget_rows(connection)
                    connection.invalidate()
                result.close()

    def interrupt(self) -> None:
        """Have whatever the thread waits for fail at once, even where the server is deaf."""
        if self._socket is not None:
            with suppress(OSError):  # it is cut already
                self._socket.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._told():
            try:
                connection = self._engine().connect()
            except TypeError:
                raise SourceRefused("The database's address has a parameter that its driver does not know.") from None
        with connection, _socket_of(connection) as self._socket:
            yield connection

    def _engine(self) -> Engine:
        seconds = max(2, round(self._limits.connect_seconds))  # less, PostgreSQL's library does not know
        if self._url.get_backend_name() == "mysql":
            # The time to read is that of the greeting; it goes up once we are let in.
            arguments: dict[str, Any] = {
                "connect_timeout": seconds,
                "read_timeout": seconds,
                "write_timeout": seconds,
            }
        else:
            arguments = {"connect_timeout": seconds, "client_encoding": "utf8"}
        engine = create_engine(self._url, poolclass=NullPool, connect_args=arguments)
        if engine.dialect.name == "postgresql":
            event.listen(engine, "handle_error", _close_cursor)
        return engine

    def _limit(self, connection: Connection) -> None:
        milliseconds = round(self._limits.statement_seconds * 1000)
        if connection.dialect.name == "postgresql":
            # For this transaction, not the session: a pool in between may hand the session on.
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
            connection.exec_driver_sql(_NOTICE_LEAVING)
            return
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        # Here a statement lasts until its last row is sent, and we read no faster than the catalog is stored.
        seconds = round(self._limits.seconds)
        connection.exec_driver_sql(f"SET SESSION net_write_timeout = {seconds}")
        if getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {seconds}")
        else:
            connection.exec_driver_sql(f"SET SESSION max_execution_time = {seconds * 1000}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLAlchemy raises into errors of ours; without their cause, which knows the password."""
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise self._error(error) from None
        except UnicodeError:
            raise SourceRefused("The database gives text that is not in its own encoding.") from None

    def _error(self, error: exc.SQLAlchemyError) -> ImageConverterError:
        original = error.orig if isinstance(error, exc.DBAPIError) else None
        message = str(original.args[-1] if original and original.args else error).partition("\n")[0]
        password = str(self._url.password or "")
        for written in {password, quote(password), quote_plus(password)} - {""}:
            message = message.replace(written, "***")
        if _may_pass(error, original, message):
            return SourceUnavailable(f"The database cannot be read: {message}")
        return SourceRefused(f"The database refuses: {message}")


def _socket_of(connection: Connection) -> socket.socket:
    """Return a second handle on the connection's socket, which outlives what the driver does with its own."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "mysql":
        driver._read_timeout = None  # noqa: SLF001 - PyMySQL has one for greeting and query, and no other way
        return socket.socket(fileno=os.dup(driver._sock.fileno()))  # noqa: SLF001 - PyMySQL does not tell it otherwise
    return socket.socket(fileno=os.dup(driver.fileno()))


def _close_cursor(context: ExceptionContext) -> None:
    """Close what psycopg wants closed, and SQLAlchemy leaves open when a connection is cut; sends nothing then."""
    cursor = getattr(context.execution_context, "cursor", None)
    if context.is_disconnect and cursor is not None:
        cursor.close()


def _forget_rows(connection: Connection) -> None:
    """Keep PyMySQL from reading on, when its objects are collected, from a socket that is gone."""
    result = getattr(connection.connection.driver_connection, "_result", None)
    if connection.dialect.name == "mysql" and result is not None:
        result.unbuffered_active = False


def _may_pass(error: exc.SQLAlchemyError, original: Any, message: str) -> bool:
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_PASSING_STATES)
    code = original.args[0] if original is not None and original.args else None
    if type(code) is int and code > 0:
        return code in _PASSING_CODES or code in _CLIENT_CODES
    # What PostgreSQL says before it lets us in comes as a text only.
    return isinstance(error, exc.OperationalError | exc.InterfaceError) and not any(
        each in message for each in _WRONG_LOGIN
    )
