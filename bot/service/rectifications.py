"""Bad ratings being put right (差评整改): opened by the rating, changed only through the machine, the citizen told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.conversation import rectification
from bot.conversation.handoff import subjects
from bot.conversation.handoff.duty import Hours
from bot.conversation.handoff.wording import GRADES
from bot.conversation.rectification import Act, Actor, Case, RefusedError
from bot.conversation.turn import LOCAL, Visit
from bot.ids import NewId
from bot.service import audit, outbox, threads
from bot.service.citizens import read_state, written_state
from bot.service.outbox import OutboxState
from bot.store.tables import audit as log
from bot.store.tables import citizens, consultation_words, consultations, handoffs, ratings, staff
from bot.store.tables import outbox as letters
from bot.store.tables import rectifications as table
from bot.store.times import from_ms, to_ms
from knowledge.reply import Reply

_t = table.c
CHANGED = "别人刚刚改过这一条。请看清现在的情况，再操作。"
SHUT = "这个账号已经停用，请另选一位。"
YOURS = "有一条差评由您负责整改：{subject}，{due}前办完。请打开工作台的“整改”看。"
LETTER = "您上次打分“{grade}”的事，我们认真查过了，答复您：\n{reply}"
# Fields of the value whose columns have other names; what cannot change.
_FIXED = frozenset({"id", "rated"})
_COLUMNS = {"responsible": "staff_id", "due": "due_on"}


class Terms(msgspec.Struct, frozen=True):
    """How long there is to put something right: so many working days of the county."""

    hours: Hours
    days: int = 5

    def due(self, now: datetime) -> date:
        """The last day for what begins now."""
        return self.hours.after(now.astimezone(LOCAL).date(), self.days)


class Owed(msgspec.Struct, frozen=True):
    """How many wait for a member of staff, and how many of these are overdue."""

    open: int = 0
    overdue: int = 0


class Step(msgspec.Struct, frozen=True):
    """Something that was done: when, by whom (empty: the citizen), which act."""

    at: datetime
    who: str
    action: str
    detail: str


class Line(msgspec.Struct, frozen=True):
    """A rectification with what a list shows of it. `entry` and `category` tell what it was about."""

    case: Case
    citizen: str
    consultation: str
    grade: int
    words: str
    rated: str
    responsible: str
    channel: str
    kind: str
    category: str
    entry: str
    opened_at: datetime
    erased: bool


def open_for(
    conn: Connection, new_id: NewId, rating_id: str, citizen_id: str, consultation: str | None, due: date, now: datetime
) -> None:
    """A bad rating must be put right; one rectification for each rating."""
    if conn.execute(sa.select(_t.id).where(_t.rating_id == rating_id)).first():
        return
    row_id = new_id()
    conn.execute(
        sa.insert(table).values(
            id=row_id,
            rating_id=rating_id,
            consultation_id=consultation,
            citizen_id=citizen_id,
            staff_id=None,
            state="open",
            due_on=due.isoformat(),
            measures="",
            reply="",
            visit="",
            visit_grade=0,
            proof="",
            version=1,
            rounds=0,
            opened_at=to_ms(now),
            visit_asked_at=None,
            replied_at=None,
            visited_at=None,
            closed_at=None,
        )
    )
    audit.write(conn, new_id, "rectify.open", now=now, citizen=citizen_id, subject=row_id)


def get(conn: Connection, row_id: str) -> Line:
    """One rectification; KeyError if there is none."""
    row = conn.execute(_lines().where(_t.id == row_id)).first()
    if row is None:
        raise KeyError(row_id)
    return _read(row)


def find(
    conn: Connection,
    today: date,
    *,
    state: str = "",
    responsible: str = "",
    entry: str = "",
    by: Actor | None = None,
    limit: int = 200,
) -> list[Line]:
    """Those in a state, the most overdue first.

    `overdue`, `unassigned` and `mine` (what waits for `by`) are names, too; empty: all open ones.
    """
    statement = _lines().order_by(_t.closed_at.is_not(None), _t.due_on, _t.id).limit(limit)
    named = {
        "": _t.closed_at.is_(None) if not entry else sa.true(),
        "overdue": _is_overdue(today),
        "unassigned": sa.and_(_t.closed_at.is_(None), _t.staff_id.is_(None)),
        "mine": _waits_for(by or Actor()),
    }
    statement = statement.where(named.get(state, _t.state == state))
    if responsible:
        statement = statement.where(_t.staff_id == responsible)
    if entry:
        statement = statement.where(consultations.c.entry_id == entry)
    return [_read(row) for row in conn.execute(statement)]


def counts(conn: Connection, today: date, *, responsible: str = "") -> dict[str, int]:
    """How many stand in each state, how many are overdue, and how many nobody answers for yet."""
    own = _t.staff_id == responsible if responsible else sa.true()
    found = dict.fromkeys(rectification.STATE_NAMES, 0)
    rows = conn.execute(sa.select(_t.state, sa.func.count()).where(own).group_by(_t.state))
    found |= {row[0]: row[1] for row in rows}
    late = sa.select(sa.func.count()).select_from(table).where(own, _is_overdue(today))
    nobodys = sa.select(sa.func.count()).select_from(table).where(own, _t.closed_at.is_(None), _t.staff_id.is_(None))
    return found | {"overdue": conn.execute(late).scalar_one(), "unassigned": conn.execute(nobodys).scalar_one()}


def owed(conn: Connection, by: Actor, today: date) -> Owed:
    """What waits for somebody: their own cases, and for heads those that nobody was given yet."""
    late = sa.func.count(sa.case((_t.due_on < today.isoformat(), 1)))
    return Owed(*tuple(conn.execute(sa.select(sa.func.count(), late).where(_waits_for(by))).one()))


def act(
    conn: Connection,
    new_id: NewId,
    row_id: str,
    done: Act,
    by: Actor,
    terms: Terms,
    now: datetime,
    *,
    version: int = 0,
    detail: str = "",
) -> Case:
    """Let something be done: on record, told to the citizen where it concerns them, all or nothing.

    RefusedError says why it cannot be; `version` is what the person saw (0: whatever stands). KeyError if there is none.
    """
    # Their own WeChat first: its turns lock it before the citizens it speaks to.
    wechat = _wechat(conn, done.to) if done.name == "assign" else ""
    owner = sa.select(_t.citizen_id).where(_t.id == row_id).scalar_subquery()
    conn.execute(sa.select(citizens.c.id).where(citizens.c.id == owner).with_for_update())
    line = get(conn, row_id)
    before = line.case
    if version and version != before.version:
        raise RefusedError(CHANGED)
    if done.to and done.to not in names(conn):
        raise RefusedError(SHUT)
    after = rectification.apply(before, done, by, now, terms.due(now))
    _save(conn, before, after)
    audit.write(
        conn, new_id, f"rectify.{done.name}", now=now, staff=by.id, citizen=line.citizen, subject=row_id, detail=detail
    )
    if wechat and done.to != before.responsible:
        told = YOURS.format(
            subject=subjects.of_category(line.category).label, due=f"{after.due.month}月{after.due.day}日"
        )
        outbox.write(conn, new_id, wechat, [Reply(told)], now)
    if done.name == "reply":
        text = LETTER.format(grade=GRADES[line.grade], reply=done.reply)
        outbox.write(conn, new_id, line.citizen, threads.parts(Reply(text)), now)
        _ask_later(conn, line.citizen, row_id)
    return after


def visited(conn: Connection, new_id: NewId, citizen_id: str, said: Visit, terms: Terms, now: datetime) -> None:
    """What the citizen said at the second visit, or that they were asked. Somebody else's case changes nothing."""
    row = conn.execute(sa.select(_t.citizen_id, _t.state, _t.visit).where(_t.id == said.rectification)).first()
    if row is None or row.citizen_id != citizen_id:
        return
    this = sa.update(table).where(_t.id == said.rectification)
    if said.asked:
        conn.execute(this.values(visit_asked_at=to_ms(now)))
    if said.words:
        conn.execute(this.values(visit="\n".join(filter(None, (row.visit, said.words)))))
    done = rectification.visit_of(said.grade)
    if said.grade and (row.state, done.name) in rectification.TRANSITIONS:
        act(conn, new_id, said.rectification, done, Actor(), terms, now, detail=GRADES[said.grade])


