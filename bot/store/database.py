"""The store's two doors: `write`, one transaction for all that waits (group commit), and `read`."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection, Engine

log = structlog.get_logger("store")
T = TypeVar("T")

BATCH = 64
BUSY_MS = 2500  # well inside the platform's five seconds
PG_WRITERS = 4
READERS = 2


class StoreError(Exception):
    """Nothing was written: the database is full, locked or gone. The cause holds the driver's words."""


class ConflictError(Exception):
    """A row with this key stands there already: somebody else was a moment faster."""


class StoreClosedError(StoreError):
    """The database was asked for something after it was closed."""


class Ahead(NamedTuple):
    """Work for a job, such as computing, that costs less when it is done for many: `work` gets what all of them need."""

    work: Callable[[Sequence[Any]], object]
    of: object


@dataclass(slots=True)
class _Job(Generic[T]):
    fn: Callable[[Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    ahead: Ahead | None = None
    result: T | None = None
    error: BaseException | None = None


class Database:
    """An engine with its writer and reader threads."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url, embedded=self.embedded)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._batch = BATCH if self.embedded else 1
        count = 1 if self.embedded else PG_WRITERS
        self._writers = [
            # Daemons: a process that must end does not wait for them; `close` does.
            threading.Thread(target=self._write_loop, name=f"writer-{n}", daemon=True)
            for n in range(count)
        ]
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._closed = False
        self._lock = threading.Lock()
        for thread in self._writers:
            thread.start()

    @property
    def waiting(self) -> int:
        """Write jobs in the queue."""
        return self._jobs.qsize()

    async def write(self, fn: Callable[[Connection], T], ahead: Ahead | None = None) -> T:
        """Run `fn(conn)` in a transaction and return its result once that is committed.

        An exception of `fn` undoes only `fn`; StoreError means the store itself failed and nothing was kept.
        `fn` is run again if another one in its transaction fails, so it changes nothing but the database. What it
        asks for `ahead` is done before that if others wait with it; it must do without, too.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._closed:
                raise StoreClosedError("the store is closed")
            self._jobs.put(_Job(fn, loop, future, ahead))
        return await future

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn(conn)` on a reader thread with a connection that cannot write."""
        if self._closed:
            raise StoreClosedError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn)

    def _read(self, fn: Callable[[Connection], T]) -> T:
        if not hasattr(self._local, "conn"):
            self._local.conn = _reader(self.engine, embedded=self.embedded)
            with self._lock:
                self._opened.append(self._local.conn)
        try:
            return fn(self._local.conn)
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                del self._local.conn
            raise StoreError(str(error.orig)) from error

    def close(self) -> None:
        """Finish what waits, then stop; calling it again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in self._writers:
                self._jobs.put(None)
        for thread in self._writers:
            thread.join()
        self._readers.shutdown()
        for conn in self._opened:
            conn.close()
        self.engine.dispose()

    def _write_loop(self) -> None:
        writer = _Writer(self.engine, "BEGIN IMMEDIATE" if self.embedded else "BEGIN")
        last = False
        while not last and (job := self._jobs.get()) is not None:
            gathered, last = self._gather(job)
            # From here on a caller that gives up cannot take its job back.
            jobs = [each for each in gathered if not each.future.cancelled()]
            if len(jobs) > 1:
                _look_ahead(jobs)
            writer.run(jobs)
            _hand_over(jobs)
        writer.close()

    def _gather(self, first: _Job[Any]) -> tuple[list[_Job[Any]], bool]:
        jobs = [first]
        while len(jobs) < self._batch:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False


class _Writer:
    """One thread's way to write: its connection, and what becomes of it when something fails."""

    def __init__(self, engine: Engine, begin: str) -> None:
        self._engine = engine
        self._begin = begin
        self._conn: Connection | None = None

    def run(self, jobs: Sequence[_Job[Any]]) -> None:
        """All jobs in one transaction. If one fails, each gets a transaction of its own: rare, and dearer only then."""
        try:
            failed = self._transact(jobs)
        except Exception as error:  # noqa: BLE001 - whatever the driver raises, the thread lives and all jobs hear of it
            for job in jobs:
                job.error = StoreError(str(error))
                job.error.__cause__ = error.__cause__ or error
            self._discard()
            return
        if failed is not None and len(jobs) == 1:
            jobs[0].error = failed
        elif failed is not None:
            for job in jobs:
                self.run([job])

    def close(self) -> None:
        """Give the connection back."""
        if self._conn is not None:
            self._conn.close()

    def _transact(self, jobs: Sequence[_Job[Any]]) -> Exception | None:
        """Commit all jobs, or none and return the error of the first that failed."""
        conn = self._conn = self._conn or self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        execute = cursor_of(conn).execute
        execute(self._begin)
        try:
            for job in jobs:
                job.result = job.fn(conn)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            _undo(execute, error)
            return error
        execute("COMMIT")
        return None

    def _discard(self) -> None:
        """Give up a connection whose transaction failed; a broken one is replaced at the next job."""
        if self._conn is not None:
            self._conn.invalidate()
            self._conn.close()
        self._conn = None


def _look_ahead(jobs: Iterable[_Job[Any]]) -> None:
    """Do what many jobs need in one go, before their transaction begins."""
    wanted: dict[Callable[[Sequence[Any]], object], list[object]] = {}
    for ahead in (job.ahead for job in jobs if job.ahead):
        wanted.setdefault(ahead.work, []).append(ahead.of)
    for work, of in wanted.items():
        try:
            work(of)
        except Exception:
            # Whichever job it was for fails by itself then; the others must not.
            log.exception("look_ahead_failed")


def _undo(execute: Callable[[str], Any], error: Exception) -> None:
    try:
        execute("ROLLBACK")
    except Exception:  # noqa: BLE001 - a full disk ends the transaction by itself; the first error tells why
        raise StoreError(str(error)) from error


def _hand_over(jobs: Sequence[_Job[Any]]) -> None:
    """Wake each loop once, however many of its jobs are done."""
    for loop in {job.loop for job in jobs}:
        with contextlib.suppress(RuntimeError):  # it is closed: nobody waits there any more
            loop.call_soon_threadsafe(_resolve, [job for job in jobs if job.loop is loop])


def _resolve(jobs: Sequence[_Job[Any]]) -> None:
    for job in jobs:
        if job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def cursor_of(conn: Connection) -> Any:
    """The driver's own connection, whose `execute` skips SQLAlchemy."""
    return conn.connection.driver_connection


def _reader(engine: Engine, *, embedded: bool) -> Connection:
    conn = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    conn.exec_driver_sql("PRAGMA query_only = ON" if embedded else "SET default_transaction_read_only = on")
    return conn


def _engine(url: sa.URL, *, embedded: bool) -> Engine:
    if not embedded:
        return sa.create_engine(url, pool_size=PG_WRITERS + READERS + 1, pool_pre_ping=True, hide_parameters=True)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
        pool_reset_on_return=None,
        # Error texts go to the log; a citizen's words must not go with them.
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: object) -> None:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute(f"PRAGMA busy_timeout = {BUSY_MS}")

    return engine
