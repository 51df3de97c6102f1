"""What the log's fields and values are called, for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

import msgspec

from bot.conversation.handoff.wording import GRADES
from bot.conversation.turn import LOCAL
from bot.service.handling import ENDS, SERVICES, STILL_OPEN
from bot.service.records import filters
from bot.service.records.filters import NONE
from knowledge.categories import category_name
from knowledge.entry import KIND_NAMES, Entry

UNKNOWN = "未明确"
BOT = "机器人"
OUTCOMES = {"answered": "已解答", "offered": "给了选项", "unanswered": "没答上", "referred": "转人工"}
CHANNELS = {"wechat": "微信", "web": "网页"}
VERDICTS = {"answer": "有把握", "choices": "拿不准", "none": "没找到"}
WEEKDAYS = {str(day): f"星期{name}" for day, name in enumerate("一二三四五六日", 1)}
_FLAGS = {"handed": {"1": "转过人工", "0": "没转人工"}, "urgent": {"1": "急件", "0": "不是急件"}}
_TABLES: dict[str, dict[str, str]] = {
    "outcome": OUTCOMES,
    "first": OUTCOMES,
    "ended": ENDS,
    "weekday": WEEKDAYS,
    "hour": {str(hour): f"{hour}点到{hour + 1}点" for hour in range(24)},
    "channel": CHANNELS,
    "kind": dict(KIND_NAMES),
    "service": SERVICES,
    "verdict": VERDICTS,
    "grade": {str(grade): name for grade, name in GRADES.items()} | {"0": "没有评价"},
    **_FLAGS,
}
_NOTHING = {"ended": STILL_OPEN, "service": "没有办结", "township": "没说乡镇", "entry": "没有条目"}


class Choice(msgspec.Struct, frozen=True):
    """A value to choose, with its name."""

    value: str
    name: str


def name(field: str, value: str, people: Mapping[str, str]) -> str:
    """A value as people call it; `people` are names by login."""
    if field == "handled_by":
        return BOT if value == "bot" else people.get(value, value)
    if field == "category":
        return category_name(value)
    return _TABLES.get(field, {}).get(value) or value or _NOTHING.get(field, UNKNOWN)


def choices(field: str, people: Mapping[str, str], townships: tuple[str, ...]) -> list[Choice]:
    """What may be chosen in a form, in a sensible order; nothing for fields that are typed."""
    if field == "handled_by":
        return [Choice("bot", BOT), *(Choice(login, called) for login, called in people.items())]
    if field == "township":
        return [*(Choice(one, one) for one in townships), Choice(NONE, name(field, "", people))]
    found = [Choice(value, called) for value, called in _TABLES.get(field, {}).items()]
    return [*found, Choice(NONE, name(field, "", people))] if field in {"kind", "service", "ended"} else found


def categories(entries: Mapping[str, Entry]) -> list[tuple[str, str, list[Choice]]]:
    """Kind, its name, and the categories that have entries, for a form."""
    found = []
    for kind, called in KIND_NAMES.items():
        known = sorted({entry.category for entry in entries.values() if entry.kind == kind})
        found.append((kind, called, [Choice(one, category_name(one)) for one in known]))
    return found


def stamp(moment: datetime, now: datetime) -> str:
    """今天 9:05, 昨天 9:05, 11月3日 9:05, 2025年11月3日 9:05."""
    there, here = moment.astimezone(LOCAL), now.astimezone(LOCAL)
    days = (here.date() - there.date()).days
    if days in (0, 1):
        day = ("今天", "昨天")[days]
    else:
        day = (
            f"{there.month}月{there.day}日"
            if there.year == here.year
            else f"{there.year}年{there.month}月{there.day}日"
        )
    return f"{day} {there.hour}:{there.minute:02d}"


def code(citizen_id: str) -> str:
    """A citizen without a name: enough to see that two consultations are of the same one."""
    return citizen_id[-6:].upper()


def described(query: str, people: Mapping[str, str]) -> str:
    """A filter as it stands in an address, in words."""
    wanted, _ = filters.read(parse_qsl(query))
    return "；".join(_condition(field, value, people) for field, value in wanted.pairs) or "全部咨询"


def _condition(field: str, value: str, people: Mapping[str, str]) -> str:
    before = {"from": "从", "until": "到", "words": "说过"}
    if field in before:
        return f"{before[field]} {value}"
    return f"{filters.BY_NAME[field].label}：{name(field, '' if value == NONE else value, people)}"
