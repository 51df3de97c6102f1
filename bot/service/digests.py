"""两日一推送: every two days each responsible department gets what was asked about its items, as a file and at a link."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import LOCAL
from bot.ids import NewId
from bot.masking import mask
from bot.service.figures.period import Period
from bot.service.figures.tables import CHANNELS, OUTCOMES, UNSAID
from bot.store.prepared import Prepared
from bot.store.tables import consultation_words, consultations, digests
from bot.store.times import from_ms, to_ms
from knowledge.departments import departments
from knowledge.entry import Entry
from knowledge.places import Locality

DAYS = 2
KEEP = timedelta(days=30)
# A server that stood still for some days still sends what it owes; what is older nobody waits for.
OWED = 2
# At the beginning of the working day after the second one.
DUE = time(8, 30)
_EPOCH = date(1970, 1, 1)
_t = digests.c
_ADD = Prepared(sa.insert(digests))
State = Literal["waiting", "sent", "failed", "kept"]


class Question(msgspec.Struct, frozen=True):
    """One consultation as a department sees it: no name, no address, masked words."""

    day: date
    entry: str
    words: str
    outcome: str
    township: str
    channel: str


class Digest(msgspec.Struct, frozen=True):
    """A digest to send or to look at. `token`: hash of what the link carries."""

    id: str
    department: str
    token: str
    period: Period
    questions: int
    state: State
    attempts: int
    error: str
    due_at: datetime
    created_at: datetime


def windows(now: datetime) -> list[Period]:
    """The two-day windows whose digest is due by now, the latest last."""
    local = now.astimezone(LOCAL)
    passed = (local.date() - _EPOCH).days - (local.time() < DUE)
    latest = passed // DAYS - 1
    starts = (_EPOCH + timedelta(days=DAYS * number) for number in range(latest - OWED + 1, latest + 1))
    return [Period(start, start + timedelta(days=DAYS - 1)) for start in starts]


def asked(conn: Connection, period: Period) -> list[Question]:
    """The consultations about approvals opened in a period, in order."""
    c, w = consultations.c, consultation_words.c
    start, end = period.span
    rows = conn.execute(
        sa.select(c.opened_at, c.entry_id, c.outcome, c.township, c.channel, w.words)
        .select_from(consultations.outerjoin(consultation_words, w.consultation_id == c.id))
        .where(c.opened_at >= start, c.opened_at < end, c.kind == "approval", c.entry_id != "")
        .order_by(c.opened_at)
    )
    return [
        Question(
            from_ms(row.opened_at).astimezone(LOCAL).date(),
            row.entry_id,
            mask(row.words or ""),
            OUTCOMES.get(row.outcome, row.outcome),
            row.township or UNSAID,
            CHANNELS.get(row.channel, row.channel),
        )
        for row in rows
    ]


def of_items(questions: Iterable[Question], items: Mapping[str, Entry]) -> list[tuple[str, Question]]:
    """Those about these items, each with the item's name."""
    return [(items[one.entry].question, one) for one in questions if one.entry in items]


def by_department(entries: Iterable[Entry]) -> dict[str, dict[str, Entry]]:
    """Each department's items by id."""
    found: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        for place in departments(entry):
            found.setdefault(place, {})[entry.id] = entry
    return found


def missing(conn: Connection, known: Sequence[str], periods: Sequence[Period]) -> dict[Period, list[str]]:
    """For each window the departments that have no digest of it yet."""
    rows = conn.execute(
        sa.select(_t.department, _t.from_at).where(_t.from_at.in_([period.span[0] for period in periods]))
    )
    there = {(row.department, row.from_at) for row in rows}
    owed = {period: [one for one in known if (one, period.span[0]) not in there] for period in periods}
    return {period: names for period, names in owed.items() if names}


