"""What the workbench's page is sent: handoffs, messages and members as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.conversation.handoff import subjects
from bot.conversation.handoff.machine import Handoff
from bot.masking import mask
from bot.service.allowance import Allowance
from bot.service.handling import ENDS
from bot.service.staff import Member
from bot.service.threads import Delivery, Message
from bot.store.times import to_ms

CHANNELS = {"wechat": "微信", "web": "网页"}
DELIVERIES = {
    "waiting": "排队发送",
    "sending": "正在发送",
    "sent": "已发出",
    "held": "等对方再说话时送达",
    "uncertain": "可能已送达",
    "failed": "没有发出",
}
QUESTION_SHOWN = 60


def handoff(one: Handoff, names: Mapping[str, str], *, last: str = "") -> dict[str, Any]:
    """A handoff as a line of the queue, or of the lawyer's own conversations: what was said is masked there."""
    return {
        "id": one.id,
        "state": one.state,
        "urgent": one.urgent,
        "subject": subjects.of_category(one.category).label if one.category else "未说明",
        "kind": one.kind,
        "category": one.category,
        "township": one.township,
        "question": mask(one.question)[:QUESTION_SHOWN],
        "channel": CHANNELS.get(one.channel, one.channel),
        "lawyer": one.lawyer,
        "lawyer_name": names.get(one.lawyer, ""),
        "since": to_ms(one.queued_at or one.asked_at),
        "citizen_at": to_ms(one.citizen_at),
        "answered": one.lawyer_at is not None and one.lawyer_at >= one.citizen_at,
        "left_message": one.promised_at is not None,
        "returns": one.returns,
        "messages": one.messages,
        "read": one.read,
        "ended": ENDS.get(one.ended, ""),
        "last": last,
    }


def message(one: Message, names: Mapping[str, str], delivery: Delivery | None) -> dict[str, Any]:
    """A line of a conversation."""
    shown: dict[str, Any] = {
        "id": one.id,
        "number": one.number,
        "author": one.author,
        "name": names.get(one.staff, ""),
        "kind": one.kind,
        "text": one.text,
        "entry": one.entry,
        "media": one.media,
        "key": one.key,
        "at": to_ms(one.at),
    }
    return shown | ({"delivery": delivered(delivery)} if delivery else {})


def delivered(one: Delivery) -> dict[str, Any]:
    """How far a message got, in words."""
    words = DELIVERIES[one.state]
    if one.parts > 1 and one.state != "sent":
        words = f"{words}（{one.done}/{one.parts} 段已发出）"
    return {"state": one.state, "words": words, "error": one.error if one.state == "failed" else ""}


def quota(channel: str, left: Allowance, now: datetime) -> dict[str, Any] | None:
    """How many messages the platform still takes, and for how long; None where there is no such limit."""
    if channel != "wechat":
        return None
    current = left.at(now)
    hours = max(0, (current.until - to_ms(now)) // 3_600_000)
    if not current.left:
        return {"left": 0, "words": "暂时发不出去，会在对方下次说话时一起送达"}
    within = f"{hours}小时内" if hours else "1小时内"
    return {"left": current.left, "words": f"还可发{current.left}条，{within}"}


def member(one: Member) -> dict[str, Any]:
    """A colleague."""
    return {"id": one.id, "name": one.name, "role": one.role, "on_duty": one.on_duty, "covers": list(one.covers)}
