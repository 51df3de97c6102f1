"""One pass over the consultations of a period: counted once for every combination of what is asked about later."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from operator import add
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.figures.period import Period
from bot.store.tables import consultations, staff, tasks

K = TypeVar("K", bound=Hashable)
_t = consultations.c
HOUR_MS, DAY_HOURS = 3_600_000, 24
# The county's clock is eight hours ahead of UTC, summer and winter.
_AHEAD = 8
# 非常满意, 满意, 基本满意 count as satisfied.
SATISFIED = 3
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Tally:
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


@dataclass(frozen=True, slots=True)
class Cell:
    """Consultations that have all of this in common."""

    kind: str
    category: str
    township: str
    channel: str
    outcome: str
    first_outcome: str
    handler: str
    service: str
    grade: int
    urgent: bool
    handed: bool
    count: int

    @property
    def parts(self) -> tuple[int, ...]:
        """What they add to each figure of a Tally, in its order."""
        n = self.count
        return (
            n,
            n if self.service else 0,
            n if self.first_outcome == "answered" else 0,
            n if self.handed else 0,
            n if self.urgent else 0,
            n if self.grade else 0,
            n if self.grade >= SATISFIED else 0,
        )


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour in the county: the day, 0 to 23, consultations opened and services that came of them."""

    day: date
    hour: int
    consultations: int
    services: int

    @property
    def weekday(self) -> int:
        """Monday is 0."""
        return self.day.weekday()


@dataclass(frozen=True, slots=True)
class Worker:
    """Who handled: name and centre, the county's own centre being empty."""

    name: str
    centre: str


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
    columns = (
        _t.kind, _t.category, _t.township, _t.channel, _t.outcome, _t.first_outcome, _t.handled_by, _t.service,
        _t.grade, _t.urgent, _t.handed,
    )  # fmt: skip
    rows = conn.execute(sa.select(*columns, sa.func.count()).where(within).group_by(*columns)).fetchall()
    people = conn.execute(sa.select(sa.func.count(_t.citizen_id.distinct())).where(within)).scalar_one()
    return Cube(period, tuple(Cell(*tuple(row)) for row in rows), _hours(conn, within), people)


def workers(conn: Connection) -> dict[str, Worker]:
    """Everybody who may have handled something, by login."""
    rows = conn.execute(sa.select(staff.c.login, staff.c.name, staff.c.centre))
    return {row.login: Worker(row.name, row.centre) for row in rows}


def targets(conn: Connection, year: int) -> dict[str, int]:
    """The year's task by place; the whole county is the empty place."""
    return {row.place: row.target for row in conn.execute(sa.select(tasks).where(tasks.c.year == year))}


def _hours(conn: Connection, within: sa.ColumnElement[bool]) -> tuple[Hour, ...]:
    hour = (_t.opened_at // HOUR_MS + _AHEAD).label("hour")
    statement = sa.select(hour, sa.func.count(), sa.func.count(sa.func.nullif(_t.service, "")))
    rows = conn.execute(statement.where(within).group_by(hour).order_by(hour))
    return tuple(
        Hour(_EPOCH + timedelta(days=stamp // DAY_HOURS), stamp % DAY_HOURS, count, services)
        for stamp, count, services in rows
    )