def withdraw(conn: Connection, new_id: NewId, citizen_id: str, terms: Terms, now: datetime) -> None:
    """The citizen is gone: what was still to be done for them ends."""
    for row_id in (
        conn.execute(sa.select(_t.id).where(_t.citizen_id == citizen_id, _t.closed_at.is_(None))).scalars().all()
    ):
        act(conn, new_id, row_id, Act("withdraw"), Actor(), terms, now)


def asked(conn: Connection, line: Line) -> str:
    """What the citizen said in the matter, one message a line."""
    w = consultation_words.c
    return conn.execute(sa.select(w.words).where(w.consultation_id == line.consultation)).scalar() or ""


def letter(conn: Connection, line: Line) -> OutboxState | None:
    """How far the reply to the citizen got: the state of its last part; None if there was none."""
    if line.case.replied_at is None:
        return None
    o = letters.c
    this = sa.and_(o.citizen_id == line.citizen, o.created_at == to_ms(line.case.replied_at))
    last = sa.select(o.state).where(this, o.inbox_id.is_(None), o.message_id.is_(None)).order_by(o.place.desc())
    return conn.execute(last.limit(1)).scalar()


def history(conn: Connection, row_id: str) -> list[Step]:
    """What was done, oldest first."""
    t = log.c
    statement = (
        sa.select(t.at, t.action, t.detail, staff.c.name)
        .outerjoin_from(log, staff, staff.c.id == t.staff_id)
        .where(t.subject == row_id, t.action.like("rectify.%"))
        .order_by(t.at, t.id)
    )
    return [Step(from_ms(row.at), row.name or "", row.action, row.detail) for row in conn.execute(statement)]


