"""The departments' digests: the office's list, and the private link that needs no login."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console import shell
from bot.console.doors import HEADS, OFFICE, Doors, Form, onward
from bot.console.figures.reports import EXCEL
from bot.ids import Clock, NewId
from bot.live import Live
from bot.service import audit, digests
from bot.service.digests import Digest
from bot.service.staff import Member
from bot.store.database import Database

AT = "/console/reports/digests"
LINK = "/digest/{token}"
SHOWN = 200
STATES = {"waiting": "等待发送", "sent": "已发送", "failed": "没发出去", "kept": "没有邮箱，未发"}


class DigestPages:
    """Look at digests, send again, make links; and what a link leads to."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, live: Live) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._live = live

    def add_to(self, app: web.Application, doors: Doors) -> None:
        """Mount the pages; the links are for those who have them."""
        doors.page(AT, OFFICE, self.list)
        doors.page(f"{AT}/{{id}}", OFFICE, self.file)
        doors.form(f"{AT}/{{id}}/send", HEADS, self.send)
        doors.form(f"{AT}/{{id}}/link", HEADS, self.link)
        app.add_routes([web.get(LINK, self.open), web.get(f"{LINK}/file", self.open_file)])

    async def list(self, request: web.Request, member: Member) -> web.Response:
        """The newest digests, and how their sending went."""
        return await self._list(request, member)

    async def file(self, request: web.Request, _member: Member) -> web.Response:
        """A digest's file."""
        row_id = request.match_info["id"]
        found = await self._db.read(lambda conn: digests.content(conn, row_id))
        if found is None:
            raise web.HTTPNotFound
        return self._workbook(request, *found)

    async def send(self, request: web.Request, member: Member, _form: Form) -> web.Response:
        """Send one again."""
        row_id, now = request.match_info["id"], self._clock()

        def put_back(conn: Connection) -> bool:
            there = digests.send_again(conn, row_id, now)
            if there:
                audit.write(conn, self._new_id, "digest_sent_again", now=now, staff=member.id, subject=row_id)
            return there

        if not await self._db.write(put_back):
            raise web.HTTPNotFound
        return onward(f"{AT}?done=1")

    async def link(self, request: web.Request, member: Member, _form: Form) -> web.Response:
        """Make a link and show it, this once: the store knows only its hash."""
        row_id, now, token = request.match_info["id"], self._clock(), secrets.token_urlsafe(32)

        def make(conn: Connection) -> bool:
            there = digests.new_link(conn, row_id, token)
            if there:
                audit.write(conn, self._new_id, "digest_link_made", now=now, staff=member.id, subject=row_id)
            return there

        if not await self._db.write(make):
            raise web.HTTPNotFound
        base = self._live.base.http.public_url or str(request.url.origin())
        return await self._list(request, member, link=f"{base}/digest/{token}", of=row_id)

    async def open(self, request: web.Request) -> web.Response:
        """What a link shows to whoever has it."""
        found = await self._of(request)
        status = 404 if found is None else 200
        shown = None if found is None else self._row(found[0])
        page = shell.render(request, "digest.html", status=status, digest=shown, path=request.path)
        page.headers["X-Robots-Tag"] = "noindex, nofollow"
        return page

    async def open_file(self, request: web.Request) -> web.Response:
        """The file behind a link."""
        found = await self._of(request)
        if found is None:
            raise web.HTTPNotFound
        return self._workbook(request, *found)

    async def _of(self, request: web.Request) -> tuple[Digest, bytes] | None:
        token, now = request.match_info["token"], self._clock()
        return await self._db.read(lambda conn: digests.by_token(conn, token, now))

    async def _list(self, request: web.Request, member: Member, *, link: str = "", of: str = "") -> web.Response:
        found = await self._db.read(lambda conn: digests.recent(conn, SHOWN))
        return shell.render(
            request,
            "digests.html",
            member,
            rows=[self._row(one) for one in found],
            link=link,
            of=next((self._row(one) for one in found if one.id == of), None),
            enabled=self._live.base.digest.enabled,
            mail=bool(self._live.base.mail.host),
            is_head=member.role in HEADS,
            done=request.query.get("done") == "1",
            keep=digests.KEEP.days,
        )

    def _row(self, digest: Digest) -> dict[str, object]:
        name = digests.name_of(self._live.library.locality, digest.department)
        return {
            "id": digest.id,
            "name": name,
            "period": digest.period.name,
            "questions": digest.questions,
            "state": STATES[digest.state],
            "bad": digest.state == "failed",
            "good": digest.state == "sent",
            "error": digest.error,
        }

    def _workbook(self, request: web.Request, digest: Digest, content: bytes) -> web.Response:
        name = quote(digests.file_name(digests.name_of(self._live.library.locality, digest.department), digest))
        named = f"attachment; filename=\"digest.xlsx\"; filename*=UTF-8''{name}"
        headers = shell.headers(request) | {"Content-Disposition": named, "X-Robots-Tag": "noindex, nofollow"}
        return web.Response(body=content, content_type=EXCEL, headers=headers)
