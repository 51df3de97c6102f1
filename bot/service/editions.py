"""The county's own versions of an entry: draft → second pair of eyes → published; and back again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service import audit, county
from bot.service.county import RefusedError
from bot.service.staff import Member
from bot.store.tables import audit as log
from bot.store.tables import entry_versions, staff
from bot.store.times import from_ms, to_ms
from knowledge.entry import Entry
from knowledge.overlay import decoded, encoded

State = Literal["draft", "review", "published", "replaced", "dropped"]
OPEN: tuple[State, ...] = ("draft", "review")
OWN = "自己写的要请另一位同事审，不能自己批准。"
GONE = "这份稿子已经有人处理过了，请刷新页面看看。"
CHANGED = "这份稿子刚刚又被改过，请看过新的文字再批准。"
_v = entry_versions.c


class EditedError(RefusedError):
    """Somebody else changed the entry since this editor opened it."""

    def __init__(self) -> None:
        super().__init__("您打开以后，有同事改过这一条。请对照两边的文字，改好再保存。")


class Edition(msgspec.Struct, frozen=True):
    """One version of the county's own. `entry` None retires it."""

    id: str
    entry_id: str
    number: int
    state: State
    entry: Entry | None
    based_on: str
    note: str
    author: str
    author_id: str
    reviewer: str
    publish_at: datetime | None
    changed_at: datetime
    published_at: datetime | None

    @property
    def version(self) -> str:
        """Names its text."""
        return self.entry.version if self.entry else "retired"


def _select() -> sa.Select[Any]:
    writer, second = staff.alias("writer"), staff.alias("second")
    return (
        sa.select(entry_versions, writer.c.name.label("author"), second.c.name.label("reviewer"))
        .join(writer, writer.c.id == _v.author_id)
        .outerjoin(second, second.c.id == _v.reviewer_id)
    )


def _edition(row: Any) -> Edition:
    return Edition(
        id=row.id,
        entry_id=row.entry_id,
        number=row.number,
        state=row.state,
        entry=decoded(row.body) if row.body else None,
        based_on=row.based_on,
        note=row.note,
        author=row.author,
        author_id=row.author_id,
        reviewer=row.reviewer or "",
        publish_at=from_ms(row.publish_at) if row.publish_at else None,
        changed_at=from_ms(row.changed_at),
        published_at=None if row.published_at is None else from_ms(row.published_at),
    )


def of(conn: Connection, entry_id: str) -> list[Edition]:
    """All versions of an entry, newest first."""
    return [_edition(row) for row in conn.execute(_select().where(_v.entry_id == entry_id).order_by(_v.number.desc()))]


def opened(conn: Connection, entry_id: str) -> Edition | None:
    """The draft that is being written or waits for its review, if there is one."""
    return next((one for one in of(conn, entry_id) if one.state in OPEN), None)


def pending(conn: Connection, now: datetime) -> list[Edition]:
    """Drafts, what waits for a review, and what waits for its day; oldest first."""
    waits = (_v.state == "published") & (_v.publish_at > to_ms(now))
    chosen = _select().where(sa.or_(_v.state.in_(OPEN), waits)).order_by(_v.changed_at)
    return [_edition(row) for row in conn.execute(chosen)]


def to_review(conn: Connection, member_id: str) -> int:
    """How many wait for a second pair of eyes that may be this member's."""
    others = sa.select(sa.func.count()).where(_v.state == "review", _v.author_id != member_id)
    return int(conn.execute(others).scalar_one())


def save(
    conn: Connection, new_id: NewId, entry_id: str, entry: Entry | None, by: Member, now: datetime, *,
    seen: str, serving: str, note: str = "", publish_at: datetime | None = None, review: bool = False,
) -> str:  # fmt: skip
    """Keep a draft, or hand it to a second pair of eyes; returns its id.

    `seen` is the version of the text the editor began with, `serving` that of what is served ("" if nothing is):
    EditedError if somebody changed it meanwhile.
    """
    draft = opened(conn, entry_id)
    if (draft.version if draft else serving) != seen:
        raise EditedError
    values = {
        "state": "review" if review else "draft",
        "body": encoded(entry) if entry else "",
        "note": note[:1000],
        "author_id": by.id,
        "publish_at": to_ms(publish_at) if publish_at else 0,
        "changed_at": to_ms(now),
    }
    if draft:
        edition = draft.id
        # Where nobody came in between: two processes may be here at once.
        held = (_v.id == edition) & _v.state.in_(OPEN) & (_v.changed_at == to_ms(draft.changed_at))
        if not conn.execute(sa.update(entry_versions).where(held).values(values)).rowcount:
            raise EditedError
    else:
        edition = new_id()
        _insert(conn, values | {"id": edition, "entry_id": entry_id, "based_on": serving, "created_at": to_ms(now)})
    audit.write(conn, new_id, "knowledge.draft", now=now, staff=by.id, subject=entry_id, detail=edition)
    return edition


def _insert(conn: Connection, values: dict[str, Any]) -> None:
    newest = sa.select(sa.func.max(_v.number)).where(_v.entry_id == values["entry_id"])
    number = (conn.execute(newest).scalar() or 0) + 1
    try:
        conn.execute(sa.insert(entry_versions).values(values | {"number": number}))
    except sa.exc.IntegrityError as error:
        raise EditedError from error


