"""The editor of an entry: its form, how it reads on the phone, what the checks say, drafts and reviews."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, time

import msgspec
from aiohttp import web
from msgspec.structs import replace

from bot.console import shell
from bot.console.doors import EDITORS, JURISTS, Doors, Form
from bot.console.knowledge import diff, form, judging
from bot.console.knowledge.desk import AT, Tools, asked, back, page, phone
from bot.console.knowledge.judging import Verdict
from bot.conversation.turn import LOCAL
from bot.service import county, editions
from bot.service.editions import EditedError, Edition
from bot.service.staff import Member
from knowledge.categories import category_name
from knowledge.entry import Entry

NOT_PUBLISHABLE = "还不能送审，请先改好下面标红的地方。"
TAKEN = "这个编号已经有了，请换一个，或者去改那一条。"
BAD_DAY = "发布日期要写成2026-11-23这样，而且不能是过去的日子。"


class Shown(msgspec.Struct, frozen=True):
    """What the editor shows besides the form itself."""

    values: Mapping[str, str]
    seen: str
    faults: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    preview: Entry | None = None
    theirs: tuple[diff.Change, ...] = ()
    note: str = ""
    publish_on: str = ""


class _Kept(msgspec.Struct, frozen=True):
    """What a form asks for: which entry (empty for a new one), what stood there, what is to stand there, from when."""

    entry_id: str
    draft: Edition | None
    serving: Entry | None
    entry: Entry | None
    due: datetime | None
    do: str

    @property
    def named(self) -> str:
        """The id, for a new entry the one in the form."""
        return self.entry_id or (self.entry.id if self.entry else "")

    @property
    def retires(self) -> bool:
        """Whether the entry is to be taken out of service."""
        return self.do == "retire" and self.serving is not None


class Editor:
    """Form, preview, draft."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        # Checking means indexing: one at a time, so that many who type do not take the citizens' processor.
        self._busy = asyncio.Lock()

    def add_to(self, doors: Doors) -> None:
        """Mount it."""
        doors.page(f"{AT}/new", EDITORS, self.new)
        doors.form(f"{AT}/new", EDITORS, self.create)
        doors.form(f"{AT}/preview", EDITORS, self.preview)
        doors.page(f"{AT}/entries/{{id}}", EDITORS, self.edit)
        doors.form(f"{AT}/entries/{{id}}", EDITORS, self.save)

    async def new(self, request: web.Request, member: Member) -> web.Response:
        """An empty form, or one that begins with the questions that found no answer."""
        values = form.empty(self._tools.today())
        texts = [text.replace("\x00", "")[:200] for text in request.query.getall("text", [])[:8]]
        values |= {"question": asked(request, "question", 30), "asks": "\n".join(texts)}
        return self._show(request, member, "", None, Shown(values, ""))

    async def edit(self, request: web.Request, member: Member) -> web.Response:
        """The open draft of an entry, or what is served."""
        entry_id = request.match_info["id"]
        serving, draft = await self._now(entry_id)
        text = draft.entry if draft and draft.entry else serving
        if text is None:
            raise web.HTTPNotFound(text="没有这一条。")
        seen = draft.version if draft else text.version
        publish_on = f"{draft.publish_at.astimezone(LOCAL):%Y-%m-%d}" if draft and draft.publish_at else ""
        shown = Shown(form.fields(text), seen, preview=text, note=draft.note if draft else "", publish_on=publish_on)
        attached = await self._tools.db.read(lambda conn: county.attached(conn, entry_id))
        return self._show(request, member, entry_id, draft, shown, attached=attached, serving=serving)

    async def _now(self, entry_id: str) -> tuple[Entry | None, Edition | None]:
        """What serves, even if a lawyer took it out, and the open draft."""
        draft = await self._tools.db.read(lambda conn: editions.opened(conn, entry_id))
        library = self._tools.library
        return library.base.entries.get(entry_id) or self._tools.live.shipped.base.entries.get(entry_id), draft

    async def preview(self, request: web.Request, member: Member, filled: Form) -> web.Response:
        """How it reads on the phone and what the checks say, for the page's script."""
        old = self._tools.library.base.entries.get(filled.get("entry", ""))
        made = form.entry(filled, old)
        verdicts = await self._judge(made.entry)
        bubble = phone(self._tools.library, made.entry, self._tools.today()) if made.entry else None
        return shell.render(
            request, "knowledge_preview.html", member, reply=bubble, faults=made.faults, verdicts=verdicts
        )

    async def create(self, request: web.Request, member: Member, filled: Form) -> web.StreamResponse:
        """Keep a new entry as a draft."""
        return await self._keep(request, member, filled, "")

    async def save(self, request: web.Request, member: Member, filled: Form) -> web.StreamResponse:
        """Preview, keep, hand in for review, or propose to retire."""
        return await self._keep(request, member, filled, request.match_info["id"])

    async def _keep(self, request: web.Request, member: Member, filled: Form, entry_id: str) -> web.StreamResponse:
        serving, draft = await self._now(entry_id) if entry_id else (None, None)
        old = serving or (draft.entry if draft else None)
        if entry_id and old is None:
            raise web.HTTPNotFound(text="没有这一条。")
        made = form.entry(filled, old)
        note, publish_on = filled.get("why", "").strip()[:500], filled.get("publish_on", "").strip()
        shown = Shown(filled, filled.get("seen", ""), made.faults, note=note, publish_on=publish_on)
        kept = _Kept(entry_id, draft, serving, made.entry, _day(publish_on), filled.get("do", "preview"))
        fault = await self._fault(kept, publish_on)
        if fault or (made.entry is None and not kept.retires):
            return self._refuse(request, member, kept, shown, fault)
        verdicts = () if kept.retires else await self._judge(made.entry, kept.due)
        shown = replace(shown, verdicts=verdicts, preview=made.entry)
        if kept.do == "preview":
            return self._show(request, member, entry_id, draft, shown)
        if kept.do == "review" and any(one.fatal for one in verdicts):
            return self._refuse(request, member, kept, shown, NOT_PUBLISHABLE)
        return await self._write(request, member, kept, shown)

    async def _fault(self, kept: _Kept, publish_on: str) -> str:
        if publish_on and (kept.due is None or kept.due.date() < self._tools.today()):
            return BAD_DAY
        fresh = not kept.entry_id and kept.entry is not None
        return TAKEN if fresh and await self._taken(kept.named) else ""

    async def _write(self, request: web.Request, member: Member, kept: _Kept, shown: Shown) -> web.StreamResponse:
        tools, now, text = self._tools, self._tools.clock(), None if kept.retires else kept.entry
        serving = kept.serving.version if kept.serving else ""
        try:
            edition = await tools.db.write(
                lambda conn: editions.save(
                    conn, tools.new_id, kept.named, text, member, now, seen=shown.seen, serving=serving,
                    note=shown.note, publish_at=kept.due, review=kept.do != "draft",
                )
            )  # fmt: skip
        except EditedError as refused:
            return await self._both(request, member, kept, shown, refused)
        if kept.do == "draft":
            return back(f"{AT}/entries/{kept.named}", "draft")
        return back(f"{AT}/editions/{edition}", "review")

    async def _both(
        self, request: web.Request, member: Member, kept: _Kept, shown: Shown, refused: EditedError
    ) -> web.Response:
        """The second of two editors sees what the first made of it, and keeps their own words in the form."""
        serving, draft = await self._now(kept.named)
        other = draft.entry if draft else serving
        newest = draft.version if draft else (serving.version if serving else "")
        shown = replace(shown, theirs=tuple(diff.changes(other, kept.entry)), seen=newest)
        return self._refuse(request, member, replace(kept, draft=draft), shown, str(refused))

    async def _taken(self, entry_id: str) -> bool:
        return entry_id in self._tools.library.base.entries or bool(
            await self._tools.db.read(lambda conn: editions.of(conn, entry_id))
        )

    async def _judge(self, entry: Entry | None, due: datetime | None = None) -> tuple[Verdict, ...]:
        if entry is None:
            return ()
        day = max(self._tools.today(), due.date()) if due else self._tools.today()
        async with self._busy:
            return tuple(await asyncio.to_thread(judging.judge, self._tools.library, entry, day))

    def _refuse(self, request: web.Request, member: Member, kept: _Kept, shown: Shown, why: str) -> web.Response:
        shown = replace(shown, faults=tuple(filter(None, (why, *shown.faults))))
        return self._show(request, member, kept.entry_id, kept.draft, shown, status=409 if why else 400)

    def _show(
        self, request: web.Request, member: Member, entry_id: str, draft: Edition | None, shown: Shown, *,
        status: int = 200, attached: list[county.Wording] | None = None, serving: Entry | None = None,
    ) -> web.Response:  # fmt: skip
        base = self._tools.library.base
        bubble = phone(self._tools.library, shown.preview, self._tools.today()) if shown.preview else None
        return page(
            request, "editor", member, status=status, entry_id=entry_id, draft=draft, shown=shown, values=shown.values,
            reply=bubble, faults=shown.faults, verdicts=shown.verdicts, attached=attached or [], labels=form.LABELS,
            categories={one: category_name(one) for one in sorted({each.category for each in base.entries.values()})},
            serving=serving, served=entry_id in base.entries, may_read=member.role in JURISTS, places=base.places,
        )  # fmt: skip


def _day(text: str) -> datetime | None:
    """The first moment of a day in the county."""
    try:
        return datetime.combine(datetime.fromisoformat(text), time(), LOCAL) if text else None
    except ValueError:
        return None
