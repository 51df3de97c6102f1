"""The yearly task: services to be done in a year, by place, against what is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.figures.cube import Done, Worker
from bot.service.figures.period import Period
from bot.store.tables import tasks

MOST = 1_000_000


class Task(msgspec.Struct, frozen=True):
    """A place's task and what was done of it from New Year until the end of the period.

    `place` is empty for the county; `logins` are the members of a centre, whose services count as the centre's.
    """

    place: str
    target: int
    done: int
    period: Period
    logins: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """How much of it is done, 1.22 for 122 %."""
        return self.done / self.target

    @property
    def filters(self) -> dict[str, str | tuple[str, ...]]:
        """What finds the services done, beside the period."""
        if not self.place:
            return {}
        return {"handled_by": self.logins} if self.logins else {"township": self.place}


def tasks_of(
    so_far: Period, services: Sequence[Done], workers: Mapping[str, Worker], targets: Mapping[str, int]
) -> tuple[Task, ...]:
    """Each place's task beside the services done in the year so far. The county comes first."""
    centres: dict[str, list[str]] = {}
    for login, worker in workers.items():
        if worker.centre:
            centres.setdefault(worker.centre, []).append(login)
    found = []
    for place, target in sorted(targets.items()):
        logins = tuple(sorted(centres.get(place, ())))
        here = [one for one in services if not place or (one.handler in logins if logins else one.township == place)]
        found.append(Task(place, target, sum(one.count for one in here), so_far, logins))
    return tuple(found)


def set_targets(conn: Connection, year: int, targets: Mapping[str, int]) -> None:
    """Write a year's tasks; a place with 0 has none."""
    conn.execute(sa.delete(tasks).where(tasks.c.year == year))
    rows = [{"year": year, "place": place, "target": target} for place, target in targets.items() if target]
    if rows:
        conn.execute(sa.insert(tasks), rows)
