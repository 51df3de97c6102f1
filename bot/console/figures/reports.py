"""`/console/reports`: the report on a period, to read here and to take away as Word and Excel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from bot.console import shell
from bot.console.doors import OFFICE, Doors
from bot.console.figures import shapes
from bot.console.figures.views import PARTS, chosen_of, years_of
from bot.conversation.turn import LOCAL
from bot.ids import Clock, NewId
from bot.service import audit
from bot.service.figures.findings import Findings, find
from bot.service.figures.period import Period, PeriodError, read
from bot.service.reports.parts import BLANK, Blank, Paragraph, Report, Sheet
from bot.service.reports.story import report
from bot.service.staff import Member
from bot.store.database import Database
from knowledge.places import Locality

PAGE = "/console/reports"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReportPages:
    """Look at a report, take it away."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, locality: Locality) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._locality = locality

    def add_to(self, doors: Doors) -> None:
        """Mount the pages."""
        doors.page(PAGE, OFFICE, self.look)
        doors.page(f"{PAGE}/word", OFFICE, self.word)
        doors.page(f"{PAGE}/excel", OFFICE, self.excel)

    async def look(self, request: web.Request, member: Member) -> web.Response:
        """The words of the report, with what is left to fill in."""
        today, fault = self._clock().astimezone(LOCAL).date(), ""
        try:
            period = read(request.query, today)
        except PeriodError as error:
            period, fault = read({}, today), str(error)
        found = await self._find(period)
        written = self._report(found)
        return shell.render(
            request,
            "reports.html",
            member,
            status=400 if fault else 200,
            fault=fault,
            page=PAGE,
            report=written,
            chapters=[(one.heading, [_shape(part) for part in one.body]) for one in written.sections],
            blanks=[blank.about for blank in written.blanks],
            chosen=chosen_of(period),
            choices=shapes.choices(period, today),
            years=await self._db.read(lambda conn: years_of(conn, today)),
            parts=PARTS,
            query=shapes.query_of(period),
            unfinished=period.last >= today,
        )

    async def word(self, request: web.Request, member: Member) -> web.Response:
        """The report as a Word document."""
        from bot.service.reports.word import document  # noqa: PLC0415 - large, and needed once a month

        return await self._file(request, member, WORD, "docx", lambda found: document(self._report(found)))

    async def excel(self, request: web.Request, member: Member) -> web.Response:
        """The annex as a workbook."""
        from bot.service.reports.annex import annex  # noqa: PLC0415 - large, and needed once a month

        return await self._file(request, member, EXCEL, "xlsx", annex)

    async def _file(
        self, request: web.Request, member: Member, kind: str, suffix: str, make: Callable[[Findings], bytes]
    ) -> web.Response:
        now = self._clock()
        try:
            period = read(request.query, now.astimezone(LOCAL).date())
        except PeriodError as error:
            return web.Response(status=400, text=str(error))
        found = await self._find(period)
        body = await asyncio.to_thread(make, found)
        name = f"{found.county}{period.name}公共法律服务咨询工作情况.{suffix}"
        await self._db.write(
            lambda conn: audit.write(
                conn, self._new_id, "report_made", now=now, staff=member.id, subject=period.slug, detail=suffix
            )
        )
        shown = f"attachment; filename=\"report-{period.slug}.{suffix}\"; filename*=UTF-8''{quote(name)}"
        headers = shell.headers(request) | {"Content-Disposition": shown}
        return web.Response(body=body, content_type=kind, headers=headers)

    async def _find(self, period: Period) -> Findings:
        return await self._db.read(lambda conn: find(conn, period, self._locality.county))

    def _report(self, found: Findings) -> Report:
        office = self._locality.offices.get("justice_bureau")
        return report(found, self._clock().astimezone(LOCAL).date(), office.name if office else "")


def _shape(part: object) -> tuple[str, object]:
    """A part of the report for the template: its sort, and what to show."""
    if isinstance(part, Paragraph):
        return "text", (part.lead, [(BLANK, True) if isinstance(one, Blank) else (one, False) for one in part.words])
    return ("table", part) if isinstance(part, Sheet) else ("chart", part)
