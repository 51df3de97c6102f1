"""`/console/figures`: the numbers of a period; and the yearly tasks they are held against."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console import shell
from bot.console.doors import HEADS, OFFICE, Doors, Form, onward
from bot.console.figures import shapes
from bot.conversation.turn import LOCAL
from bot.ids import Clock, NewId
from bot.service import audit
from bot.service.figures import tasks
from bot.service.figures.cube import targets, workers
from bot.service.figures.findings import find
from bot.service.figures.period import FIRST_YEAR, LAST_YEAR, Period, PeriodError, read
from bot.service.staff import Member
from bot.store.database import Database
from bot.store.tables import consultations
from bot.store.times import from_ms
from knowledge.places import Locality

TASKS = "/console/figures/tasks"
PARTS = (
    ("", "全年"),
    *((f"q{n}", f"第{'一二三四'[n - 1]}季度") for n in range(1, 5)),
    *((str(n), f"{n}月") for n in range(1, 13)),
)
NOT_A_NUMBER = "任务数要填 0 到 1000000 的整数，不定任务就留空。"


class FiguresPages:
    """Counts and yearly tasks."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, locality: Locality) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._locality = locality

    def add_to(self, doors: Doors) -> None:
        """Mount the pages."""
        doors.page(shapes.PAGE, OFFICE, self.figures)
        doors.page(TASKS, HEADS, self.tasks)
        doors.form(TASKS, HEADS, self.set_tasks)

    def today(self) -> date:
        """The day in the county."""
        return self._clock().astimezone(LOCAL).date()

    async def figures(self, request: web.Request, member: Member) -> web.Response:
        """Everything counted of the period asked for."""
        today, fault = self.today(), ""
        try:
            period = read(request.query, today)
        except PeriodError as error:
            period, fault = read({}, today), str(error)
        found = await self._db.read(lambda conn: find(conn, period, self._locality.county))
        years = await self._db.read(lambda conn: years_of(conn, today))
        return shell.render(
            request,
            "figures.html",
            member,
            status=400 if fault else 200,
            fault=fault,
            page=shapes.PAGE,
            found=found,
            chosen=chosen_of(period),
            choices=shapes.choices(period, today),
            years=years,
            parts=PARTS,
            query=shapes.query_of(period),
            tiles=shapes.tiles(found),
            task=shapes.task_section(found),
            breakdowns=shapes.sections(found),
            ends=shapes.ends(found),
            load=shapes.load(found),
            is_head=member.role in HEADS,
        )

    async def tasks(self, request: web.Request, member: Member) -> web.Response:
        """What each place is to do in a year, to be changed."""
        year = year_of(request.query.get("year", ""), self.today())
        return await self._tasks_page(request, member, year)

    async def set_tasks(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Put down a year's tasks."""
        year = year_of(form.get("year", ""), self.today())
        asked = {name.removeprefix("place:"): value for name, value in form.items() if name.startswith("place:")}
        wanted = {place: number_of(value) for place, value in asked.items()}
        faulty = next((place for place, number in wanted.items() if number is None), None)
        if faulty is not None:
            return await self._tasks_page(
                request, member, year, asked=asked, fault=f"{faulty or '全县'}：{NOT_A_NUMBER}"
            )
        now = self._clock()

        def put_down(conn: Connection) -> None:
            known = set(places_of(conn, self._locality, year))
            kept = {place: number for place, number in wanted.items() if number and place in known}
            tasks.set_targets(conn, year, kept)
            detail = "，".join(f"{place or '全县'} {number}" for place, number in kept.items())
            audit.write(conn, self._new_id, "tasks_set", now=now, staff=member.id, subject=str(year), detail=detail)

        await self._db.write(put_down)
        return onward(f"{TASKS}?year={year}&done=1")

    async def _tasks_page(
        self, request: web.Request, member: Member, year: int, *, asked: dict[str, str] | None = None, fault: str = ""
    ) -> web.Response:
        known = await self._db.read(lambda conn: targets(conn, year))
        places = await self._db.read(lambda conn: places_of(conn, self._locality, year))
        rows = [(place, place or "全县", (asked or {}).get(place, known.get(place, ""))) for place in places]
        done = request.query.get("done") == "1"
        status = 400 if fault else 200
        return shell.render(request, "tasks.html", member, status=status, year=year, rows=rows, fault=fault, done=done)


def chosen_of(period: Period) -> dict[str, str]:
    """The period as the chooser's fields hold it."""
    part = ""
    if not period.is_year and (period.is_month or period.quarter):
        part = str(period.first.month) if period.is_month else f"q{period.quarter}"
    return {
        "year": str(period.first.year),
        "part": part,
        "from": period.first.isoformat(),
        "until": period.last.isoformat(),
    }


def years_of(conn: Connection, today: date) -> list[int]:
    """Years there is anything of, the newest first."""
    first = conn.execute(sa.select(sa.func.min(consultations.c.opened_at))).scalar()
    since = from_ms(first).astimezone(LOCAL).year if first else today.year
    return list(range(max(today.year, since), min(since, today.year) - 1, -1))


def places_of(conn: Connection, locality: Locality, year: int) -> list[str]:
    """Places that may have a task: the county, its townships, its centres, and whatever has one already."""
    centres = sorted({worker.centre for worker in workers(conn).values() if worker.centre})
    found = ["", *locality.townships, *centres, *sorted(targets(conn, year))]
    return list(dict.fromkeys(found))


def year_of(text: str, today: date) -> int:
    """The year asked for; this year if that is none."""
    return int(text) if text.isascii() and text.isdigit() and FIRST_YEAR <= int(text) <= LAST_YEAR else today.year


def number_of(text: str) -> int | None:
    """A task; 0 for an empty field, None for what is no task."""
    text = text.strip().replace(",", "").replace("，", "")
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and int(text) <= tasks.MOST else None
