"""`/console/access`: who looked at whom, for heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console import shell
from bot.console.doors import HEADS, Doors
from bot.console.records import names
from bot.console.records.listing import place_in
from bot.ids import Clock
from bot.masking import mask
from bot.service import accounts
from bot.service.records import access, filters
from bot.service.records.access import ACTIONS, Access
from bot.service.staff import Member
from bot.store.database import Database

PATH = "/console/access"
SHOWN = 100
LONGEST = 64


class AccessPages:
    """The report."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def add_to(self, doors: Doors) -> None:
        """Mount it."""
        doors.page(PATH, HEADS, self.show)

    async def show(self, request: web.Request, member: Member) -> web.Response:
        """Acts on citizens' data, newest first, by staff, by citizen or consultation, by kind and day."""
        asked = {
            name: request.query.get(name, "").strip()[:LONGEST].replace("\x00", "")
            for name in ("by", "about", "action")
        }
        days, faults = filters.read((name, request.query.get(name, "")) for name in ("from", "until"))
        action = asked["action"] if asked["action"] in ACTIONS else ""
        before, now = place_in(request.query.get("before", "")), self._clock()

        def look(conn: Connection) -> tuple[list[Access], list[Member]]:
            found = access.page(
                conn, SHOWN + 1, by=asked["by"], about=asked["about"], action=action, days=days, before=before
            )
            return found, [one for one, _ in accounts.everyone(conn)]

        found, people = await self._db.read(look)
        called = {one.login: one.name for one in people}
        lines = [_shown(one, called) | {"at": names.stamp(one.at, now)} for one in found[:SHOWN]]
        chosen = [*((name, value) for name, value in asked.items() if value), *days.pairs]
        older = ""
        if len(found) > SHOWN:
            at, last = found[SHOWN - 1].place
            older = f"{PATH}?{urlencode([*chosen, ('before', f'{at}.{last}')])}"
        return shell.render(
            request,
            "access.html",
            member,
            asked=asked,
            days=days,
            faults=faults,
            lines=lines,
            people=people,
            actions=ACTIONS,
            older=older,
            newest=f"{PATH}?{urlencode(chosen)}" if before else "",
        )


def _shown(one: Access, people: Mapping[str, str]) -> dict[str, Any]:
    return {
        "staff": one.staff or "（命令行）",
        "action": ACTIONS[one.action],
        "plain": one.action in {"record.unmask", "record.export_unmasked"},
        "citizen": one.citizen,
        "code": names.code(one.citizen) if one.citizen else "",
        "consultation": one.consultation,
        "detail": mask(_detail(one, people)),
    }


def _detail(one: Access, people: Mapping[str, str]) -> str:
    """What the audit keeps for machines, in words."""
    if one.action == "record.correct":
        before, _, after = one.detail.partition(" ")
        return f"{_matter(before)} 改为 {_matter(after)}"
    if one.action in {"record.export", "record.export_unmasked"}:
        format_, query, reason = (*one.detail.split(" ", 2), "", "")[:3]
        found = f"{format_.upper()}：{names.described(query, people)}"
        return f"{found}。理由：{reason}" if reason else found
    return one.detail


def _matter(written: str) -> str:
    kind, _, category = written.partition("/")
    return f"{names.name('kind', kind, {})}·{names.name('category', category, {})}"
