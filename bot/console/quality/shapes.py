"""What the pages about ratings show, ready to read."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from bot.conversation.handoff import subjects
from bot.conversation.handoff.wording import GRADES
from bot.conversation.rectification import ACT_NAMES, STATE_NAMES, TRANSITIONS, Case
from bot.conversation.turn import LOCAL
from bot.masking import mask
from bot.service.rectifications import Line, Step
from bot.service.staff import HEADS, Member
from knowledge.load import KnowledgeBase

CHANNELS = {"web": "网页", "wechat": "公众号"}
LETTERS = {
    "waiting": "正在发给群众",
    "sending": "正在发给群众",
    "sent": "已送到",
    "held": "等对方下次说话时送到",
    "uncertain": "可能已经送到",
    "failed": "没有送到",
}


class Row(msgspec.Struct, frozen=True):
    """A rectification in the list."""

    id: str
    due: str
    late: bool
    state: str
    grade: str
    subject: str
    answered_by: str
    responsible: str


class Happened(msgspec.Struct, frozen=True):
    """One line of what was done."""

    at: str
    who: str
    what: str
    detail: str


def row(line: Line, today: date) -> Row:
    """A line of the list."""
    return Row(
        line.case.id,
        due(line.case, today),
        line.case.overdue(today),
        STATE_NAMES[line.case.state],
        GRADES[line.grade],
        subject(line),
        line.rated or "机器人",
        line.responsible or "还没指定",
    )


def due(case: Case, today: date) -> str:
    """The last day, and how far away it is while something is to be done."""
    day = f"{case.due.month}月{case.due.day}日"
    if case.state == "closed":
        return day
    left = (case.due - today).days
    if left < 0:
        return f"{day}，逾期{-left}天"
    return f"{day}，今天到期" if not left else f"{day}，还有{left}天"


def subject(line: Line) -> str:
    """What it was about."""
    return subjects.of_category(line.category).label


def entry_name(base: KnowledgeBase, entry_id: str) -> str:
    """An entry by its question; its id where it is gone."""
    entry = base.entries.get(entry_id)
    return entry.question if entry else entry_id


def may(case: Case, member: Member, name: str) -> bool:
    """Whether the page offers this act to this member: what the machine would refuse is not shown."""
    head = member.role in HEADS
    if member.id == case.rated or (case.state, name) not in TRANSITIONS:
        return False
    return head or (member.id == case.responsible and name not in {"assign", "reopen"})


def happened(step: Step) -> Happened:
    """A step in words."""
    name = step.action.removeprefix("rectify.")
    what = "打了差评" if name == "open" else ACT_NAMES.get(name, name)
    who = step.who or ("群众" if name in {"open", "visit", "fail", "withdraw"} else "")
    return Happened(clock(step.at), who, what, mask(step.detail))


def clock(moment: datetime | None) -> str:
    """11月23日 9:05 in the county; empty for never."""
    if moment is None:
        return ""
    local = moment.astimezone(LOCAL)
    return f"{local.month}月{local.day}日 {local.hour}:{local.minute:02d}"