def approve(
    conn: Connection, new_id: NewId, edition_id: str, by: Member, now: datetime, *, seen: str, confirm: bool
) -> Edition:
    """The second pair of eyes: from now on, or from its day, it serves. With `confirm` a lawyer's reading counts, too."""
    one = _waiting(conn, edition_id, ("review",))
    if by.id in {one.author_id, *_writers(conn, one)}:
        raise RefusedError(OWN)
    if one.version != seen:
        raise RefusedError(CHANGED)
    due = one.publish_at if one.publish_at and one.publish_at > now else None
    if due is None:
        replace_published(conn, one.entry_id)
    _move(
        conn,
        one,
        now,
        state="published",
        reviewer_id=by.id,
        publish_at=to_ms(due) if due else 0,
        published_at=to_ms(now),
    )
    if confirm and one.entry:
        county.settle(conn, one.entry_id, one.version, "confirmed", by.id, now)
    audit.write(conn, new_id, "knowledge.publish", now=now, staff=by.id, subject=one.entry_id, detail=edition_id)
    return one


def _writers(conn: Connection, one: Edition) -> set[str]:
    """Everybody who wrote at it."""
    wrote = (log.c.subject == one.entry_id) & (log.c.action == "knowledge.draft") & (log.c.detail == one.id)
    return set(conn.execute(sa.select(log.c.staff_id).where(wrote)).scalars())


def send_back(conn: Connection, new_id: NewId, edition_id: str, by: Member, now: datetime, note: str) -> None:
    """Back to its author, with the reason."""
    one = _waiting(conn, edition_id, ("review",))
    _move(conn, one, now, state="draft", note=f"{by.name}退回：{note}"[:1000])
    audit.write(conn, new_id, "knowledge.send_back", now=now, staff=by.id, subject=one.entry_id, detail=note)


def drop(conn: Connection, new_id: NewId, edition_id: str, by: Member, now: datetime) -> None:
    """Give up a draft, or what waits for its day."""
    found = one(conn, edition_id)
    waits = found.state == "published" and found.publish_at is not None and found.publish_at > now
    if found.state not in OPEN and not waits:
        raise RefusedError(GONE)
    _move(conn, found, now, state="dropped")
    audit.write(conn, new_id, "knowledge.drop", now=now, staff=by.id, subject=found.entry_id, detail=edition_id)


def roll_back(conn: Connection, new_id: NewId, edition_id: str, by: Member, now: datetime) -> None:
    """Serve an earlier version again: two people have read it before."""
    found = _waiting(conn, edition_id, ("replaced",))
    note = f"恢复到第{found.number}版"
    publish(conn, new_id, found.entry_id, found.entry, by, now, based_on=found.version, note=note)
    audit.write(conn, new_id, "knowledge.roll_back", now=now, staff=by.id, subject=found.entry_id, detail=edition_id)


def publish(
    conn: Connection, new_id: NewId, entry_id: str, entry: Entry | None, by: Member, now: datetime, *,
    based_on: str, note: str = "从文件导入",
) -> None:  # fmt: skip
    """Serve a text that was read before, or elsewhere."""
    replace_published(conn, entry_id)
    moment = to_ms(now)
    values = {
        "id": new_id(), "entry_id": entry_id, "state": "published", "body": encoded(entry) if entry else "",
        "based_on": based_on, "note": note, "author_id": by.id, "publish_at": 0,
        "created_at": moment, "changed_at": moment, "published_at": moment,
    }  # fmt: skip
    _insert(conn, values)


def restore_shipped(conn: Connection, new_id: NewId, entry_id: str, by: Member, now: datetime) -> None:
    """Serve what came with the program again."""
    if replace_published(conn, entry_id):
        audit.write(conn, new_id, "knowledge.restore", now=now, staff=by.id, subject=entry_id)


def replace_published(conn: Connection, entry_id: str) -> int:
    """Nothing of the county's own serves for this entry any more; returns how many did."""
    serving = (_v.entry_id == entry_id) & (_v.state == "published")
    return conn.execute(sa.update(entry_versions).where(serving).values(state="replaced")).rowcount


def served_since(conn: Connection) -> dict[str, datetime]:
    """Since when each of the county's own texts is there."""
    since = sa.select(_v.entry_id, sa.func.max(_v.published_at)).where(_v.state == "published").group_by(_v.entry_id)
    return {row[0]: from_ms(row[1]) for row in conn.execute(since)}


def one(conn: Connection, edition_id: str) -> Edition:
    """An edition by its id; RefusedError if there is none."""
    row = conn.execute(_select().where(_v.id == edition_id)).first()
    if row is None:
        raise RefusedError(GONE)
    return _edition(row)


def _waiting(conn: Connection, edition_id: str, states: tuple[State, ...]) -> Edition:
    found = one(conn, edition_id)
    if found.state not in states:
        raise RefusedError(GONE)
    return found


def _move(conn: Connection, one: Edition, now: datetime, **values: Any) -> None:
    """Change it if it is still as it was looked at: two people may decide at once."""
    same = (_v.id == one.id) & (_v.state == one.state) & (_v.changed_at == to_ms(one.changed_at))
    if not conn.execute(sa.update(entry_versions).where(same).values(values | {"changed_at": to_ms(now)})).rowcount:
        raise RefusedError(GONE)
