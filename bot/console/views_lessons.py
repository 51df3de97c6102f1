"""`/console/lessons`: what citizens who ask are taught on which day (普法), planned on a calendar."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

import msgspec
from aiohttp import web

from bot.console import shell
from bot.console.days import read_day, read_month
from bot.console.doors import OFFICE, Doors, Form, onward
from bot.conversation.lessons import HEAD, LETTERS, case, solved, usable
from bot.conversation.turn import LOCAL, Lesson, Library
from bot.ids import Clock, NewId
from bot.live import Live
from bot.service import lessons
from bot.service.lessons import Planned
from bot.service.staff import Member
from bot.store.database import Database
from knowledge.entry import Entry
from knowledge.reply import TEXT_LIMIT

PATH = "/console/lessons"
FOUND = 8
QUESTION, OPTION, EXPLANATION = 300, 40, 400
MOST, FEWEST = len(LETTERS), 2
DONE = {"planned": "排好了。", "dropped": "已经从日历上撤下。"}
FAULTS = {"kept": "已经有人答过这道题，不能撤下；可以修改。"}


class Cell(msgspec.Struct, frozen=True):
    """A square of the calendar; without a day beside the month."""

    day: date | None
    today: bool
    past: bool
    planned: tuple[Planned, ...]

    @property
    def kinds(self) -> set[str]:
        """What is planned already."""
        return {one.lesson.kind for one in self.planned}


class LessonPages:
    """The calendar, one lesson as on the phone, and the form for it."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, live: Live) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._live = live

    def add_to(self, doors: Doors) -> None:
        """Mount all pages."""
        doors.page(PATH, OFFICE, self.month)
        doors.page(PATH + "/edit", OFFICE, self.edit)
        doors.form(PATH + "/edit", OFFICE, self.save)
        doors.form(PATH + "/drop", OFFICE, self.drop)
        doors.page(PATH + "/{id}", OFFICE, self.preview)

    async def month(self, request: web.Request, member: Member) -> web.Response:
        """A month: what is planned for which day, and how quizzes were answered."""
        today = self._today()
        first = read_month(request.query.get("month", "")) or today.replace(day=1)
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        planned = await self._db.read(lambda conn: lessons.between(conn, first, last))
        base = self._live.library.base
        return shell.render(
            request,
            "lessons.html",
            member,
            month=f"{first.year}年{first.month}月",
            before=f"{first - timedelta(days=1):%Y-%m}",
            after=f"{last + timedelta(days=1):%Y-%m}",
            weeks=weeks(first, today, planned),
            planned=[(one, _name(base.entries.get(one.lesson.entry), one.lesson.entry)) for one in planned],
            done=DONE.get(request.query.get("done", ""), ""),
            fault="",
        )

    async def preview(self, request: web.Request, member: Member) -> web.Response:
        """One lesson as it reads on the phone."""
        found = await self._find(request.match_info["id"])
        lesson, library = found.lesson, self._live.library
        entry = usable(library, lesson.entry, max(found.day, self._today()))
        return shell.render(
            request,
            "lesson.html",
            member,
            day=found.day,
            lesson=lesson,
            answers=found.answers,
            right=found.right,
            served=entry is not None,
            shown=_on_the_phone(lesson, entry, library, found.day) if entry else [],
            done=DONE.get(request.query.get("done", ""), ""),
            fault=FAULTS.get(request.query.get("fault", ""), ""),
        )

    async def edit(self, request: web.Request, member: Member) -> web.Response:
        """The form for a day; filled in with what is planned."""
        query = request.query
        day, kind = _day(query.get("day", "")), _kind(query.get("kind", ""))
        before = await self._db.read(lambda conn: lessons.on(conn, day, kind))
        form = _filled(before) if before else {}
        entry = query.get("entry", "") or (before.entry if before else "")
        return self._form(request, member, day, kind, entry, form, q=query.get("q", "")[:200].strip())

    async def save(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Plan it, and show it as on the phone."""
        day, kind, library = _day(form.get("day", "")), _kind(form.get("kind", "")), self._live.library
        lesson = _read(form, kind)
        fault = fault_of(lesson, library, day, self._today())
        if fault:
            return self._form(request, member, day, kind, lesson.entry, _filled(lesson), fault=fault)
        now = self._clock()
        made = await self._db.write(lambda conn: lessons.plan(conn, self._new_id, day, lesson, member.id, now))
        return onward(f"{PATH}/{made}?done=planned")

    async def drop(self, _request: web.Request, member: Member, form: Form) -> web.Response:
        """Take it off the calendar, if nobody answered it yet."""
        found = await self._find(form.get("id", ""))
        now, number = self._clock(), found.lesson.id
        if await self._db.write(lambda conn: lessons.drop(conn, self._new_id, number, member.id, now)):
            return onward(f"{PATH}?month={found.day:%Y-%m}&done=dropped")
        return onward(f"{PATH}/{number}?fault=kept")

    def _form(
        self,
        request: web.Request,
        member: Member,
        day: date,
        kind: str,
        entry_id: str,
        form: dict[str, str],
        *,
        q: str = "",
        fault: str = "",
    ) -> web.Response:
        library = self._live.library
        entry = library.base.entries.get(entry_id)
        found = library.search(q, max(day, self._today())).candidates[:FOUND] if q else ()
        return shell.render(
            request,
            "lesson-edit.html",
            member,
            status=409 if fault else 200,
            day=day,
            kind=kind,
            q=q,
            found=[library.base.entries[one.entry] for one in found],
            entry=entry,
            basis=library.base.basis_line(entry) if entry else "",
            form={"question": "", "options": "", "answer": "1", "explanation": ""} | form,
            letters=list(enumerate(LETTERS, 1)),
            fault=fault,
        )

    async def _find(self, row_id: str) -> Planned:
        found = await self._db.read(lambda conn: lessons.get(conn, row_id))
        if found is None:
            raise web.HTTPNotFound(text="没有这一条普法，可能已经撤下。")
        return found

    def _today(self) -> date:
        return self._clock().astimezone(LOCAL).date()


def weeks(first: date, today: date, planned: list[Planned]) -> list[list[Cell]]:
    """A month's weeks from Monday to Sunday."""
    on: dict[date, tuple[Planned, ...]] = {}
    for one in planned:
        on[one.day] = (*on.get(one.day, ()), one)
    return [
        [
            Cell(day, day == today, day < today, on.get(day, ()))
            if day.month == first.month
            else Cell(None, today=False, past=False, planned=())
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]


def fault_of(lesson: Lesson, library: Library, day: date, today: date) -> str:
    """What is wrong with a lesson, as a sentence; empty if nothing is."""
    entry = usable(library, lesson.entry, max(day, today))
    if entry is None:
        return "请先选一条现在能用的条目。"
    if lesson.kind == "entry":
        return ""
    options = lesson.options
    faults = {
        f"案例和问题要填，最多{QUESTION}字。": not 0 < len(lesson.question) <= QUESTION,
        f"选项要{FEWEST}到{MOST}个，一行一个。": not FEWEST <= len(options) <= MOST,
        f"每个选项最多{OPTION}字，不能重复。": any(len(one) > OPTION for one in options)
        or len(set(options)) < len(options),
        "请选哪个对。": not 1 <= lesson.answer <= len(options),
        f"“为什么”要填，最多{EXPLANATION}字。": not 0 < len(lesson.explanation) <= EXPLANATION,
    }
    found = next((sentence for sentence, wrong in faults.items() if wrong), "")
    return found or ("" if _fits(lesson, entry, library) else "太长了，一条微信放不下，请缩短。")


def _fits(lesson: Lesson, entry: Entry, library: Library) -> bool:
    """Whether no text of it must be cut."""
    answers = [solved(lesson, n, entry, library) for n in (1, 2)]
    return case(lesson).size <= TEXT_LIMIT and not any(one.rest for one in answers)


def _on_the_phone(lesson: Lesson, entry: Entry, library: Library, day: date) -> list[tuple[str, str]]:
    if lesson.kind == "entry":
        said = library.answer(entry, day, HEAD.format(question=entry.question))
        return [("群众回复“今日普法”", said.visible)]
    wrong = next(n for n in range(1, MOST + 1) if n != lesson.answer)
    return [
        ("群众回复“做道题”", case(lesson).visible),
        (f"选{LETTERS[lesson.answer - 1]}（对）", solved(lesson, lesson.answer, entry, library).visible),
        (f"选{LETTERS[wrong - 1]}（不对）", solved(lesson, wrong, entry, library).visible),
    ]


def _read(form: Form, kind: str) -> Lesson:
    entry = form.get("entry", "")[:64]
    if kind == "entry":
        return Lesson("", "entry", entry)
    options = tuple(line.strip() for line in form.get("options", "").splitlines() if line.strip())
    answer = form.get("answer", "")
    number = int(answer) if answer in set("1234") else 0
    return Lesson(
        "", "quiz", entry, form.get("question", "").strip(), options, number, form.get("explanation", "").strip()
    )


def _filled(lesson: Lesson) -> dict[str, str]:
    return {
        "question": lesson.question,
        "options": "\n".join(lesson.options),
        "answer": str(lesson.answer),
        "explanation": lesson.explanation,
    }


def _name(entry: Entry | None, entry_id: str) -> str:
    return entry.question if entry else entry_id


def _day(text: str) -> date:
    day = read_day(text)
    if day is None:
        raise web.HTTPBadRequest(text="日子没能看懂，请回到日历重新点。")
    return day


def _kind(text: str) -> str:
    return "quiz" if text == "quiz" else "entry"