def names(conn: Connection) -> dict[str, str]:
    """Everybody who may be responsible, by id: whoever has an account that is open."""
    rows = conn.execute(sa.select(staff.c.id, staff.c.name).where(staff.c.disabled_at.is_(None)).order_by(staff.c.name))
    return {row.id: row.name for row in rows}


def _waits_for(by: Actor) -> sa.ColumnElement[bool]:
    given = sa.or_(_t.staff_id == by.id, _t.staff_id.is_(None)) if by.head else _t.staff_id == by.id
    return sa.and_(_t.closed_at.is_(None), given)


def _wechat(conn: Connection, staff_id: str) -> str:
    """The row of their own WeChat among citizens, locked; empty if they never bound one."""
    bound = sa.select(staff.c.citizen_id).where(staff.c.id == staff_id).scalar_subquery()
    return conn.execute(sa.select(citizens.c.id).where(citizens.c.id == bound).with_for_update()).scalar() or ""


def _is_overdue(today: date) -> sa.ColumnElement[bool]:
    return sa.and_(_t.closed_at.is_(None), _t.due_on < today.isoformat())


def _ask_later(conn: Connection, citizen_id: str, row_id: str) -> None:
    """The bot will ask how it is now when the citizen next writes. The citizen's row is locked."""
    kept = conn.execute(sa.select(citizens.c.state).where(citizens.c.id == citizen_id)).scalar_one()
    state = replace(read_state(kept), visit=row_id)
    conn.execute(sa.update(citizens).where(citizens.c.id == citizen_id).values(state=written_state(state)))


_rated = staff.alias("rated")
_responsible = staff.alias("responsible")


def _lines() -> sa.Select[Any]:
    c = consultations.c
    return sa.select(
        table,
        ratings.c.grade,
        ratings.c.words,
        handoffs.c.lawyer_id,
        _rated.c.name.label("rated_name"),
        _responsible.c.name.label("responsible_name"),
        citizens.c.channel,
        citizens.c.erased_at,
        sa.func.coalesce(c.kind, "").label("kind"),
        sa.func.coalesce(c.category, "").label("category"),
        sa.func.coalesce(c.entry_id, "").label("entry_id"),
    ).select_from(
        table.join(ratings, ratings.c.id == _t.rating_id)
        .join(citizens, citizens.c.id == _t.citizen_id)
        .outerjoin(handoffs, handoffs.c.id == ratings.c.handoff_id)
        .outerjoin(consultations, c.id == _t.consultation_id)
        .outerjoin(_rated, _rated.c.id == handoffs.c.lawyer_id)
        .outerjoin(_responsible, _responsible.c.id == _t.staff_id)
    )


def _read(row: Any) -> Line:
    return Line(
        _case(row),
        row.citizen_id,
        row.consultation_id or "",
        row.grade,
        row.words,
        row.rated_name or "",
        row.responsible_name or "",
        row.channel,
        row.kind,
        row.category,
        row.entry_id,
        from_ms(row.opened_at),
        row.erased_at is not None,
    )


def _case(row: Any) -> Case:
    return Case(
        id=row.id,
        state=row.state,
        due=date.fromisoformat(row.due_on),
        rated=row.lawyer_id or "",
        responsible=row.staff_id or "",
        measures=row.measures,
        reply=row.reply,
        visit=row.visit,
        visit_grade=row.visit_grade,
        proof=row.proof,
        rounds=row.rounds,
        version=row.version,
        replied_at=_moment(row.replied_at),
        visit_asked_at=_moment(row.visit_asked_at),
        visited_at=_moment(row.visited_at),
        closed_at=_moment(row.closed_at),
    )


def _moment(stored: int | None) -> datetime | None:
    return None if stored is None else from_ms(stored)


def _save(conn: Connection, before: Case, after: Case) -> None:
    values: dict[str, Any] = {}
    for column in msgspec.structs.fields(Case):
        new = getattr(after, column.name)
        if column.name not in _FIXED and new != getattr(before, column.name):
            stored = to_ms(new) if isinstance(new, datetime) else new.isoformat() if isinstance(new, date) else new
            values[_COLUMNS.get(column.name, column.name)] = stored
    changed = conn.execute(sa.update(table).where(_t.id == after.id, _t.version == before.version).values(**values))
    if changed.rowcount != 1:
        raise RefusedError(CHANGED)
