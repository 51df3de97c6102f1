"""The handoff's clock: what is due by arithmetic over stored times, found by one sweeper, never by a timer each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

import msgspec

from bot.conversation.handoff.machine import ESCALATION_LAST, EventName, Handoff


class Rules(msgspec.Struct, frozen=True):
    """How long is too long; each is a setting."""

    ask: timedelta = timedelta(minutes=5)
    escalate: timedelta = timedelta(minutes=5)
    silent: timedelta = timedelta(minutes=15)
    idle: timedelta = timedelta(hours=24)
    give_up: timedelta = timedelta(hours=72)


def due(handoff: Handoff, now: datetime, rules: Rules, *, someone_on_duty: bool) -> EventName | None:
    """The event that time brings, if any. A clock set back brings nothing."""
    match handoff.state:
        case "asking":
            # Whoever stops answering our questions still asked for a person.
            return "queue" if now - handoff.citizen_at >= rules.ask else None
        case "waiting":
            return _waiting(handoff, now, rules, someone_on_duty=someone_on_duty)
        case "held":
            return _held(handoff, now, rules)
        case "closed":
            return None


def _waiting(handoff: Handoff, now: datetime, rules: Rules, *, someone_on_duty: bool) -> EventName | None:
    begun = handoff.queued_at or handoff.asked_at
    # A message left over a holiday is not given up before somebody was there to read it.
    if now - max(begun, handoff.promised_at or begun) >= rules.give_up:
        return "give_up"
    level = handoff.escalation
    if someone_on_duty and level < ESCALATION_LAST and now - begun >= rules.escalate * (level + 1):
        return "escalate"
    return None


def _held(handoff: Handoff, now: datetime, rules: Rules) -> EventName | None:
    claimed = handoff.claimed_at or handoff.asked_at
    if handoff.lawyer_at is None:
        return "vanish" if now - claimed >= rules.silent else None
    if handoff.citizen_at > handoff.lawyer_at:
        return "vanish" if now - handoff.citizen_at >= rules.silent else None
    return "idle" if now - handoff.lawyer_at >= rules.idle else None


GUESS = timedelta(minutes=5)
_STEP = timedelta(minutes=5)


def expected_wait(position: int, recent: Sequence[timedelta], lawyers: int) -> timedelta:
    """How long a citizen at this place (1 is next) will wait: recent waits' median, longer behind a queue.

    Rounded up to five minutes: more would promise what nobody knows.
    """
    usual = timedelta(seconds=median(wait.total_seconds() for wait in recent)) if recent else GUESS
    raw = usual * max(1.0, position / max(lawyers, 1))
    return max(_STEP, -(-raw // _STEP) * _STEP)
