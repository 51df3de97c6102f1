"""Duty hours and working days: is the office open, and when will a lawyer look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import chinese_calendar
import msgspec

from bot.conversation.turn import LOCAL

# The longest holiday is nine days; a misprinted roster must not make us search for ever.
_FURTHEST = 30
_SATURDAY = 5


class Hours(msgspec.Struct, frozen=True):
    """When lawyers are on duty: spans of a working day, and what the county decides beside the national calendar."""

    spans: tuple[tuple[time, time], ...] = ((time(8, 30), time(12, 0)), (time(14, 30), time(18, 0)))
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        """Whether this is a working day, make-up days included (国务院 holiday notices; weekends where none is out)."""
        if day in self.workdays:
            return True
        if day in self.holidays:
            return False
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return day.weekday() < _SATURDAY

    def after(self, day: date, number: int) -> date:
        """The `number`-th working day after a day, which itself does not count."""
        while number:
            day += timedelta(days=1)
            number -= self.works(day)
        return day

    def open_at(self, now: datetime) -> bool:
        """Whether duty hours are running."""
        local = now.astimezone(LOCAL)
        return self.works(local.date()) and any(start <= local.time() < end for start, end in self.spans)

    def next_open(self, now: datetime) -> datetime:
        """The next moment duty hours begin; `now` if they are running."""
        if self.open_at(now):
            return now
        return next((moment for moment in self._openings(now.astimezone(LOCAL)) if moment > now), now)

    def _openings(self, local: datetime) -> Iterator[datetime]:
        for offset in range(_FURTHEST):
            day = local.date() + timedelta(days=offset)
            if self.works(day):
                for start, _ in self.spans:
                    yield datetime.combine(day, start, tzinfo=LOCAL)


USUAL = Hours()
_WEEKDAYS = "一二三四五六日"


def moment_in_words(moment: datetime, now: datetime) -> str:
    """今天14:30, 明天8:30, or 11月30日（星期一）8:30."""
    there, here = moment.astimezone(LOCAL), now.astimezone(LOCAL)
    clock = f"{there.hour}:{there.minute:02d}"
    days = (there.date() - here.date()).days
    if days in (0, 1):
        return f"{('今天', '明天')[days]}{clock}"
    return f"{there.month}月{there.day}日（星期{_WEEKDAYS[there.weekday()]}）{clock}"


def wait_in_words(wait: timedelta) -> str:
    """大约10分钟, 大约1小时30分钟."""
    hours, minutes = divmod(int(wait.total_seconds()) // 60, 60)
    return "大约" + (f"{hours}小时" if hours else "") + (f"{minutes}分钟" if minutes or not hours else "")
