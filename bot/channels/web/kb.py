"""`/kb`: the whole knowledge base to browse, search and print, without an account."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import jinja2
from aiohttp import web

from bot.channels.web.views import HEADERS
from bot.conversation.handoff import subjects
from bot.conversation.turn import LOCAL
from bot.ids import Clock
from bot.live import Live
from knowledge.entry import KIND_NAMES, Entry

# As many as a person looks through; a narrower question finds the rest.
SHOWN = 60
QUERY_LIMIT = 200
_TEMPLATES = resources.files("bot.channels.web") / "static"


class Browse:
    """The list with its filters, and one page per entry."""

    def __init__(self, live: Live, clock: Clock) -> None:
        self._live = live
        self._clock = clock
        loader = jinja2.DictLoader(
            {name: (_TEMPLATES / name).read_text(encoding="utf-8") for name in ("kb.html", "kb-entry.html")}
        )
        self._pages = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        place = live.library.locality
        self._pages.globals.update(
            county=place.county, demo=live.base.demo or place.demo, kinds=KIND_NAMES, fill=place.fill
        )

    def add_to(self, app: web.Application) -> None:
        """Mount both pages."""
        app.add_routes([web.get("/kb", self.list), web.get("/kb/{id}", self.entry)])

    async def list(self, request: web.Request) -> web.Response:
        """Entries that fit words and kind, best first; without words, all in the order of subjects."""
        words = request.query.get("q", "")[:QUERY_LIMIT].strip()
        kind = request.query.get("kind", "")
        subject = request.query.get("subject", "")
        found = [entry for entry in self._candidates(words) if _fits(entry, kind, subject)]
        return self._page(
            "kb.html",
            q=words,
            kind=kind if kind in KIND_NAMES else "",
            subject=subject,
            subjects=subjects.SUBJECTS,
            total=len(found),
            entries=found[:SHOWN],
        )

    async def entry(self, request: web.Request) -> web.Response:
        """One entry, whole: answer, steps, materials, deadlines, basis, related questions."""
        base = self._live.library.base
        entry = self._in_force(request.match_info["id"])
        if entry is None:
            raise web.HTTPNotFound(text="没有这一条，或者它已经停用。回到 /kb 再找找。")
        return self._page(
            "kb-entry.html",
            entry=entry,
            basis=base.basis_line(entry),
            citations=entry.citations,
            related=list(filter(None, map(self._in_force, entry.see_also))),
        )

    def _candidates(self, words: str) -> Sequence[Entry]:
        base = self._live.library.base
        served = [entry for entry in base.entries.values() if self._served(entry)]
        if not words:
            return served
        day = self._clock().astimezone(LOCAL).date()
        ranked = [base.entries[one.entry] for one in self._live.library.search(words, day).candidates]
        holding = [entry for entry in served if any(words in wording for wording in entry.wordings)]
        return list({entry.id: entry for entry in [*ranked, *holding]}.values())

    def _in_force(self, entry_id: str) -> Entry | None:
        library, day = self._live.library, self._clock().astimezone(LOCAL).date()
        entry = library.base.entries.get(entry_id)
        return library.base.in_force(entry, day, confirmed_only=library.confirmed_only) if entry else None

    def _served(self, entry: Entry) -> bool:
        library, day = self._live.library, self._clock().astimezone(LOCAL).date()
        return library.base.servable(entry, day, confirmed_only=library.confirmed_only)

    def _page(self, name: str, **values: object) -> web.Response:
        return web.Response(
            text=self._pages.get_template(name).render(values), content_type="text/html", headers=HEADERS
        )


def _fits(entry: Entry, kind: str, subject: str) -> bool:
    if kind in KIND_NAMES and entry.kind != kind:
        return False
    return not subject or subjects.of_category(entry.category).slug == subject
