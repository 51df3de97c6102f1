"""The consultation log over 200,000 consultations: each filter's time, and what citizens notice of a large export."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
from sqlalchemy.engine import Connection

from bot.console.auth import COOKIE
from bot.conversation.turn import LOCAL
from bot.service.records import listing
from bot.service.records.filters import read
from bot.store.database import Database
from bot.store.migrate import migrate
from knowledge.load import KnowledgeBase, load
from tests.bench import records
from tests.bench.load import percentile
from tests.bench.office import hire
from tests.bench.servers import FAWEN, Server, running
from tests.bench.traffic import Crowd

COUNT, EXPORTED = 200_000, 100_000
# Questions of citizens while the export runs; each is somebody else's.
PER_SECOND, WINDOW = 10.0, 4.0
PATIENCE = 600.0
FILTERS = (
    "", "kind=legal", "channel=wechat", "township=石门乡", "handed=0", "outcome=unanswered", "handled_by=lawyer-1",
    "category=labour", "grade=1&grade=2&township=石门乡", "urgent=1&handed=1&grade=1&township=石门乡&category=labour",
    "entry=no-such-entry", "from={month}", "from={year}&kind=legal", "words=工资", "words=精神病院", "words=工资 合同",
    "words=工资&from={month}", "words=电话", "first=answered&from={year}", "weekday=1&hour=9&from={year}",
)  # fmt: skip


@dataclass
class Noticed:
    """Seconds from a citizen's question to its answer, while an export is written and while it is held."""

    during: list[float] = field(default_factory=list)
    without: list[float] = field(default_factory=list)
    seconds: float = 0.0
    rows: int = 0
    server: int = 0
    writer: int = 0


@dataclass(frozen=True)
class Looked:
    """A filter, how many fit, seconds by the clock and of processor time (others may be busy on the machine)."""

    query: str
    total: int
    seconds: float
    busy: float


@dataclass
class Measured:
    """The filters and the export."""

    filters: list[Looked]
    noticed: Noticed


async def measure(folder: Path) -> Measured:
    """Fill a store, then look and export."""
    base, now = load(), datetime.now(UTC)
    db = Database(f"sqlite:///{folder}/fawen.db")
    try:
        migrate(db.engine)
        records.fill(db.engine, base, COUNT, now)
        found = [await _look(db, query, now) for query in FILTERS]
    finally:
        db.close()
    first = (now - records.SPAN * (EXPORTED / COUNT)).astimezone(LOCAL).date()
    return Measured(found, await export_beside(folder, base, first))


async def _look(db: Database, query: str, now: datetime) -> Looked:
    """A page of the log with its counts, nothing kept from before: the best of three."""
    day = now.astimezone(LOCAL).date()
    wanted, _ = read(parse_qsl(query.format(month=day - timedelta(days=30), year=day - timedelta(days=365))))

    def look(conn: Connection) -> Looked:
        began, worked = time.perf_counter(), time.thread_time()
        total = listing.look(conn, wanted, 51).facets.total
        return Looked(query, total, time.perf_counter() - began, time.thread_time() - worked)

    return min([await db.read(look) for _ in range(3)], key=lambda one: one.seconds)


async def export_beside(folder: Path, base: KnowledgeBase, first: date, window: float = WINDOW) -> Noticed:
    """Export what began since a day while citizens talk; by turns of `window` seconds the writing is held."""
    noticed = Noticed()
    words = Crowd([wording for entry in base.entries.values() for wording in entry.wordings], seed=11).words()
    extra = {"WEB__MESSAGES_PER_MINUTE": "100000", "WEB__ADDRESS_MESSAGES_PER_MINUTE": "1000000"}
    async with running(FAWEN, folder, extra) as server, AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{server.port}"
        (token,) = hire(folder, ["head"], role="supervisor")
        head = await stack.enter_async_context(
            aiohttp.ClientSession(url, cookies={COOKIE: token}, headers={"Origin": url})
        )
        citizens = [await stack.enter_async_context(_citizen(url)) for _ in range(50)]
        talk = _Talk(citizens, words)
        await talk.go_on(5.0)
        began = time.perf_counter()
        async with head.post("/console/exports", data={"query": f"from={first}", "format": "xlsx"}) as answer:
            answer.raise_for_status()
        state = "waiting"
        while state in {"waiting", "running"} and time.perf_counter() - began < PATIENCE:
            noticed.during += await talk.go_on(window)
            noticed.server, noticed.writer = _memory(server, noticed)
            # Held for a while, again and again: what else happens on the machine happens to both alike.
            with _held(server):
                noticed.without += await talk.go_on(window)
            state, noticed.rows = _state(folder)
        noticed.seconds = time.perf_counter() - began
        if state != "ready":
            raise SystemExit(f"the export is {state}")
    return noticed


@dataclass
class _Talk:
    """Citizens asking one after the other, whether or not the last one has an answer yet."""

    citizens: Sequence[aiohttp.ClientSession]
    words: Iterator[str]
    number: int = 0

    async def go_on(self, seconds: float) -> list[float]:
        times: list[float] = []
        tasks = []
        for _ in range(int(seconds * PER_SECOND)):
            self.number += 1
            citizen = self.citizens[self.number % len(self.citizens)]
            tasks.append(asyncio.create_task(_ask(citizen, next(self.words), times)))
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.gather(*tasks)
        return times


async def _ask(citizen: aiohttp.ClientSession, words: str, times: list[float]) -> None:
    began = time.perf_counter()
    async with citizen.post("/chat/messages", json={"key": secrets.token_hex(8), "text": words, "tap": ""}) as answer:
        answer.raise_for_status()
        await answer.read()
    times.append(time.perf_counter() - began)


@contextmanager
def _held(server: Server) -> Iterator[None]:
    """The processes the server has started stand still."""
    held = server.helpers()
    _signal(held, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(held, signal.SIGCONT)


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _memory(server: Server, noticed: Noticed) -> tuple[int, int]:
    """The most so far of the server by itself, and of the process that writes."""
    own = server.memory(family=False)
    return max(noticed.server, own), max(noticed.writer, server.memory() - own)


def _state(folder: Path) -> tuple[str, int]:
    with closing(sqlite3.connect(f"file:{folder}/fawen.db?mode=ro", uri=True)) as conn:
        state, done = conn.execute("SELECT state, done FROM exports").fetchone()
    return str(state), int(done)


@asynccontextmanager
async def _citizen(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get("/"):
            pass
        yield session


def lines(measured: Measured) -> list[str]:
    """The result, to print."""
    one = measured.noticed

    def late(times: list[float]) -> str:
        return (
            f"p50 {percentile(times, 0.5) * 1000:5.1f} ms, p99 {percentile(times, 0.99) * 1000:6.1f} ms ({len(times)})"
        )

    ratios = [percentile(one.during, share) / percentile(one.without, share) for share in (0.5, 0.99)]
    return [
        f"Log of {COUNT:,} consultations: a page with all its counts, by the clock and of processor time",
        *(
            f"  {look.seconds * 1000:6.0f} ms {look.busy * 1000:6.0f} ms  {look.total:8,}  {look.query or 'everything'}"
            for look in measured.filters
        ),
        f"Export of {one.rows:,} rows as XLSX in {one.seconds:.0f} s beside {PER_SECOND:.0f} citizens' messages a second, all on one core",
        f"  without        {late(one.without)}",
        f"  while it runs  {late(one.during)}, {ratios[0]:.2f} times p50, {ratios[1]:.2f} times p99",
        f"  memory: server {one.server / 2**20:.0f} MiB, the process that writes {one.writer / 2**20:.0f} MiB",
    ]
