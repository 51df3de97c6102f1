"""The list of all entries, what waits for somebody, what must be looked at again, and the test panel."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from bot.console.doors import EDITORS, Doors
from bot.console.knowledge import judging
from bot.console.knowledge.desk import AT, Tools, asked, page
from bot.conversation.handoff import subjects
from bot.conversation.turn import Library
from bot.service import editions, ratings
from bot.service.staff import Member
from knowledge import reply
from knowledge.entry import Entry
from knowledge.overlay import SOURCE
from knowledge.search.index import Concepts
from knowledge.search.mixer import load_mixer
from knowledge.search.normalise import normalise
from knowledge.search.several import find
from knowledge.search.why import SAYS, Reason, why

SHOWN = 50
FILTERS = {"": "全部", "open": "待确认", "confirmed": "律师已确认", "own": "本县写的", "asked": "加过群众问法的"}
# What is less than this shows as 0.
LEAST_SHOWN = 0.005


class Why(msgspec.Struct, frozen=True):
    """A candidate of the test panel: its entry, and what each signal adds: in words, in figures, as a bar of ten."""

    reason: Reason
    entry: Entry
    signals: tuple[tuple[str, float, int], ...]


class Entries:
    """Pages that only show."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount them."""
        doors.page(f"{AT}/entries", EDITORS, self.index)
        doors.page(f"{AT}/pending", EDITORS, self.pending)
        doors.page(f"{AT}/due", EDITORS, self.due)
        doors.page(f"{AT}/try", EDITORS, self.trial)

    async def index(self, request: web.Request, member: Member) -> web.Response:
        """Entries by words, kind, subject and state."""
        words, kind, state = asked(request, "q"), asked(request, "kind"), asked(request, "state")
        chosen, place = asked(request, "subject"), asked(request, "page")
        number = int(place) if place.isdecimal() and len(place) < 6 else 1  # noqa: PLR2004 - no list is that long
        library = self._tools.library
        found = [
            entry
            for entry in _named(library, words, self._tools)
            if kind in {"", entry.kind} and _in_state(entry, state) and _in_subject(entry, chosen)
        ]
        return page(
            request, "entries", member, q=words, kind=kind, state=state, filters=FILTERS, chosen=chosen,
            subjects=subjects.SUBJECTS, entries=found[(number - 1) * SHOWN : number * SHOWN], total=len(found),
            number=number, last=max(1, -(-len(found) // SHOWN)),
        )  # fmt: skip

    async def pending(self, request: web.Request, member: Member) -> web.Response:
        """Drafts, what waits for a second pair of eyes, what waits for its day."""
        now = self._tools.clock()
        found = await self._tools.db.read(lambda conn: editions.pending(conn, now))
        return page(request, "pending", member, editions=found, titles=self._tools.library.base.entries)

    async def due(self, request: web.Request, member: Member) -> web.Response:
        """Entries that many were not content with, whose law changed since they were last checked, or ends soon."""
        base, day = self._tools.library.base, self._tools.today()
        start = self._tools.clock() - judging.HEARD
        said, since = await self._tools.db.read(lambda conn: (ratings.voices(conn, start), editions.served_since(conn)))
        bad = await asyncio.to_thread(judging.disliked, base, said, since)
        found = await asyncio.to_thread(judging.reminders, base, day)
        return page(request, "due", member, reminders=[*bad, *found])

    async def trial(self, request: web.Request, member: Member) -> web.Response:
        """The test panel: what search makes of a question, and why."""
        question, library, day = asked(request, "q", 500), self._tools.library, self._tools.today()
        if not question:
            return page(request, "try", member, q="", result=None)
        result = find(library.search, question, day)
        said = reply.for_result(question, result, library.base, library.locality, day)
        reasons = why(question, result, load_mixer(), Concepts(library.base.lexicon))
        return page(
            request,
            "try",
            member,
            q=question,
            result=result,
            reply=said,
            whys=[_why(library, one) for one in reasons],
            plain=normalise(question),
            titles=library.base.entries,
        )


def _named(library: Library, words: str, tools: Tools) -> list[Entry]:
    entries = library.base.entries
    if not words:
        return list(entries.values())
    ranked = [entries[one.entry] for one in library.search(words, tools.today()).candidates]
    holding = [one for one in entries.values() if words in one.id or any(words in text for text in one.wordings)]
    return list({one.id: one for one in [*ranked, *holding]}.values())


def _in_state(entry: Entry, state: str) -> bool:
    return {
        "open": entry.confirmed is None,
        "confirmed": entry.confirmed is not None,
        "own": entry.source == SOURCE,
        "asked": bool(entry.asked),
    }.get(state, True)


def _in_subject(entry: Entry, chosen: str) -> bool:
    return not chosen or subjects.of_category(entry.category).slug == chosen


def _why(library: Library, reason: Reason) -> Why:
    most = max((abs(value) for _, value in reason.parts), default=0.0)
    seen = [(name, value) for name, value in reason.parts if abs(value) >= LEAST_SHOWN]
    signals = tuple((SAYS[name], value, round(10 * abs(value) / most)) for name, value in seen)
    return Why(reason, library.base.entries[reason.entry], signals)
