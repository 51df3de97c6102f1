"""Serving a lawyer in their own WeChat: binding, and the acts of the workbench by words and taps."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.engine import Connection

from bot.conversation import counsel
from bot.conversation.counsel import Command, Waiting
from bot.conversation.handoff import subjects
from bot.conversation.handoff.duty import Hours
from bot.conversation.handoff.machine import Event, Handoff, NotPossibleError
from bot.conversation.turn import Inbound
from bot.ids import NewId
from bot.service import audit, bindings, handling, handoffs, relay, staff, threads
from bot.service.handling import SERVICES, Closing
from bot.service.staff import COUNSEL, Member
from knowledge.entry import KIND_NAMES
from knowledge.reply import Reply

# `attending` of a lawyer who is at work here, but with nobody just now.
INSIDE = "desk"
MINUTES = 10
WHO = {"citizen": "群众", "bot": "法问", "lawyer": "律师", "note": "备注", "system": "系统"}


def command(inbound: Inbound, member: Member | None) -> Command | None:
    """What this message asks for here; None if it is a citizen's."""
    if inbound.kind == "event":
        scanned = inbound.event in {"scan", "subscribe"} and inbound.scene.startswith(bindings.SCENE)
        return Command("bind", inbound.scene.removeprefix(bindings.SCENE)) if scanned else None
    lawyer = member is not None and member.role in COUNSEL
    inside = lawyer and member is not None and member.attending != ""
    if inbound.kind != "text":
        return Command("help", counsel.TEXT_ONLY) if inside else None
    return counsel.read(inbound.text, inbound.tap, lawyer=lawyer, inside=inside)


