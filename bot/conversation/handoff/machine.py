"""The handoff's state machine, as data: which event leads where, who may cause it, what it changes."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

HandoffState = Literal["asking", "waiting", "held", "closed"]
End = Literal["settled", "cancelled", "idle", "abandoned", "timed_out", "left"]
# 0: lawyers who cover the subject, 1: everyone on duty, 2: supervisors, too.
ESCALATION_LAST = 2

EventName = Literal[
    "detail",  # the citizen says what it is about, or where they live
    "queue",  # nothing more to ask
    "said",  # the citizen writes
    "claim",
    "reply",  # the lawyer writes
    "transfer",
    "release",  # back to the queue, by the lawyer's own choice
    "take_over",  # by a supervisor
    "vanish",  # the lawyer was silent too long, went offline or was disabled
    "escalate",  # nobody came: tell more people
    "close",
    "cancel",  # by the citizen
    "leave",  # the citizen unsubscribed
    "idle",  # the citizen fell silent after the lawyer's words
    "give_up",  # nobody came at all
]
Reason = Literal["asked", "offered", "rated_bad", "danger"]

# The whole machine. What is not here cannot happen.
TRANSITIONS: dict[tuple[HandoffState, EventName], HandoffState] = {
    ("asking", "detail"): "asking",
    ("asking", "queue"): "waiting",
    ("asking", "said"): "asking",
    ("asking", "cancel"): "closed",
    ("asking", "leave"): "closed",
    ("waiting", "detail"): "waiting",
    ("waiting", "said"): "waiting",
    ("waiting", "claim"): "held",
    ("waiting", "escalate"): "waiting",
    ("waiting", "cancel"): "closed",
    ("waiting", "leave"): "closed",
    ("waiting", "give_up"): "closed",
    ("held", "said"): "held",
    ("held", "detail"): "held",
    ("held", "reply"): "held",
    ("held", "transfer"): "held",
    ("held", "take_over"): "held",
    ("held", "release"): "waiting",
    ("held", "vanish"): "waiting",
    ("held", "close"): "closed",
    ("held", "cancel"): "closed",
    ("held", "leave"): "closed",
    ("held", "idle"): "closed",
}
_ENDS: dict[EventName, End] = {"close": "settled", "cancel": "cancelled", "leave": "left", "give_up": "timed_out"}
# Only the lawyer in charge may do these.
_OWN: frozenset[EventName] = frozenset({"reply", "transfer", "release", "close"})


class NotPossibleError(Exception):
    """The event cannot happen now. `why`: taken, not_yours, closed or not_now; `holder` is who has it."""

    def __init__(self, why: Literal["taken", "not_yours", "closed", "not_now"], holder: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.holder = holder


class Handoff(msgspec.Struct, frozen=True):
    """A citizen's request for a person, from asking to closing. Times are aware; `lawyer` is a staff id or empty."""

    id: str
    citizen: str
    asked_at: datetime
    citizen_at: datetime
    state: HandoffState = "asking"
    version: int = 1
    channel: str = ""
    consultation: str | None = None
    urgent: bool = False
    reason: Reason = "asked"
    kind: str = ""
    category: str = ""
    township: str = ""
    question: str = ""
    lawyer: str = ""
    queued_at: datetime | None = None
    claimed_at: datetime | None = None
    first_reply_at: datetime | None = None
    lawyer_at: datetime | None = None
    escalation: int = 0
    returns: int = 0
    promised_at: datetime | None = None
    messages: int = 0
    read: int = 0
    ended: End | Literal[""] = ""
    closed_at: datetime | None = None


class Event(msgspec.Struct, frozen=True):
    """Something that happens to a handoff. `by` and `to` are staff ids; empty `by` is the citizen or the clock."""

    name: EventName
    by: str = ""
    to: str = ""
    note: str = ""
    kind: str = ""
    category: str = ""
    township: str = ""
    urgent: bool = False


def apply(handoff: Handoff, event: Event, now: datetime) -> Handoff:  # noqa: C901, PLR0911 - one case per event
    """The handoff after the event; NotPossibleError if it cannot happen now."""
    following = _following(handoff, event)
    changed = replace(handoff, state=following, version=handoff.version + 1)
    match event.name:
        case "detail":
            return replace(
                changed,
                kind=event.kind or changed.kind,
                category=event.category or changed.category,
                township=event.township or changed.township,
                urgent=changed.urgent or event.urgent,
            )
        case "queue":
            return replace(changed, queued_at=now)
        case "said":
            return replace(changed, citizen_at=now)
        case "claim" | "take_over":
            return replace(changed, lawyer=event.by, claimed_at=now, lawyer_at=None)
        case "transfer":
            return replace(changed, lawyer=event.to, claimed_at=now, lawyer_at=None)
        case "reply":
            return replace(changed, lawyer_at=now, first_reply_at=changed.first_reply_at or now)
        case "release" | "vanish":
            # The place in the queue is kept: `queued_at` stays the moment the citizen began to wait.
            return replace(
                changed, lawyer="", claimed_at=None, lawyer_at=None, escalation=0, returns=changed.returns + 1
            )
        case "escalate":
            return replace(changed, escalation=min(changed.escalation + 1, ESCALATION_LAST))
        case "idle":
            return _closed(changed, "idle" if changed.citizen_at > (changed.claimed_at or now) else "abandoned", now)
        case "close" | "cancel" | "leave" | "give_up":
            return _closed(changed, _ENDS[event.name], now)


def _following(handoff: Handoff, event: Event) -> HandoffState:
    following = TRANSITIONS.get((handoff.state, event.name))
    if following is None:
        if handoff.state == "closed":
            raise NotPossibleError("closed")
        if event.name == "claim" and handoff.state == "held":
            raise NotPossibleError("taken", handoff.lawyer)
        raise NotPossibleError("not_yours" if event.name in _OWN else "not_now", handoff.lawyer)
    if event.name in _OWN and event.by != handoff.lawyer:
        raise NotPossibleError("not_yours", handoff.lawyer)
    if event.name == "transfer" and event.to in {"", handoff.lawyer}:
        raise NotPossibleError("not_now", handoff.lawyer)
    return following


def _closed(handoff: Handoff, ended: End, now: datetime) -> Handoff:
    return replace(handoff, ended=ended, closed_at=now)
