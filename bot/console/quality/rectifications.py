"""`/console/rectifications`: bad ratings and what is done about each, the most overdue first."""

from __future__ import annotations

from aiohttp import web

from bot.console import shell
from bot.console.doors import EDITORS, HEADS, OFFICE, Doors, Form, onward
from bot.console.quality import shapes
from bot.conversation.handoff.wording import GRADES
from bot.conversation.rectification import STATE_NAMES, Act, Actor, RefusedError, visit_of
from bot.conversation.turn import LOCAL
from bot.ids import Clock, NewId
from bot.live import Live
from bot.masking import mask
from bot.service import audit, rectifications
from bot.service.rectifications import Line, Terms
from bot.service.staff import Member
from bot.store.database import Database

PATH = "/console/rectifications"
LONGEST = 1000
DONE = {
    "assign": "负责人已经定了。",
    "reply": "答复已经发给群众。对方下次说话时，机器人会问一句现在满不满意。",
    "visit": "回访结果记下了。",
    "fail": "群众还是不满意，这一条重新开始办，期限从今天重新算。",
    "close": "已办结。",
    "reopen": "已退回重办，期限从今天重新算。",
}
FILTERS = {"": "没办完的", "mine": "等我办的", "overdue": "逾期的", "unassigned": "还没指定人的", **STATE_NAMES}


class RectificationPages:
    """The list, one case, and what is done about it. Lawyers and clerks act on their own cases, heads on all."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, live: Live, days: int) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._live = live
        self._days = days

    def add_to(self, doors: Doors) -> None:
        """Mount all pages."""
        doors.page(PATH, EDITORS, self.list)
        doors.page(PATH + "/{id}", EDITORS, self.one)
        doors.form(PATH + "/{id}", EDITORS, self.act)

    async def list(self, request: web.Request, member: Member) -> web.Response:
        """Those of a state; a lawyer sees what they are responsible for."""
        today = self._clock().astimezone(LOCAL).date()
        state = request.query.get("state", "")
        state = state if state in FILTERS else ""
        entry = request.query.get("entry", "")[:64]
        own = "" if member.role in OFFICE else member.id
        # A lawyer's list is of their own cases anyway.
        state, hidden = ("" if own and state == "mine" else state), {"unassigned", "mine"} if own else set()
        by = _actor(member)
        lines, counts, owed = await self._db.read(
            lambda conn: (
                rectifications.find(conn, today, state=state, responsible=own, entry=entry, by=by),
                rectifications.counts(conn, today, responsible=own),
                rectifications.owed(conn, by, today),
            )
        )
        counts["mine"] = owed.open
        counts[""] = sum(counts[name] for name in ("open", "replied", "visited"))
        base = self._live.library.base
        return shell.render(
            request,
            "rectifications.html",
            member,
            rows=[shapes.row(line, today) for line in lines],
            filters=[(name, label, counts[name]) for name, label in FILTERS.items() if name not in hidden],
            state=state,
            entry=entry,
            entry_name=shapes.entry_name(base, entry) if entry else "",
            own=bool(own),
        )

    async def one(self, request: web.Request, member: Member) -> web.Response:
        """One case: what was said, what was done, what is to be done next. Reading somebody's words is on record."""
        done = DONE.get(request.query.get("done", ""), "")
        line, now = await self._line(request.match_info["id"], member), self._clock()
        await self._db.write(
            lambda conn: audit.write(
                conn, self._new_id, "case.read", now=now, staff=member.id, citizen=line.citizen, subject=line.case.id
            )
        )
        return await self._shown(request, member, done=done)

    async def act(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Do something about it."""
        row_id, now = request.match_info["id"], self._clock()
        await self._line(row_id, member)
        done = _read(form)
        version = form.get("version", "")
        by = _actor(member)
        if done is None or not version.isdigit():
            raise web.HTTPBadRequest(text="这个表单没能看懂，请刷新页面再试。")
        detail = _detail(done, await self._db.read(rectifications.names))
        try:
            await self._db.write(
                lambda conn: rectifications.act(
                    conn,
                    self._new_id,
                    row_id,
                    done,
                    by,
                    Terms(self._live.hours, self._days),
                    now,
                    version=int(version[:9]),
                    detail=detail,
                )
            )
        except RefusedError as refused:
            return await self._shown(request, member, fault=str(refused), form=dict(form), status=409)
        return onward(f"{PATH}/{row_id}?done={done.name}")

    async def _shown(
        self,
        request: web.Request,
        member: Member,
        *,
        done: str = "",
        fault: str = "",
        form: dict[str, str] | None = None,
        status: int = 200,
    ) -> web.Response:
        line = await self._line(request.match_info["id"], member)
        case, today = line.case, self._clock().astimezone(LOCAL).date()
        words, letter, steps, names = await self._db.read(
            lambda conn: (
                rectifications.asked(conn, line),
                rectifications.letter(conn, line),
                rectifications.history(conn, case.id),
                rectifications.names(conn),
            )
        )
        base = self._live.library.base
        return shell.render(
            request,
            "rectification.html",
            member,
            status=status,
            line=line,
            case=case,
            row=shapes.row(line, today),
            state=STATE_NAMES[case.state],
            reason=mask(line.words),
            asked=mask(words),
            visit=mask(case.visit),
            visit_grade=GRADES.get(case.visit_grade, ""),
            entry=shapes.entry_name(base, line.entry) if line.entry else "",
            served=line.entry in base.entries,
            channel=shapes.CHANNELS.get(line.channel, line.channel),
            opened=shapes.clock(line.opened_at),
            replied=shapes.clock(case.replied_at),
            asked_again=shapes.clock(case.visit_asked_at),
            closed=shapes.clock(case.closed_at),
            letter=shapes.LETTERS[letter] if letter else "",
            may={name: shapes.may(case, member, name) for name in ("assign", "reply", "visit", "close", "reopen")},
            own=member.id == case.rated,
            reads_log=member.role in OFFICE,
            colleagues={key: name for key, name in names.items() if key != case.rated},
            grades=GRADES,
            steps=[shapes.happened(step) for step in steps],
            longest=LONGEST,
            done=done,
            fault=fault,
            form=form or {},
        )

    async def _line(self, row_id: str, member: Member) -> Line:
        """The case, if this member may see it."""
        try:
            line = await self._db.read(lambda conn: rectifications.get(conn, row_id))
        except KeyError:
            raise web.HTTPNotFound(text="没有这一条整改。") from None
        if member.role not in OFFICE and line.case.responsible != member.id:
            raise web.HTTPForbidden(text="这一条不由您负责，看不了。")
        return line


def _actor(member: Member) -> Actor:
    return Actor(member.id, head=member.role in HEADS)


def _read(form: Form) -> Act | None:
    def words(name: str) -> str:
        return form.get(name, "").strip()[:LONGEST]

    match form.get("do"):
        case "assign":
            return Act("assign", to=words("to"))
        case "reply":
            return Act("reply", measures=words("measures"), reply=words("reply"))
        case "visit":
            grade = form.get("grade", "")
            return visit_of(int(grade) if grade in set("12345") else 0, words("words"))
        case "close":
            return Act("close", proof=words("proof"))
        case "reopen":
            return Act("reopen", words=words("words"))
        case _:
            return None


def _detail(done: Act, names: dict[str, str]) -> str:
    """What the history says of it beside the act's name."""
    match done.name:
        case "assign":
            return names.get(done.to, "")
        case "visit" | "fail":
            return GRADES.get(done.grade, "没联系上")
        case "reopen":
            return done.words
        case _:
            return ""
