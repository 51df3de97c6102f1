"""The settings that may change while the service runs: what each is for in plain words, and what may stand there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
from pydantic import ValidationError

from bot.settings import Settings

MOST_DAYS = 200
MOST_SPANS = 6
SWITCH = {"true": "是", "false": "否"}
_SPAN = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)\s*[-－–—~～至到]\s*([01]?\d|2[0-3])[:：]([0-5]\d)")
_BETWEEN = re.compile(r"[,，、;；\s]+")
_WHOLE = re.compile(r"[0-9]{1,6}")


class SettingError(Exception):
    """A value that cannot be; the message is a sentence for the person."""


class Knob(msgspec.Struct, frozen=True):
    """One such setting. `read` turns what was typed into the text that is kept, or raises SettingError."""

    name: str
    label: str
    hint: str
    read: Callable[[str], str]
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def value_in(self, settings: Settings) -> str:
        """What these settings say, as text."""
        value = getattr(getattr(settings, self.section), self.field)
        if isinstance(value, bool):
            return str(value).lower()
        return f"{value:g}" if isinstance(value, float | int) else str(value)

    def shown(self, value: str) -> str:
        """A value as a person reads it."""
        text = dict(self.choices).get(value, value).replace(",", "，")
        return f"{text}{self.unit}" if text else "没有"

    @property
    def section(self) -> str:
        """The section of the settings it stands in."""
        return self.name.partition(".")[0]

    @property
    def field(self) -> str:
        """Its name within the section."""
        return self.name.partition(".")[2]


def spans(text: str) -> str:
    """Duty hours: 08:30-12:00,14:30-18:00."""
    found = []
    for part in (one for one in re.split(r"[,，、;；\n]+", text) if one.strip()):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise SettingError("时间要写成 08:30-12:00 的样子，几段之间用逗号隔开。")
        found.append((f"{int(match[1]):02}:{match[2]}", f"{int(match[3]):02}:{match[4]}"))
    found.sort()
    if not found or len(found) > MOST_SPANS:
        raise SettingError(f"至少要有一段时间，最多{MOST_SPANS}段。")
    if any(start >= end for start, end in found):
        raise SettingError("每一段的开始都要早于结束。")
    if any(before[1] > after[0] for before, after in pairwise(found)):
        raise SettingError("两段时间重叠了。")
    return ",".join(f"{start}-{end}" for start, end in found)


def days(text: str) -> str:
    """Days as YYYY-MM-DD, sorted, each once; may be none at all."""
    parts = {part for part in _BETWEEN.split(text) if part}
    if len(parts) > MOST_DAYS:
        raise SettingError(f"最多{MOST_DAYS}天。")
    for part in parts:
        try:
            good = date.fromisoformat(part).isoformat() == part
        except ValueError:
            good = False
        if not good:
            raise SettingError("日期要写成 2027-02-05 的样子，几个日期之间用逗号隔开。")
    return ",".join(sorted(parts))


def number(low: int, high: int) -> Callable[[str], str]:
    """A whole number within limits."""

    def read(text: str) -> str:
        text = text.strip()
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise SettingError(f"要填{low}到{high}之间的整数。")
        return str(int(text))

    return read


def switch(text: str) -> str:
    """Yes or no."""
    if text not in SWITCH:
        raise SettingError("请选“是”或“否”。")
    return text


KNOBS: tuple[Knob, ...] = (
    Knob(
        "handoff.hours",
        "值班时间",
        "工作日里律师在线接待的时间，几段之间用逗号隔开。群众转人工时按它告诉“什么时候有人”。",
        spans,
    ),
    Knob(
        "handoff.holidays", "本县另外放假的日子", "国家放假安排以外，本县不值班的日子。也可以在值班表里点日期改。", days
    ),
    Knob("handoff.workdays", "本县另外上班的日子", "国家安排休息、本县要值班的日子。也可以在值班表里点日期改。", days),
    Knob(
        "handoff.ask_minutes",
        "等群众补充情况",
        "转人工时我们问事项和乡镇，群众这么久不回答，就直接去排队。",
        number(1, 120),
        "分钟",
    ),
    Knob(
        "handoff.escalate_minutes",
        "没人接单就扩大通知",
        "排队这么久没人接，通知所有在岗律师；再过同样久，通知负责人。",
        number(1, 240),
        "分钟",
    ),
    Knob(
        "handoff.silent_minutes",
        "律师多久不回话就重新排队",
        "接了单的律师这么久不回话，群众回到队里，由别的律师接。",
        number(2, 240),
        "分钟",
    ),
    Knob(
        "handoff.idle_hours",
        "群众多久不回话就结束",
        "律师回话后，群众这么久没有再说，就客气地结束。",
        number(1, 168),
        "小时",
    ),
    Knob(
        "handoff.give_up_hours",
        "一直没人接，多久告知群众",
        "排队这么久始终没人接待，告诉群众并结束，请他打热线。",
        number(1, 720),
        "小时",
    ),
    Knob(
        "web.messages_per_minute",
        "网页：一个人每分钟能发多少",
        "发得更快的会请他等几秒。正常聊天用不到这么多。",
        number(1, 600),
        "条",
    ),
    Knob(
        "web.address_messages_per_minute",
        "网页：一个网络每分钟能发多少",
        "同一个单位、学校常共用一个网络，不要定得太小。",
        number(1, 6000),
        "条",
    ),
    Knob(
        "answers.confirmed_only",
        "只用律师确认过的条目",
        "选“是”以后，没有经本县律师确认的条目一律不用来回答，群众会被请去转人工。确认得还少时请不要开。",
        switch,
        choices=tuple(SWITCH.items()),
    ),
)
BY_NAME = {knob.name: knob for knob in KNOBS}


def applied(settings: Settings, changed: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """The settings with these values in place of their own, and the names of values that cannot be used (any more)."""
    useless: list[str] = []
    sections: dict[str, Any] = {}
    for name, text in sorted(changed.items()):
        knob = BY_NAME.get(name)
        if knob is None:
            useless.append(name)
            continue
        section = sections.get(knob.section, getattr(settings, knob.section))
        try:
            values = {field: getattr(section, field) for field in type(section).model_fields}
            sections[knob.section] = type(section).model_validate(values | {knob.field: knob.read(text)})
        except (SettingError, ValidationError):
            useless.append(name)
    return settings.model_copy(update=sections), tuple(useless)


def with_day(settings: Settings, day: date, kind: str) -> dict[str, str]:
    """The two lists of the county's own days when `day` becomes a day `off`, `on`, or as the nation has it (``)."""
    changed = {}
    for name, mark in (("handoff.holidays", "off"), ("handoff.workdays", "on")):
        kept = {part for part in BY_NAME[name].value_in(settings).split(",") if part} - {day.isoformat()}
        changed[name] = days(",".join(kept | {day.isoformat()} if kind == mark else kept))
    return changed
