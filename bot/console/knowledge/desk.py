"""What all pages of the knowledge desk share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
from aiohttp import web
from yarl import URL

from bot.console import shell
from bot.console.doors import EDITORS, JURISTS
from bot.conversation.handoff import subjects
from bot.conversation.turn import LOCAL, Library
from bot.ids import Clock, NewId
from bot.live import Live
from bot.service.staff import Member, Role
from bot.store.database import Database
from knowledge import reply
from knowledge.entry import KIND_NAMES, Entry
from knowledge.reply import Reply

AT = "/console/knowledge"
TABS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    (AT, "没答好的问题", EDITORS),
    (f"{AT}/entries", "全部条目", EDITORS),
    (f"{AT}/pending", "稿子和待审", EDITORS),
    (f"{AT}/due", "该复核的", EDITORS),
    (f"{AT}/confirm", "律师确认", JURISTS),
    (f"{AT}/try", "试一试", EDITORS),
)
DONE = {
    "attached": "已经加上，群众马上就能这样问。",
    "foreign": "记下了：这句话不归我们管，以后不再列出来。",
    "detached": "已经去掉。",
    "draft": "草稿存好了，还没有发布。",
    "review": "已经送审，请另一位同事看过后发布。",
    "published": "已经发布，群众马上看到新的内容。",
    "scheduled": "已经批准，到定好的日子自动发布。",
    "sent_back": "已经退回给作者。",
    "dropped": "这份稿子作废了。",
    "rolled_back": "已经恢复，群众马上看到恢复后的内容。",
    "confirmed": "已经确认，下面是下一条。",
    "retired": "已经停用，群众不会再看到。下面是下一条。",
    "unread": "已经撤销，这一条回到待确认。",
}
STATES = {
    "draft": "草稿",
    "review": "待审",
    "published": "已发布",
    "replaced": "旧版",
    "dropped": "作废",
}


class Tools(msgspec.Struct, frozen=True):
    """What the pages work with."""

    db: Database
    clock: Clock
    new_id: NewId
    live: Live

    @property
    def library(self) -> Library:
        """What serves now."""
        return self.live.library

    def today(self) -> date:
        """The day in the county."""
        return self.clock().astimezone(LOCAL).date()


def page(request: web.Request, template: str, member: Member, *, status: int = 200, **values: Any) -> web.Response:
    """A page of the desk, with its tabs and what was just done."""
    asked_for = request.path.replace("/editions/", "/pending/")
    here = max((path for path, _, _ in TABS if asked_for.startswith(path)), key=len, default=AT)
    return shell.render(
        request,
        f"knowledge_{template}.html",
        member,
        status=status,
        tabs=[(path, name, path == here) for path, name, roles in TABS if member.role in roles],
        done=DONE.get(request.query.get("done", ""), ""),
        kinds=KIND_NAMES,
        states=STATES,
        moment=moment,
        subject=lambda category: subjects.of_category(category).label,
        **values,
    )


def asked(request: web.Request, name: str, most: int = 200) -> str:
    """A parameter of the address, without what a database cannot compare with."""
    return request.query.get(name, "").replace("\x00", "").strip()[:most]


def back(path: str, done: str, **more: str) -> web.Response:
    """On to a page that says what was done."""
    where = URL(path)
    return web.Response(status=303, headers={"Location": str(where.with_query({**where.query, **more, "done": done}))})


def moment(at: datetime | None) -> str:
    """2026-11-23 09:00, in the county."""
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M}" if at else ""


def phone(library: Library, entry: Entry, day: date) -> Reply | None:
    """The reply as a citizen gets it; None while the text names places or articles that nobody knows."""
    try:
        return reply.answer(entry, library.base, library.locality, day)
    except (KeyError, ValueError):
        return None
