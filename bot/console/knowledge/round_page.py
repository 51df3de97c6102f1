"""The confirmation round: a lawyer reads the shipped entries one by one, most asked first, articles beside the text."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import msgspec
import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console.doors import JURISTS, Doors, Form
from bot.console.knowledge.desk import AT, Tools, asked, back, page, phone
from bot.conversation.handoff import subjects
from bot.conversation.turn import Library
from bot.service import county
from bot.service.county import RefusedError
from bot.service.staff import Member
from bot.store.tables import consultations
from bot.store.times import to_ms
from knowledge.entry import Entry

YEAR = timedelta(days=365)
_c = consultations.c


class Progress(msgspec.Struct, frozen=True):
    """How far a subject is."""

    slug: str
    label: str
    done: int
    total: int


class Round:
    """The queue, the one-tap decisions, the list for paper."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount it."""
        doors.page(f"{AT}/confirm", JURISTS, self.turn)
        doors.page(f"{AT}/confirm/print", JURISTS, self.paper)
        doors.form(f"{AT}/confirm", JURISTS, self.decide)
        doors.form(f"{AT}/confirm/undo", JURISTS, self.undo)

    async def turn(self, request: web.Request, member: Member) -> web.Response:
        """The entry whose turn it is: the one asked for, or the most asked of those not yet read."""
        tools, library = self._tools, self._tools.library
        chosen, wanted, skipped = asked(request, "subject"), asked(request, "entry"), asked(request, "after")
        counts = await self._counts()
        queue = self._queue(chosen, counts)
        ids = [entry.id for entry in queue]
        place = ids.index(skipped) + 1 if skipped in ids else 0
        entry = library.base.entries.get(wanted) or (queue[place] if place < len(queue) else None)
        return page(
            request, "round", member, entry=entry, chosen=chosen, left=len(queue), progress=self._progress(),
            asked=counts[entry.id] if entry else 0, fault=asked(request, "fault"),
            reply=phone(library, entry, tools.today()) if entry else None,
            articles=_texts(library, entry) if entry else [],
        )  # fmt: skip

    async def paper(self, request: web.Request, member: Member) -> web.Response:
        """What is not yet read, whole, for those who read on paper."""
        chosen, counts = asked(request, "subject"), await self._counts()
        queue, library = self._queue(chosen, counts), self._tools.library
        listed = [(entry, library.base.basis_line(entry), counts[entry.id]) for entry in queue]
        label = found.label if (found := subjects.subject(chosen)) else "全部"
        return page(
            request,
            "print",
            member,
            listed=listed,
            label=label,
            chosen=chosen,
            fill=library.locality.fill,
            day=self._tools.today(),
        )

    async def decide(self, _request: web.Request, member: Member, form: Form) -> web.StreamResponse:
        """Confirm the text that was read, or take it out of service."""
        tools, now = self._tools, self._tools.clock()
        entry, retire = tools.library.base.entries.get(form.get("entry", "")), form.get("do") == "retire"
        where = {"subject": form.get("subject", "")}
        if entry is None:
            return back(f"{AT}/confirm", "", **where, fault="这一条已经不在用了。")
        try:
            version = form.get("version", "")
            await tools.db.write(
                lambda conn: county.read(conn, tools.new_id, entry, member, now, version=version, retire=retire)
            )
        except RefusedError as refused:
            return back(f"{AT}/confirm", "", **where, entry=entry.id, fault=str(refused))
        await tools.live.changed()
        return back(f"{AT}/confirm", "retired" if retire else "confirmed", **where)

    async def undo(self, _request: web.Request, member: Member, form: Form) -> web.StreamResponse:
        """Take a decision back."""
        tools, now, entry_id = self._tools, self._tools.clock(), form.get("entry", "")
        await tools.db.write(lambda conn: county.unread(conn, tools.new_id, entry_id, member, now))
        await tools.live.changed()
        known = entry_id in tools.library.base.entries
        return back(f"{AT}/entries/{entry_id}" if known else f"{AT}/confirm", "unread")

    async def _counts(self) -> Counter[str]:
        since = to_ms(self._tools.clock() - YEAR)
        return await self._tools.db.read(lambda conn: _asked(conn, since))

    def _queue(self, chosen: str, counts: Counter[str]) -> list[Entry]:
        entries = self._tools.library.base.entries.values()
        waiting = [
            entry
            for entry in entries
            if entry.confirmed is None and chosen in {"", subjects.of_category(entry.category).slug}
        ]
        return sorted(waiting, key=lambda entry: (-counts[entry.id], entry.id))

    def _progress(self) -> list[Progress]:
        shipped, serving = self._tools.live.shipped.base.entries, self._tools.library.base.entries
        total: Counter[str] = Counter()
        done: Counter[str] = Counter()
        for entry_id in {**shipped, **serving}:
            now = serving.get(entry_id)
            slug = subjects.of_category((now or shipped[entry_id]).category).slug
            total[slug] += 1
            done[slug] += now is None or now.confirmed is not None
        every = (*subjects.SUBJECTS, subjects.OTHER)
        return [Progress(one.slug, one.label, done[one.slug], total[one.slug]) for one in every if total[one.slug]]


def _asked(conn: Connection, since: int) -> Counter[str]:
    """How often each entry was the answer."""
    chosen = (
        sa.select(_c.entry_id, sa.func.count()).where(_c.opened_at >= since, _c.entry_id != "").group_by(_c.entry_id)
    )
    return Counter({row[0]: row[1] for row in conn.execute(chosen)})


def _texts(library: Library, entry: Entry) -> list[tuple[str, str | None]]:
    """Each cited article once, with its text where the county has the laws' texts."""
    names = dict.fromkeys(f"{cite.law}{cite.label}" for cite in library.base.cited(entry))
    found = [(name, library.articles.get(name) if library.articles else None) for name in names]
    return [(name, article.text if article else None) for name, article in found]
