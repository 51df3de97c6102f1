"""One pass over the consultations of a period: counted once for every combination of what is asked about later."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from operator import add
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.figures.period import Period
from bot.store.tables import consultations, staff, tasks
from bot.store.times import AHEAD, HOUR_MS

K = TypeVar("K", bound=Hashable)
_t = consultations.c
DAY_HOURS = 24
# In the order of the index ix_consultations_sorts, which is read through once.
_SORTS = (
    _t.channel, _t.kind, _t.handed, _t.urgent, _t.outcome, _t.verdict, _t.grade, _t.service, _t.handled_by, _t.township,
    _t.category,
)  # fmt: skip
# 非常满意, 满意, 基本满意 count as satisfied.
SATISFIED = 3
_EPOCH = date(1970, 1, 1)


class Tally(msgspec.Struct, frozen=True):
    """How much: consultations (人次), services (件), and what became of them."""

    consultations: int = 0
    services: int = 0
    first_answered: int = 0
    handed: int = 0
    urgent: int = 0
    rated: int = 0
    satisfied: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.consultations + other.consultations,
            self.services + other.services,
            self.first_answered + other.first_answered,
            self.handed + other.handed,
            self.urgent + other.urgent,
            self.rated + other.rated,
            self.satisfied + other.satisfied,
        )


NOTHING = Tally()


class Cell(msgspec.Struct, frozen=True):
    """Consultations that have all of this in common."""

    channel: str
    kind: str
    handed: bool
    urgent: bool
    outcome: str
    verdict: str
    grade: int
    service: str
    handler: str
    township: str
    category: str
    count: int
    first_answered: int

    @property
    def parts(self) -> tuple[int, ...]:
        """What they add to each figure of a Tally, in its order."""
        n = self.count
        return (
            n,
            n if self.service else 0,
            self.first_answered,
            n if self.handed else 0,
            n if self.urgent else 0,
            n if self.grade else 0,
            n if self.grade >= SATISFIED else 0,
        )


class Hour(msgspec.Struct, frozen=True):
    """An hour in the county: the day, 0 to 23, consultations opened and services that came of them."""

    day: date
    hour: int
    consultations: int
    services: int

    @property
    def weekday(self) -> int:
        """Monday is 0."""
        return self.day.weekday()


class Worker(msgspec.Struct, frozen=True):
    """Who handled: name and centre, the county's own centre being empty."""

    name: str
    centre: str


class Done(msgspec.Struct, frozen=True):
    """Services done: for people of which township, by whom, how many."""

    township: str
    handler: str
    count: int


@dataclass(frozen=True)
class Cube:
    """Everything counted of a period."""

    period: Period
    cells: tuple[Cell, ...]
    hours: tuple[Hour, ...]
    citizens: int

    @cached_property
    def total(self) -> Tally:
        """All of it."""
        return self.by(lambda _cell: "").get("", NOTHING)

    def by(self, key: Callable[[Cell], K], keep: Callable[[Cell], bool] | None = None) -> dict[K, Tally]:
        """Tallies by whatever `key` tells two cells apart by, of the cells to `keep`."""
        sums: dict[K, list[int]] = {}
        for cell, parts in self._parts:
            if keep is None or keep(cell):
                name = key(cell)
                known = sums.get(name)
                sums[name] = list(parts) if known is None else list(map(add, known, parts))
        return {name: Tally(*found) for name, found in sums.items()}

    @cached_property
    def _parts(self) -> list[tuple[Cell, tuple[int, ...]]]:
        return [(cell, cell.parts) for cell in self.cells]


def added(tallies: Iterable[Tally]) -> Tally:
    """Their sum."""
    return sum(tallies, NOTHING)


def cube(conn: Connection, period: Period) -> Cube:
    """Count the consultations opened in a period."""
    start, end = period.span
    within = sa.and_(_t.opened_at >= start, _t.opened_at < end)
    first = sa.func.sum(sa.case((_t.first_outcome == "answered", 1), else_=0))
    # The sum keeps SQLite from picking rows by time and sorting them: along the index of the sorts nothing is sorted,
    # five times as fast for a year of 200,000.
    moment = _t.opened_at + 0
    statement = sa.select(*_SORTS, sa.func.count(), first).where(moment >= start, moment < end).group_by(*_SORTS)
    rows = conn.execute(statement).fetchall()
    people = conn.execute(sa.select(sa.func.count(_t.citizen_id.distinct())).where(within)).scalar_one()
    return Cube(period, tuple(Cell(*tuple(row)) for row in rows), _hours(conn, within), people)


def workers(conn: Connection) -> dict[str, Worker]:
    """Everybody who may have handled something, by login."""
    rows = conn.execute(sa.select(staff.c.login, staff.c.name, staff.c.centre))
    return {row.login: Worker(row.name, row.centre) for row in rows}


def done(conn: Connection, period: Period) -> list[Done]:
    """The services that came of the consultations opened in a period, by township and who did them."""
    start, end = period.span
    statement = sa.select(_t.township, _t.handled_by, sa.func.count()).where(
        _t.opened_at >= start, _t.opened_at < end, _t.service != ""
    )
    return [Done(*tuple(row)) for row in conn.execute(statement.group_by(_t.township, _t.handled_by))]


def targets(conn: Connection, year: int) -> dict[str, int]:
    """The year's task by place; the whole county is the empty place."""
    return {row.place: row.target for row in conn.execute(sa.select(tasks).where(tasks.c.year == year))}


def _hours(conn: Connection, within: sa.ColumnElement[bool]) -> tuple[Hour, ...]:
    hour = (_t.opened_at // HOUR_MS + AHEAD).label("hour")
    statement = sa.select(hour, sa.func.count(), sa.func.count(sa.func.nullif(_t.service, "")))
    rows = conn.execute(statement.where(within).group_by(hour).order_by(hour))
    return tuple(
        Hour(_EPOCH + timedelta(days=stamp // DAY_HOURS), stamp % DAY_HOURS, count, services)
        for stamp, count, services in rows
    )