def add(
    conn: Connection,
    *,
    new_id: NewId,
    department: str,
    period: Period,
    content: bytes,
    questions: int,
    now: datetime,
    to_send: bool,
) -> None:
    """Keep a digest; ConflictError if another process was faster. `to_send`: there is somebody to send it to."""
    row_id = new_id()
    start, end = period.span
    _ADD(
        conn,
        id=row_id,
        department=department,
        # Nobody knows what this is the hash of: a link is made when it is sent or asked for.
        token=hashlib.sha256(f"{row_id}:none".encode()).hexdigest(),
        from_at=start,
        until_at=end,
        questions=questions,
        content=content,
        state="waiting" if to_send else "kept",
        attempts=0,
        error="",
        due_at=to_ms(now),
        created_at=to_ms(now),
    )


def begin(conn: Connection, token: str, lease: timedelta, now: datetime) -> tuple[Digest, bytes] | None:
    """Claim the next digest to send, giving it a link; what was claimed and not settled comes again after `lease`."""
    row = conn.execute(
        sa.select(digests)
        .where(_t.state == "waiting", _t.due_at <= to_ms(now))
        .order_by(_t.due_at, _t.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    values = {"attempts": _t.attempts + 1, "due_at": to_ms(now + lease), "token": hashed(token)}
    conn.execute(sa.update(digests).where(_t.id == row.id).values(**values))
    return _read(row), row.content


def settle(
    conn: Connection, row_id: str, state: State, error: str, now: datetime, *, again: timedelta | None = None
) -> None:
    """Record how an attempt ended; with `again` it is tried once more after that time."""
    values: dict[str, Any] = {"state": state, "error": error[:200]}
    if again is not None:
        values["due_at"] = to_ms(now + again)
    conn.execute(sa.update(digests).where(_t.id == row_id).values(**values))


def send_again(conn: Connection, row_id: str, now: datetime) -> bool:
    """Put one back into the queue, as if it had never been tried; whether there is such a one."""
    values = {"state": "waiting", "attempts": 0, "error": "", "due_at": to_ms(now)}
    return bool(conn.execute(sa.update(digests).where(_t.id == row_id).values(**values)).rowcount)


def new_link(conn: Connection, row_id: str, token: str) -> bool:
    """Give one a new link; the old one is dead. Whether there is such a one."""
    return bool(conn.execute(sa.update(digests).where(_t.id == row_id).values(token=hashed(token))).rowcount)


def by_token(conn: Connection, token: str, now: datetime) -> tuple[Digest, bytes] | None:
    """What a link leads to, while it lasts."""
    row = conn.execute(sa.select(digests).where(_t.token == hashed(token))).first()
    if row is None or from_ms(row.created_at) + KEEP <= now:
        return None
    return _read(row), row.content


def recent(conn: Connection, limit: int) -> list[Digest]:
    """The newest digests."""
    columns = [column for column in _t if column.name != "content"]
    statement = sa.select(*columns).order_by(_t.from_at.desc(), _t.department).limit(limit)
    return [_read(row) for row in conn.execute(statement)]


def content(conn: Connection, row_id: str) -> tuple[Digest, bytes] | None:
    """A digest with its file."""
    row = conn.execute(sa.select(digests).where(_t.id == row_id)).first()
    return None if row is None else (_read(row), row.content)


def forget(conn: Connection, now: datetime) -> int:
    """Remove what is older than its link; returns how many."""
    return conn.execute(sa.delete(digests).where(_t.created_at <= to_ms(now - KEEP))).rowcount


def name_of(locality: Locality, department: str) -> str:
    """What a department is called in the county."""
    office = locality.offices.get(department)
    if office is not None:
        return office.name
    kind = locality.kinds.get(department)
    return kind.name if kind else department


def file_name(name: str, digest: Digest) -> str:
    """What the file is called."""
    return f"{name}群众咨询{digest.period.first:%m%d}-{digest.period.last:%m%d}.xlsx"


def hashed(token: str) -> str:
    """What the store knows of a link."""
    return hashlib.sha256(token.encode()).hexdigest()


def _read(row: Any) -> Digest:
    first = from_ms(row.from_at).astimezone(LOCAL).date()
    last = (from_ms(row.until_at) - timedelta(milliseconds=1)).astimezone(LOCAL).date()
    return Digest(
        row.id, row.department, row.token, Period(first, last), row.questions, row.state, row.attempts, row.error,
        from_ms(row.due_at), from_ms(row.created_at),
    )  # fmt: skip
