"""All figures of a period beside those of the year before, ready to be laid out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.demo import write as demo
from bot.service.figures.cube import Cube, Worker, cube, done, targets, workers
from bot.service.figures.handed import Handed, handed
from bot.service.figures.period import Period
from bot.service.figures.tasks import Task, tasks_of
from bot.store.tables import consultations, rectifications


@dataclass(frozen=True)
class Findings:
    """A period's figures. `demo`: the records are made up, and every page and file must say so.

    `rectified`: rectifications opened for ratings of the period's consultations, and how many of them are closed.
    """

    county: str
    period: Period
    now: Cube
    before: Cube
    handed: Handed
    handed_before: Handed
    workers: dict[str, Worker]
    tasks: tuple[Task, ...]
    rectified: tuple[int, int]
    demo: bool

    @property
    def has_before(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self.before.cells)

    @property
    def centre_name(self) -> str:
        """What the county's own centre is called."""
        return f"{self.county}公共法律服务中心"


def find(conn: Connection, period: Period, county: str) -> Findings:
    """Count everything."""
    so_far = Period(date(period.last.year, 1, 1), period.last)
    known = workers(conn)
    wanted = targets(conn, period.last.year)
    return Findings(
        county=county or "本县",
        period=period,
        now=cube(conn, period),
        before=cube(conn, period.before),
        handed=handed(conn, period),
        handed_before=handed(conn, period.before),
        workers=known,
        tasks=tasks_of(so_far, done(conn, so_far) if wanted else [], known, wanted),
        rectified=_rectified(conn, period),
        demo=demo.marked(conn),
    )


def _rectified(conn: Connection, period: Period) -> tuple[int, int]:
    r, c = rectifications.c, consultations.c
    start, end = period.span
    statement = (
        sa.select(sa.func.count(), sa.func.count(r.closed_at))
        .select_from(rectifications.join(consultations, c.id == r.consultation_id))
        .where(c.opened_at >= start, c.opened_at < end)
    )
    opened, closed = conn.execute(statement).one()
    return opened, closed
