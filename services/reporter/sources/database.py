"""A catalog read by a query from a database of the shop, PostgreSQL or MySQL.

The only module that uses SQLAlchemy and the drivers. Its blocking code runs in a thread.
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
# Temporary errors. SQLSTATE classes: connection, rollback, resources, in use, operator intervention, system error.
_TEMPORARY_STATES: Final = ("08", "40", "53", "55", "57", "58")
# MySQL: too many connections, shutdown, user limits, lock timeout, deadlock, interrupted, timeouts.
_TEMPORARY_CODES: Final = frozenset((1040, 1053, 1203, 1205, 1213, 1226, 1317, 1969, 3024))
_CLIENT_CODES: Final = range(2000, 3000)  # the connection was refused, lost or timed out
# PostgreSQL 14 and later on Linux can detect during a query that the client has disconnected.
_CHECK_CLIENT: Final = (
    "SELECT set_config(name, '5s', true) FROM pg_settings "
    "WHERE name = 'client_connection_check_interval' AND strpos(version(), 'linux') > 0"
)
_LOGIN_ERRORS: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry")


@asynccontextmanager
async def open_query(address: str, query: str, limits: SourceLimits) -> AsyncIterator[Source]:
    """Prepare the *query* of the database at *address*, in a read-only transaction.

    Rows are streamed. The chunks raise SourceUnavailable if the database is unavailable or exceeds a time limit, and
    SourceRefused if it rejects the login or the query, or if the columns are not those of `RowSerializer`. Raises
    SettingsError if the address is invalid.
    """
    reader = _QueryReader(address, query, limits)
    async with (
        aclosing(_read_in_thread(reader, limits)) as lines,
        aclosing(decompress(lines, limits.max_bytes)) as chunks,
    ):
        yield Source("ndjson", chunks)


async def _read_in_thread(reader: "_QueryReader", limits: SourceLimits) -> AsyncGenerator[bytes, None]:
    """Read in a thread, one chunk at a time; closes the connection and the thread at the end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limits.seconds
    thread = ThreadPoolExecutor(1, "source")
    chunks = reader.chunks()
    try:
        while True:
            timeout = min(limits.connect_seconds + limits.statement_seconds, end - loop.time())
            working = loop.run_in_executor(thread, next, chunks, None)
            try:
                async with asyncio.timeout(timeout):
                    chunk = await asyncio.shield(working)
            except TimeoutError:
                raise SourceUnavailable("The database did not answer in time.") from None
            finally:
                if not working.done():
                    reader.interrupt()
                    await asyncio.wait([working])
                    working.exception()  # retrieved, so that asyncio does not log the interruption
            if chunk is None:
                return
            yield chunk
    finally:
        await loop.run_in_executor(thread, chunks.close)
        thread.shutdown()


class _QueryReader:
    """Reads the rows of one query in one thread; only `interrupt` may be called from another."""

    def __init__(self, address: str, query: str, limits: SourceLimits) -> None:
        try:
            url = make_url(address)
            self._url = url.set(drivername=_DRIVERS[url.drivername])
        except (exc.ArgumentError, ValueError):
            raise SettingsError("The address of the database is invalid.") from None
        self._query = query
        self._limits = limits
        self._socket: socket.socket | None = None

    def chunks(self) -> Generator[bytes, None, None]:
        """Connect, run the query, and yield the rows as lines of NDJSON."""
        with self._connected() as connection, self._translated_errors():
            self._limit(connection)
            result = connection.exec_driver_sql(
                self._query,
                # Without parameters, a % in the query is literal.
                execution_options={"stream_results": True, "yield_per": _ROWS_AT_ONCE, "no_parameters": True},
            )
            complete = False
            try:
                if not result.returns_rows:
                    raise SourceRefused("The query returns no rows: it is not a SELECT.")
                yield from RowSerializer(list(result.keys())).chunks(result)
                complete = True
            finally:
                if not complete and not connection.invalidated:  # closing it cleanly would read the remaining rows
                    self.interrupt()
                    _forget_rows(connection)
                    connection.invalidate()
                result.close()

    def interrupt(self) -> None:
        """Make the thread's current operation fail at once, even if the server does not respond."""
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._translated_errors():
            try:
                connection = self._engine().connect()
            except TypeError:
                raise SourceRefused("The address of the database has an unknown parameter.") from None
        with connection, _socket_of(connection) as self._socket:
            yield connection

    def _engine(self) -> Engine:
        seconds = max(2, round(self._limits.connect_seconds))  # the minimum of libpq
        if self._url.get_backend_name() == "mysql":
            # This read timeout is for the greeting; it is removed after the login.
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
            # For this transaction, not the session, which a connection pooler may reuse.
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
            connection.exec_driver_sql(_CHECK_CLIENT)
            return
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        # In MySQL a statement lasts until its last row is sent, and rows are read as fast as the catalog is stored.
        seconds = round(self._limits.seconds)
        connection.exec_driver_sql(f"SET SESSION net_write_timeout = {seconds}")
        if getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {seconds}")
        else:
            connection.exec_driver_sql(f"SET SESSION max_execution_time = {seconds * 1000}")

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Turn the errors of SQLAlchemy into source errors, without their cause, which contains the password."""
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise self._error(error) from None
        except UnicodeError:
            raise SourceRefused("The database returned text that is not in its own encoding.") from None

    def _error(self, error: exc.SQLAlchemyError) -> ImageConverterError:
        original = error.orig if isinstance(error, exc.DBAPIError) else None
        message = str(original.args[-1] if original and original.args else error).partition("\n")[0]
        password = str(self._url.password or "")
        for written in {password, quote(password), quote_plus(password)} - {""}:
            message = message.replace(written, "***")
        if _is_temporary(error, original, message):
            return SourceUnavailable(f"The database cannot be read: {message}")
        return SourceRefused(f"The database rejected the query: {message}")


def _socket_of(connection: Connection) -> socket.socket:
    """Return a duplicate of the connection's socket, which stays open when the driver closes its own."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "mysql":
        driver._read_timeout = None  # noqa: SLF001 - PyMySQL has one timeout for greeting and query
        return socket.socket(fileno=os.dup(driver._sock.fileno()))  # noqa: SLF001 - PyMySQL has no public attribute
    return socket.socket(fileno=os.dup(driver.fileno()))


def _close_cursor(context: ExceptionContext) -> None:
    """Close the cursor that SQLAlchemy leaves open when a psycopg connection is lost; sends nothing."""
    cursor = getattr(context.execution_context, "cursor", None)
    if context.is_disconnect and cursor is not None:
        cursor.close()


def _forget_rows(connection: Connection) -> None:
    """Keep PyMySQL from reading the remaining rows from the closed socket when its objects are collected."""
    result = getattr(connection.connection.driver_connection, "_result", None)
    if connection.dialect.name == "mysql" and result is not None:
        result.unbuffered_active = False


def _is_temporary(error: exc.SQLAlchemyError, original: Any, message: str) -> bool:
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_TEMPORARY_STATES)
    code = original.args[0] if original is not None and original.args else None
    if type(code) is int and code > 0:
        return code in _TEMPORARY_CODES or code in _CLIENT_CODES
    # Errors of PostgreSQL before the login have a text only.
    return isinstance(error, exc.OperationalError | exc.InterfaceError) and not any(
        each in message for each in _LOGIN_ERRORS
    )
