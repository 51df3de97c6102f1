"""`/console/ratings`: grades, bad ones still to be put right, and what was said of each entry."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from aiohttp import web

from bot.console import shell
from bot.console.days import read_day
from bot.console.doors import EDITORS, Doors
from bot.console.quality import shapes
from bot.conversation.handoff.wording import GRADES
from bot.conversation.rating import BAD
from bot.conversation.rectification import STATE_NAMES
from bot.conversation.turn import LOCAL
from bot.ids import Clock
from bot.live import Live
from bot.service import ratings, rectifications
from bot.service.staff import Member
from bot.store.database import Database

PATH = "/console/ratings"
SHOWN = 200
USUAL = timedelta(days=90)


class RatingPages:
    """One page of figures, each leading to its rows."""

    def __init__(self, db: Database, clock: Clock, live: Live) -> None:
        self._db = db
        self._clock = clock
        self._live = live

    def add_to(self, doors: Doors) -> None:
        """Mount the page."""
        doors.page(PATH, EDITORS, self.show)

    async def show(self, request: web.Request, member: Member) -> web.Response:
        """Grades, cases by state and entries of a period, the last three months if none is named."""
        today = self._clock().astimezone(LOCAL).date()
        first = read_day(request.query.get("from", "")) or today - USUAL
        last = read_day(request.query.get("to", "")) or today
        start, end = _midnight(first), _midnight(last + timedelta(days=1))
        grades, cases, entries = await self._db.read(
            lambda conn: (
                ratings.grades(conn, start, end),
                rectifications.counts(conn, today),
                ratings.by_entry(conn, start, end),
            )
        )
        base, total = self._live.library.base, sum(grades.values())
        content = sum(count for grade, count in grades.items() if grade > BAD)
        return shell.render(
            request,
            "ratings.html",
            member,
            first=first.isoformat(),
            last=last.isoformat(),
            grades=[(label, grades.get(grade, 0)) for grade, label in GRADES.items()],
            total=total,
            content=f"{content / total:.1%}" if total else "",
            states=[(name, label, cases[name]) for name, label in STATE_NAMES.items()],
            overdue=cases["overdue"],
            entries=[(one, shapes.entry_name(base, one.entry), one.entry in base.entries) for one in entries[:SHOWN]],
            hidden=max(len(entries) - SHOWN, 0),
            names=GRADES,
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LOCAL)
