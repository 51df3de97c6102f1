"""The duty calendar as values: which days are off and why, who is down for them."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

import chinese_calendar
import msgspec

from bot.conversation.handoff.duty import Hours
from bot.service.staff import Member

_SATURDAY = 5
_NAMES: dict[str, str] = {one.value: one.chinese for one in chinese_calendar.Holiday}
Own = Literal["", "on", "off"]


class Day(msgspec.Struct, frozen=True):
    """A day. `why`: 国庆节, 周末, 调休上班 …, empty for a usual working day; `own`: what the county decided for itself."""

    day: date
    works: bool
    why: str
    own: Own
    people: tuple[Member, ...] = ()
    inside: bool = True


def day(on: date, hours: Hours, people: Sequence[Member] = (), *, inside: bool = True) -> Day:
    """One day as duty hours have it."""
    own: Own = "on" if on in hours.workdays else "off" if on in hours.holidays else ""
    why = {"on": "本县上班", "off": "本县放假", "": _nation(on)}[own]
    return Day(on, hours.works(on), why, own, tuple(people), inside)


def _nation(on: date) -> str:
    """Why a day is not what its weekday says; years that no holiday notice is known for have weekends only."""
    weekend = on.weekday() >= _SATURDAY
    if not published(on.year):
        return "周末" if weekend else ""
    off, name = chinese_calendar.get_holiday_detail(on)
    if off:
        return _NAMES.get(name, "周末")
    return "调休上班" if weekend else ""


def published(year: int) -> bool:
    """Whether the nation's days off of this year are known here."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def month(first: date, hours: Hours, roster: Mapping[date, Sequence[Member]]) -> list[list[Day]]:
    """The weeks of a month, Monday to Sunday; days of the months beside it are not `inside`."""
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return [[day(on, hours, roster.get(on, ()), inside=on.month == first.month) for on in week] for week in weeks]


def last_of(first: date) -> date:
    """The last day of a month."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def between(first: date, last: date, hours: Hours, *, working_only: bool) -> list[date]:
    """All days from one to another, both included, or only those on which the office works."""
    found = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [one for one in found if hours.works(one)] if working_only else found