class Counter(msgspec.Struct, frozen=True):
    """One act of one lawyer, in one transaction."""

    conn: Connection
    new_id: NewId
    hours: Hours
    member: Member
    now: datetime
    key: str

    def serve(self, wanted: Command) -> tuple[Reply | None, str]:
        """What to say (silence for words that were passed on), and the handoff concerned."""
        staff.saw(self.conn, self.member.id, self.now)
        try:
            return self._do(wanted)
        except NotPossibleError as refused:
            holder = staff.member(self.conn, refused.holder) if refused.why == "taken" else None
            said = counsel.TAKEN.format(name=holder.title) if holder else counsel.GONE
            return self._queue(said + "\n"), ""

    def _do(self, wanted: Command) -> tuple[Reply | None, str]:  # noqa: PLR0911 - one case per command
        match wanted.act:
            case "on":
                self._duty(on=True)
                return self._queue(counsel.ON), ""
            case "off":
                return self._off(), ""
            case "citizen":
                self._attend("")
                return Reply(counsel.AS_CITIZEN), ""
            case "help":
                self._enter()
                return Reply(wanted.what or counsel.HELP), ""
            case "queue":
                self._enter()
                return self._queue(), ""
            case "claim":
                return self._claim(wanted.what)
            case "switch":
                return self._switch(wanted.what), ""
            case _:
                return self._about_current(wanted)

    def _about_current(self, wanted: Command) -> tuple[Reply | None, str]:
        current = next((one for one in relay.mine(self.conn, self.member.id) if one.id == self.member.attending), None)
        if current is None:
            self._attend(INSIDE)
            lost = self.member.attending not in {"", INSIDE}
            return Reply(counsel.ENDED if lost else counsel.NOT_ATTENDING), ""
        match wanted.act:
            case "say":
                handling.lawyer_says(
                    self.conn, self.new_id, current.id, self.member.id, wanted.what[:5000], self.key, self.now
                )
                return None, current.id
            case "close":
                return self._close(current, wanted.what)
            case "release":
                return self._away(current, Event("release", by=self.member.id), counsel.RELEASED)
            case _:
                return self._transfer(current, wanted.what)

    def _queue(self, lead: str = "") -> Reply:
        waiting = [_shown(one, self.now) for one in self._waiting()]
        return counsel.queue(waiting, lead)

    def _waiting(self) -> list[Handoff]:
        """Mine to take first, then the others; each in the order of the queue."""
        waiting = [one for one in handoffs.open_ones(self.conn) if one.state == "waiting"]
        return sorted(waiting, key=lambda one: self.member not in handling.offered_to(one, [self.member]))

    def _claim(self, what: str) -> tuple[Reply, str]:
        waiting = self._waiting()
        handoff = what
        if what.isdigit() or not what:
            place = int(what or 1)
            if not 1 <= place <= len(waiting):
                self._enter()
                return self._queue(counsel.NO_SUCH + "\n" if what else ""), ""
            handoff = waiting[place - 1].id
        try:
            handling.happen(self.conn, self.new_id, handoff, Event("claim", by=self.member.id), self.now)
        except KeyError:
            return self._queue(counsel.GONE + "\n"), ""
        self._audit("claim", handoff)
        return self._attended(handoff), handoff

    def _attended(self, handoff_id: str) -> Reply:
        """From now on the lawyer's words go to this citizen."""
        self._attend(handoff_id)
        handoff = handoffs.get(self.conn, handoff_id)
        seen = threads.read(self.conn, handoff_id, max(handoff.messages - threads.PAGE // 2, 0))
        threads.mark_read(self.conn, handoff_id, handoff.messages)
        lines = [f"{WHO[one.author]}：{one.text}" for one in seen if one.author in {"citizen", "lawyer", "note"}]
        head = "，".join(part for part in (subjects.of_category(handoff.category).label, handoff.township) if part)
        return counsel.attending(self._number(handoff_id), head, lines or [f"群众：{handoff.question}"])

    def _switch(self, what: str) -> Reply:
        mine, known = relay.mine(self.conn, self.member.id), relay.numbers(self.conn, self.member.id, self.now)
        wanted = next((one for one in mine if what and what in {one.id, str(known.get(one.id))}), None)
        if wanted is not None:
            return self._attended(wanted.id)
        self._enter()
        shown = [(known.get(one.id, 0), one.id, subjects.of_category(one.category).label) for one in mine]
        return counsel.held(shown, self.member.attending)

    def _close(self, current: Handoff, word: str) -> tuple[Reply, str]:
        service = next((key for key, label in SERVICES.items() if word in {key, label}), "" if word else "answered")
        if not service:
            return Reply(counsel.NO_SERVICE.format(word=word[:20], all="、".join(SERVICES.values()))), ""
        kind = subjects.of_category(current.category).kind or current.kind
        closing = Closing(
            service, kind if kind in KIND_NAMES else "legal", current.category or "other", minutes=MINUTES
        )
        number = self._number(current.id)
        handling.close(self.conn, self.new_id, current.id, self.member.id, closing, self.now)
        self._audit("close", current.id)
        return self._next(current, counsel.CLOSED.format(number=number, service=SERVICES[service])), current.id

    def _away(self, current: Handoff, event: Event, said: str) -> tuple[Reply, str]:
        number = self._number(current.id)
        handling.happen(self.conn, self.new_id, current.id, event, self.now)
        self._audit(event.name, current.id)
        return self._next(current, said.format(number=number)), current.id

    def _transfer(self, current: Handoff, word: str) -> tuple[Reply, str]:
        others = [one for one in staff.counsel(self.conn) if one.id != self.member.id]
        to = next((one for one in others if word in {one.name, one.title, one.login}), None)
        if to is None:
            names = "、".join(one.title for one in others) or "（没有别的同事）"
            return Reply(counsel.NO_COLLEAGUE.format(word=word[:20], all=names)), ""
        said = counsel.TRANSFERRED.replace("{name}", to.title)
        return self._away(current, Event("transfer", by=self.member.id, to=to.id), said)

    def _next(self, left: Handoff, said: str) -> Reply:
        """Whoever is left goes on with the next of their own."""
        after = handoffs.get(self.conn, left.id)
        if after.state == "closed":  # a colleague who has it now has not read it
            threads.mark_read(self.conn, left.id, after.messages)
        mine = [one for one in relay.mine(self.conn, self.member.id) if one.id != left.id]
        if not mine:
            self._attend(INSIDE)
            return self._queue(said + "\n")
        shown = self._attended(mine[0].id)
        return Reply(f"{said}\n{shown.text}", shown.rows)

    def _off(self) -> Reply:
        mine = relay.mine(self.conn, self.member.id)
        if mine:
            return Reply(counsel.STILL.format(count=len(mine)))
        self._duty(on=False)
        return Reply(counsel.OFF)

    def _duty(self, *, on: bool) -> None:
        staff.set_duty(self.conn, self.member.id, self.now, on=on)
        self._audit("duty_on" if on else "duty_off", "")
        if on:
            self._enter()
        else:
            self._attend("")

    def _enter(self) -> None:
        if not self.member.attending:
            self._attend(INSIDE)

    def _attend(self, where: str) -> None:
        staff.attend(self.conn, self.member.id, where)

    def _number(self, handoff_id: str) -> int:
        return relay.numbers(self.conn, self.member.id, self.now).get(handoff_id, 0)

    def _audit(self, action: str, handoff_id: str) -> None:
        citizen = handoffs.get(self.conn, handoff_id).citizen if handoff_id else ""
        audit.write(
            self.conn, self.new_id, action, now=self.now, staff=self.member.id, citizen=citizen, subject=handoff_id,
            detail="wechat",
        )  # fmt: skip


def _shown(handoff: Handoff, now: datetime) -> Waiting:
    waited = max(int((now - (handoff.queued_at or handoff.asked_at)).total_seconds()) // 60, 0)
    label = subjects.of_category(handoff.category).label
    return Waiting(handoff.id, label, handoff.township, waited, handoff.urgent)
