"""Makes the departments' two-day digests when they are due, and sends them one after the other."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.ids import Clock, NewId
from bot.live import Live
from bot.mailing import Letter, Mailer, MailError
from bot.service import digests
from bot.service.demo import write as demo
from bot.service.digests import Digest
from bot.service.figures.period import Period
from bot.store.database import ConflictError, Database
from knowledge.entry import Entry

log = structlog.get_logger("digests")

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360))
LEASE = timedelta(minutes=5)
EVERY = 60.0


@dataclass(frozen=True)
class Digester:
    """Plans and sends. Several processes may: each digest is made once, and claimed by one of them."""

    db: Database
    live: Live
    mailer: Mailer
    clock: Clock
    new_id: NewId

    async def work(self) -> bool:
        """Make what is due and send one; whether there may be more."""
        if not self.live.base.digest.enabled:
            return False
        try:
            await self._plan()
        except ConflictError:
            log.debug("planned_elsewhere")  # another process was a moment faster
        return bool(self.live.base.mail.host) and await self._send_one()

    async def _plan(self) -> None:
        now = self.clock()
        items = digests.by_department(self.live.library.base.entries.values())
        missing = await self.db.read(lambda conn: digests.missing(conn, sorted(items), digests.windows(now)))
        for period, owed in missing.items():
            await self._make(period, owed, items, now)
        await self.db.write(lambda conn: digests.forget(conn, now))

    async def _make(
        self, period: Period, owed: Sequence[str], items: Mapping[str, Mapping[str, Entry]], now: datetime
    ) -> None:
        """The digests of a window, for the departments that were asked about."""
        from bot.service.reports.digest import workbook  # noqa: PLC0415 - large, and needed every other day

        asked, marked = await self.db.read(lambda conn: (digests.asked(conn, period), demo.marked(conn)))
        for department in owed:
            mine = digests.of_items(asked, items[department])
            if not mine:
                continue
            name = digests.name_of(self.live.library.locality, department)
            made = await asyncio.to_thread(workbook, name, period, mine, demo=marked)
            to_send = bool(self._address(department) and self.live.base.mail.host)
            add = partial(
                digests.add,
                new_id=self.new_id,
                department=department,
                period=period,
                content=made,
                questions=len(mine),
                now=now,
                to_send=to_send,
            )
            await self.db.write(add)

    async def _send_one(self) -> bool:
        token = secrets.token_urlsafe(32)
        claimed = await self.db.write(lambda conn: digests.begin(conn, token, LEASE, self.clock()))
        if claimed is None:
            return False
        digest, content = claimed
        try:
            await self.mailer.send(self._letter(digest, content, token))
        except MailError as error:
            again = BACK_OFF[digest.attempts] if error.again and digest.attempts < len(BACK_OFF) else None
            why = str(error)
            log.warning(
                "digest_not_sent", row=digest.id, department=digest.department, again=again is not None, why=why
            )
            state: digests.State = "failed" if again is None else "waiting"
            await self.db.write(lambda conn: digests.settle(conn, digest.id, state, why, self.clock(), again=again))
        else:
            await self.db.write(lambda conn: digests.settle(conn, digest.id, "sent", "", self.clock()))
        return True

    def _letter(self, digest: Digest, content: bytes, token: str) -> Letter:
        """MailError if nobody knows where to send it."""
        address = self._address(digest.department)
        if not address:
            raise MailError("机构信息里没有这个部门的邮箱", again=False)
        locality = self.live.library.locality
        name = digests.name_of(locality, digest.department)
        base = self.live.base.http.public_url
        link = (
            f"\n也可以在这里看，{digests.KEEP.days}天内有效，请不要转给别人：\n{base}/digest/{token}\n" if base else ""
        )
        text = (
            f"{name}：\n\n{digest.period.name}，群众在“法问”问到贵单位事项{digest.questions}人次，清单见附件。"
            f"群众的个人信息已经隐去。\n{link}\n{locality.county}公共法律服务\n"
        )
        subject = f"群众咨询两日推送：{digest.period.name}，{digest.questions}人次"
        return Letter(address, subject, text, digests.file_name(name, digest), content)

    def _address(self, department: str) -> str:
        office = self.live.library.locality.offices.get(department)
        return office.email if office else ""
