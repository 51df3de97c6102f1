"""`/console`: the consultations, found by form or by facet, and the filters kept under a name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.console import shell
from bot.console.doors import OFFICE, Doors, Form, onward
from bot.console.records import names
from bot.conversation.turn import LOCAL
from bot.ids import Clock, NewId
from bot.live import Live
from bot.masking import mask
from bot.service.records import filters, listing, saved
from bot.service.records.filters import FIELDS, NONE, Filter
from bot.service.records.listing import Facets, Line, Look, Place
from bot.service.staff import Member, logins
from bot.store.database import Database

PATH = "/console"
SHOWN = 50
WORDS_SHOWN = 70
FACET_SHOWN = 8
# More values of one field than this are one thing to take off.
SEVERAL = 3
# Counting goes through all records; who clicks on and back again need not wait for it twice.
KEPT, KEPT_MOST = timedelta(seconds=20), 64
DONE = {
    "kept": "已经存好，点名字就能再查。",
    "full": "存的查法太多了，先删几个。",
    "dropped": "已删除。",
    "noname": "要存起来，请先起个名字。",
}


class Link(msgspec.Struct, frozen=True):
    """Something to click: adds a value to the filter, or takes it off again."""

    name: str
    href: str
    on: bool = False
    count: int = 0


class LogPages:
    """The list and the kept filters."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, live: Live) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._live = live
        # One at a time: there are two threads that read, and the workbench needs one.
        self._turn = asyncio.Lock()
        self._known: dict[Filter, tuple[datetime, Facets]] = {}

    def add_to(self, doors: Doors) -> None:
        """Mount them."""
        doors.page(PATH, OFFICE, self.show)
        doors.form(f"{PATH}/views", OFFICE, self.keep)
        doors.form(f"{PATH}/views/{{id}}/drop", OFFICE, self.drop)

    async def show(self, request: web.Request, member: Member) -> web.Response:
        """The newest that fit, and how many of each sort."""
        wanted, faults = filters.read(request.query.items())
        before, now = place_in(request.query.get("before", "")), self._clock()
        look = await self._look(wanted, before, now)
        people, views = await self._db.read(lambda conn: (logins(conn), saved.of(conn, member)))
        shown = [line_shown(line, people, now) for line in look.lines[:SHOWN]]
        older = ""
        if len(look.lines) > SHOWN:
            at, last = look.lines[SHOWN - 1].place
            older = _href(wanted, ("before", f"{at}.{last}"))
        return shell.render(
            request,
            "records.html",
            member,
            wanted=wanted,
            faults=faults,
            lines=shown,
            facets=look.facets,
            groups=_groups(wanted, look.facets, people),
            active=_active(wanted, people),
            days=_days(wanted, now.astimezone(LOCAL).date()),
            quick=_quick(wanted),
            form=self._form(wanted, people),
            views=views,
            here_is=wanted.query,
            older=older,
            newest=_href(wanted) if before else "",
            done=DONE.get(request.query.get("done", ""), ""),
            may_unmask=member.role in ("supervisor", "admin"),
        )

    async def _look(self, wanted: Filter, before: Place | None, now: datetime) -> Look:
        async with self._turn:
            kept = self._known.get(wanted)
            known = kept[1] if kept is not None and now - kept[0] < KEPT else None
            look = await self._db.read(lambda conn: listing.look(conn, wanted, SHOWN + 1, before, known))
        if known is None:
            if len(self._known) >= KEPT_MOST:
                self._known.clear()
            self._known[wanted] = (now, look.facets)
        return look

    def forget(self) -> None:
        """Something was corrected: count afresh."""
        self._known.clear()

    def _form(self, wanted: Filter, people: Mapping[str, str]) -> list[dict[str, Any]]:
        """The fields of the form beyond days and words. A field with several values keeps them."""
        townships = self._live.library.locality.townships
        found = []
        for field in FIELDS:
            values = wanted.values(field.name)
            options = names.choices(field.name, people, townships)
            known = {choice.value for choice in options}
            extra = [value or NONE for value in values if (value or NONE) not in known]
            options += [names.Choice(value, names.name(field.name, value.strip(NONE), people)) for value in extra]
            found.append(
                {
                    "name": field.name,
                    "label": field.label,
                    "values": [value or NONE for value in values],
                    "options": options,
                    "groups": names.categories(self._live.library.base.entries) if field.name == "category" else [],
                }
            )
        return found

    async def keep(self, _request: web.Request, member: Member, form: Form) -> web.Response:
        """Keep the filter under a name."""
        wanted, _ = filters.read(parse_qsl(form.get("query", "")[:2000]))
        called, now = form.get("name", "").strip()[: saved.LONGEST_NAME], self._clock()
        if not called:
            return onward(_href(wanted, ("done", "noname")))

        def write(conn: Connection) -> bool:
            return saved.keep(
                conn, self._new_id, member, called, wanted.query, now, shared=form.get("shared", "") == "1"
            )

        return onward(_href(wanted, ("done", "kept" if await self._db.write(write) else "full")))

    async def drop(self, request: web.Request, member: Member, _form: Form) -> web.Response:
        """Delete an own kept filter."""
        number = request.match_info["id"]
        if not await self._db.write(lambda conn: saved.drop(conn, member, number)):
            raise web.HTTPNotFound(text="没有这个查法，可能已经删了。")
        return onward(f"{PATH}?done=dropped")


