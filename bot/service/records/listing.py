"""Finding consultations: a page of them, newest first, and how many there are of each sort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.records.filters import BY_NAME, FIELDS, Filter
from bot.store.tables import consultation_words, consultations, handoffs
from bot.store.times import AHEAD, HOUR_MS, from_ms, to_ms

# More consultations than this with the words looked for are not counted: looking at each would take too long.
MOST_COUNTED = 30_000
# This few are taken as they are, sorted and counted here: one look through all words instead of two.
FEW = 2_000
_SHOWN = 400
_t, _w, _h = consultations.c, consultation_words.c, handoffs.c
_hours = _t.opened_at // HOUR_MS + AHEAD
_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "entry": _t.entry_id,
    "first": _t.first_outcome,
    # 1970 began on a Thursday.
    "weekday": (_hours // 24 + 3) % 7 + 1,
    "hour": _hours % 24,
}
_COLUMNS |= {field.name: _t[field.name] for field in FIELDS if field.name in _t}
# In the order of the indexes ix_consultations_sorts and ix_consultations_places, which are read through once each.
_SORTS = ("channel", "kind", "handed", "urgent", "outcome", "verdict", "grade", "service", "handled_by")
_PLACES = ("township", "category")
_ALL = (*_SORTS, *_PLACES)

Place = tuple[int, str]


class Line(msgspec.Struct, frozen=True):
    """A consultation in the list. `words` are the first of what the citizen said, as said."""

    id: str
    citizen: str
    opened_at: datetime
    channel: str
    kind: str
    category: str
    township: str
    entry: str
    verdict: str
    outcome: str
    service: str
    handled_by: str
    handed: bool
    grade: int
    urgent: bool
    messages: int
    minutes: int
    summary: str
    words: str

    @property
    def place(self) -> Place:
        """Where it stands in the list; what comes behind it is older."""
        return to_ms(self.opened_at), self.id


class Facets(msgspec.Struct, frozen=True):
    """How many fit, and for each field how many have which value, most first. Not `whole`: too many to count."""

    total: int
    counts: dict[str, list[tuple[str, int]]]
    whole: bool = True


class Look(msgspec.Struct, frozen=True):
    """A page of the log and the counts beside it."""

    lines: list[Line]
    facets: Facets


def look(
    conn: Connection, wanted: Filter, limit: int, before: Place | None = None, known: Facets | None = None
) -> Look:
    """A page with its counts; `known`: they were counted a moment ago."""
    if wanted.words and (hits := _few_hits(conn, wanted)) is not None:
        behind = [row.id for row in hits if before is None or (row.opened_at, row.id) < before]
        found: Counter[tuple[str, str]] = Counter()
        _add(found, _ALL, [(*row[2:], 1) for row in hits])
        return Look(_lines(conn, sa.select(_t.id).where(_t.id.in_(behind[:limit]))), Facets(len(hits), _sorted(found)))
    return Look(page(conn, wanted, limit, before), known or facets(conn, wanted))


def _few_hits(conn: Connection, wanted: Filter) -> list[Any] | None:
    """All with these words, newest first, if they are few: one look through what was said tells everything."""
    statement = (
        sa.select(_t.id, _t.opened_at, *(_COLUMNS[name] for name in _ALL))
        .join(consultation_words, _w.consultation_id == _t.id)
        .where(*_conditions(wanted), *_said(conn, wanted))
        .limit(FEW + 1)
    )
    rows = conn.execute(statement).fetchall()
    return None if len(rows) > FEW else sorted(rows, key=lambda row: (row.opened_at, row.id), reverse=True)


def page(
    conn: Connection, wanted: Filter, limit: int, before: Place | None = None, *, whole: bool = False
) -> list[Line]:
    """The newest that fit, or those behind a place in the list; `whole`: with all that was said."""
    ids = sa.select(_t.id).where(*_conditions(wanted))
    if wanted.words:
        ids = ids.where(sa.exists().where(_w.consultation_id == _t.id, *_said(conn, wanted)))
    if before is not None:
        ids = ids.where(sa.tuple_(_t.opened_at, _t.id) < sa.tuple_(sa.literal(before[0]), sa.literal(before[1])))
    return _lines(conn, ids.order_by(_t.opened_at.desc(), _t.id.desc()).limit(limit), whole=whole)


def count(conn: Connection, wanted: Filter) -> int:
    """How many fit, however long it takes."""
    where = _conditions(wanted)
    if wanted.words:
        where.append(sa.exists().where(_w.consultation_id == _t.id, *_said(conn, wanted)))
    return conn.execute(sa.select(sa.func.count()).select_from(consultations).where(*where)).scalar_one()


def one(conn: Connection, consultation_id: str) -> Line:
    """A consultation by id, which must be there."""
    return _lines(conn, sa.select(_t.id).where(_t.id == consultation_id))[0]


def of_citizen(conn: Connection, citizen_id: str, limit: int) -> list[Line]:
    """The newest of one citizen."""
    ids = sa.select(_t.id).where(_t.citizen_id == citizen_id).order_by(sa.desc(_t.opened_at + 0)).limit(limit)
    return _lines(conn, ids)


def _lines(conn: Connection, ids: sa.Select[Any], *, whole: bool = False) -> list[Line]:
    chosen = ids.subquery()
    words = _w.words if whole else sa.func.substr(_w.words, 1, _SHOWN).label("words")
    statement = (
        sa.select(consultations, words)
        .select_from(chosen)
        .join(consultations, _t.id == chosen.c.id)
        .outerjoin(consultation_words, _w.consultation_id == _t.id)
        .order_by(_t.opened_at.desc(), _t.id.desc())
    )
    return [_line(row) for row in conn.execute(statement)]


def facets(conn: Connection, wanted: Filter) -> Facets:
    """Count what fits, in one or two passes over an index, however many there are."""
    if wanted.words:
        return _facets_of_words(conn, wanted)
    where = _conditions(wanted)
    found: Counter[tuple[str, str]] = Counter()
    total = 0
    for names in (_SORTS, _PLACES):
        columns = [_COLUMNS[name] for name in names]
        statement = sa.select(*columns, sa.func.count()).where(*where).group_by(*columns)
        total = _add(found, names, conn.execute(statement).fetchall())
    return Facets(total, _sorted(found))


def _facets_of_words(conn: Connection, wanted: Filter) -> Facets:
    hits = (
        sa.select(*(_COLUMNS[name] for name in _ALL))
        .join(consultation_words, _w.consultation_id == _t.id)
        .where(*_conditions(wanted), *_said(conn, wanted))
        .limit(MOST_COUNTED + 1)
        .cte("hits")
        .prefix_with("MATERIALIZED")
    )
    # The words are looked through once, the hits are grouped twice: all sorts at once would be as many groups as hits.
    one, two = (_grouped(hits, part) for part in (_SORTS, _PLACES))
    rows = conn.execute(sa.union_all(one, two)).fetchall()
    found: Counter[tuple[str, str]] = Counter()
    cut = len(_SORTS)
    total = _add(found, _SORTS, [(*row[:cut], row[-1]) for row in rows if row.channel is not None])
    _add(found, _PLACES, [row[cut:] for row in rows if row.channel is None])
    if total > MOST_COUNTED:
        return Facets(MOST_COUNTED, {}, whole=False)
    return Facets(total, _sorted(found))


def _grouped(hits: sa.CTE, part: Sequence[str]) -> sa.Select[Any]:
    columns = [hits.c[name] if name in part else sa.cast(sa.null(), _COLUMNS[name].type).label(name) for name in _ALL]
    return sa.select(*columns, sa.func.count().label("number")).group_by(*(hits.c[name] for name in part))


def _add(found: Counter[tuple[str, str]], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    total = 0
    for row in rows:
        number = row[-1]
        total += number
        for name, value in zip(names, row, strict=False):
            found[name, _written(value)] += number
    return total


def _written(value: object) -> str:
    return str(int(value)) if isinstance(value, bool | int) else str(value)


def _sorted(found: Counter[tuple[str, str]]) -> dict[str, list[tuple[str, int]]]:
    counts: dict[str, list[tuple[str, int]]] = {field.name: [] for field in FIELDS if field.facet}
    for (name, value), number in sorted(found.items(), key=lambda one: (-one[1], one[0])):
        counts[name].append((value, number))
    return counts


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for name, values in wanted.chosen:
        if name == "ended":
            found.append(_t.id.in_(sa.select(_h.consultation_id).where(_h.ended.in_(values))))
            continue
        field, column = BY_NAME[name], _COLUMNS[name]
        # Behind coalesce a column draws no index of its own: each statement here is made for the one it reads through.
        if field.type == "text":
            found.append(sa.func.coalesce(column, "").in_(values))
        elif field.type == "number":
            found.append(sa.func.coalesce(column, 0).in_([int(value) for value in values]))
        else:
            found.append(sa.func.coalesce(column, sa.false()).in_([value == "1" for value in values]))
    if wanted.start is not None:
        found.append(_t.opened_at >= to_ms(wanted.start))
    if wanted.end is not None:
        found.append(_t.opened_at < to_ms(wanted.end))
    return found


def _said(conn: Connection, wanted: Filter) -> list[sa.ColumnElement[bool]]:
    """All words were said. Not LIKE: half as fast, and it would need escaping."""
    find = sa.func.instr if conn.dialect.name == "sqlite" else sa.func.strpos
    return [find(_w.words, word) > 0 for word in wanted.words]


def _line(row: Any) -> Line:
    return Line(
        row.id,
        row.citizen_id,
        from_ms(row.opened_at),
        row.channel,
        row.kind,
        row.category,
        row.township,
        row.entry_id,
        row.verdict,
        row.outcome,
        row.service,
        row.handled_by,
        row.handed,
        row.grade,
        row.urgent,
        row.messages,
        row.minutes,
        row.summary,
        row.words or "",
    )
