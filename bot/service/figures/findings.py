"""All figures of a period beside those of the year before, ready to be laid out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.engine import Connection

from bot.service.demo import write as demo
from bot.service.figures.cube import Cube, Worker, cube, targets, workers
from bot.service.figures.handed import Handed, handed
from bot.service.figures.period import Period
from bot.service.figures.tasks import Task, tasks_of


@dataclass(frozen=True)
class Findings:
    """A period's figures. `demo`: the records are made up, and every page and file must say so."""

    county: str
    period: Period
    now: Cube
    before: Cube
    handed: Handed
    handed_before: Handed
    workers: dict[str, Worker]
    tasks: tuple[Task, ...]
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
    now = cube(conn, period)
    running = now if so_far == period else cube(conn, so_far)
    return Findings(
        county=county or "本县",
        period=period,
        now=now,
        before=cube(conn, period.before),
        handed=handed(conn, period),
        handed_before=handed(conn, period.before),
        workers=known,
        tasks=tasks_of(running, known, targets(conn, period.last.year)),
        demo=demo.marked(conn),
    )