def line_shown(line: Line, people: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """A consultation in a list, masked."""
    words = mask(" ".join(line.words.split()))
    return {
        "id": line.id,
        "words": words[:WORDS_SHOWN] + ("…" if len(words) > WORDS_SHOWN else "") or "（没有文字）",
        "at": names.stamp(line.opened_at, now),
        "kind": names.name("kind", line.kind, people),
        "category": names.name("category", line.category, people) if line.category else "",
        "township": line.township,
        "channel": names.name("channel", line.channel, people),
        "by": names.name("handled_by", line.handled_by, people),
        "outcome": names.name("outcome", line.outcome, people),
        "unanswered": line.outcome == "unanswered",
        "grade": names.name("grade", str(line.grade), people) if line.grade else "",
        "unhappy": 0 < line.grade <= 2,  # noqa: PLR2004 - 不满意, 非常不满意
        "handed": line.handed,
        "urgent": line.urgent,
        "messages": line.messages,
        "citizen": names.code(line.citizen),
    }


def place_in(written: str) -> Place | None:
    """Where a page goes on, as it stands in an address; None for what cannot be."""
    at, _, row_id = written.partition(".")
    return (int(at), row_id[:64]) if at.isdecimal() and len(at) < 16 and row_id else None  # noqa: PLR2004 - milliseconds


def _href(wanted: Filter, *more: tuple[str, str]) -> str:
    query = "&".join(part for part in (wanted.query, *(f"{name}={value}" for name, value in more)) if part)
    return f"{PATH}?{query}" if query else PATH


def _groups(wanted: Filter, facets: Facets, people: Mapping[str, str]) -> list[tuple[str, list[Link], list[Link]]]:
    """For each facet its label, the most frequent values, and the rest; not where all are of one sort anyway."""
    found = []
    for field in FIELDS:
        counted = facets.counts.get(field.name, [])
        links = [_facet(wanted, field.name, value, number, people) for value, number in counted]
        if len(links) > 1 or any(link.on for link in links):
            found.append((field.label, links[:FACET_SHOWN], links[FACET_SHOWN:]))
    return found


def _facet(wanted: Filter, field: str, value: str, number: int, people: Mapping[str, str]) -> Link:
    values = wanted.values(field)
    on = value in values
    rest = [one for one in values if one != value] if on else [value]
    return Link(names.name(field, value, people), _href(wanted.only(field, *rest)), on=on, count=number)


def _active(wanted: Filter, people: Mapping[str, str]) -> list[Link]:
    """What is filtered by, each with the way to be rid of it."""
    found = []
    for field, values in wanted.chosen:
        if len(values) > SEVERAL:
            found.append(Link(f"{filters.BY_NAME[field].label}：{len(values)}种", _href(wanted.only(field))))
            continue
        for value in values:
            rest = [one for one in values if one != value]
            called = f"{filters.BY_NAME[field].label}：{names.name(field, value, people)}"
            found.append(Link(called, _href(wanted.only(field, *rest))))
    if wanted.first or wanted.last:
        first, last = (day.isoformat() if day else "" for day in (wanted.first, wanted.last))
        called = first if first == last else f"{first or '最早'} 到 {last or '现在'}"
        found.append(Link(f"日期：{called}", _href(replace(wanted, first=None, last=None))))
    if wanted.words:
        found.append(Link(f"说过：{' '.join(wanted.words)}", _href(replace(wanted, words=()))))
    return found


def _days(wanted: Filter, today: date) -> list[Link]:
    spans = {
        "今天": (today, today),
        "昨天": (today - timedelta(days=1), today - timedelta(days=1)),
        "最近7天": (today - timedelta(days=6), today),
        "本月": (today.replace(day=1), today),
        "今年": (today.replace(month=1, day=1), today),
    }
    found = []
    for name, (first, last) in spans.items():
        on = (wanted.first, wanted.last) == (first, last)
        chosen = replace(wanted, first=None if on else first, last=None if on else last)
        found.append(Link(name, _href(chosen), on=on))
    return found


def _quick(wanted: Filter) -> list[Link]:
    sorts = {
        "不满意的": ("grade", ("2", "1")),
        "没答上的": ("outcome", ("unanswered",)),
        "转过人工的": ("handed", ("1",)),
        "急件": ("urgent", ("1",)),
    }
    found = []
    for name, (field, values) in sorts.items():
        on = set(wanted.values(field)) == set(values)
        found.append(Link(name, _href(wanted.only(field, *(() if on else values))), on=on))
    return found
