"""When people ask: more on working days and in office hours, more before the New Year, a little more every month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random

from bot.conversation.handoff.duty import Hours
from bot.conversation.turn import LOCAL
from bot.store.times import to_ms

HOUR_MS = 3_600_000
_MONTHS = (1.15, 0.75, 1.05, 1.0, 0.95, 1.0, 0.9, 0.9, 1.0, 0.95, 1.15, 1.3)
_HOURS = (3, 1, 1, 1, 1, 3, 8, 22, 62, 88, 92, 70, 38, 34, 58, 82, 84, 66, 42, 36, 44, 38, 20, 8)
_DAY_OFF = 0.45
_GROWTH = 0.35
_DAYS = 366


def moments(random: Random, year: int, count: int, hours: Hours, until: datetime) -> list[int]:
    """So many moments of a year in the county before `until`, as stored, in order."""
    days = list(_days(year, until))
    if not days:
        return []
    weights = list(accumulate(_weight(day, hours) for day in days))
    clock = list(accumulate(_HOURS))
    found = []
    latest = to_ms(until)
    starts = {day: to_ms(datetime(day.year, day.month, day.day, tzinfo=LOCAL)) for day in days}
    for day in random.choices(days, cum_weights=weights, k=count):
        hour = random.choices(range(24), cum_weights=clock)[0]
        moment = starts[day] + hour * HOUR_MS + random.randrange(HOUR_MS)
        found.append(moment if moment < latest else starts[day] + random.randrange(latest - starts[day]))
    return sorted(found)


def _days(year: int, until: datetime) -> Iterator[date]:
    day, last = date(year, 1, 1), until.astimezone(LOCAL)
    while day.year == year and datetime(day.year, day.month, day.day, tzinfo=LOCAL) < last:
        yield day
        day += timedelta(days=1)


def _weight(day: date, hours: Hours) -> float:
    worked = 1.0 if hours.works(day) else _DAY_OFF
    return _MONTHS[day.month - 1] * worked * (1 + _GROWTH * day.timetuple().tm_yday / _DAYS)
