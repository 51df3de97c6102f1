"""Periods of days in the county: a month, a quarter, a year, or any."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec

from bot.conversation.turn import LOCAL
from bot.store.times import to_ms

FIRST_YEAR, LAST_YEAR = 2000, 2099
_DECEMBER = 12
_QUARTERS = "一二三四"
_MONTHS = 3
BAD = "时间没有看懂：月份写成 2026-11，季度写成 2026-4，年份写成 2026，起止日期写成 2026-11-01。"
BACKWARDS = "结束日期在开始日期前面。"


class PeriodError(ValueError):
    """No such period; the message is a sentence for the person."""


class Period(msgspec.Struct, frozen=True):
    """Days in the county, both ends included."""

    first: date
    last: date

    @property
    def span(self) -> tuple[int, int]:
        """First moment, and first moment after, as stored."""
        return _midnight(self.first), _midnight(self.last + timedelta(days=1))

    @property
    def before(self) -> Period:
        """The same days of the year before; whole months stay whole."""
        ends = self.last == _month_end(self.last.year, self.last.month)
        last = _month_end(self.last.year - 1, self.last.month) if ends else _year_back(self.last)
        return Period(_year_back(self.first), last)

    @property
    def slug(self) -> str:
        """For file names: 2020, 2020-Q1, 2020-03, 2020-03-05_2020-04-01."""
        if self.is_year:
            return f"{self.first.year}"
        if self.is_month:
            return f"{self.first:%Y-%m}"
        if self.quarter:
            return f"{self.first.year}-Q{self.quarter}"
        return f"{self.first}_{self.last}"

    @property
    def name(self) -> str:
        """As it reads in a title."""
        if self.is_year:
            return f"{self.first.year}年"
        if self.is_month:
            return f"{self.first.year}年{self.first.month}月"
        if self.quarter:
            return f"{self.first.year}年第{_QUARTERS[self.quarter - 1]}季度"
        until = f"{self.last.month}月{self.last.day}日"
        if self.last.year != self.first.year:
            until = f"{self.last.year}年{until}"
        start = f"{self.first.year}年{self.first.month}月{self.first.day}日"
        return start if self.first == self.last else f"{start}至{until}"

    @property
    def is_year(self) -> bool:
        """A whole calendar year."""
        return (self.first, self.last) == (date(self.first.year, 1, 1), date(self.first.year, 12, 31))

    @property
    def is_month(self) -> bool:
        """A whole calendar month."""
        return self.first.day == 1 and self.last == _month_end(self.first.year, self.first.month)

    @property
    def quarter(self) -> int:
        """Which quarter of the year this is, 1 to 4; 0 if it is none."""
        number = (self.first.month - 1) // _MONTHS + 1
        return number if self == quarter(self.first.year, number) else 0

    @property
    def months(self) -> list[tuple[int, int]]:
        """The calendar months it touches, in order."""
        found = []
        year, month = self.first.year, self.first.month
        while (year, month) <= (self.last.year, self.last.month):
            found.append((year, month))
            year, month = (year + 1, 1) if month == _DECEMBER else (year, month + 1)
        return found

    def month(self, year: int, month: int) -> Period:
        """The part of a calendar month that lies in it."""
        whole = month_of(year, month)
        return Period(max(whole.first, self.first), min(whole.last, self.last))


def month_of(year: int, month: int) -> Period:
    """A calendar month."""
    return Period(date(year, month, 1), _month_end(year, month))


def quarter(year: int, number: int) -> Period:
    """A quarter of a year, 1 to 4."""
    return Period(date(year, number * _MONTHS - 2, 1), _month_end(year, number * _MONTHS))


def year_of(year: int) -> Period:
    """A calendar year."""
    return Period(date(year, 1, 1), date(year, 12, 31))


def read(asked: Mapping[str, str], today: date) -> Period:
    """The period that `month`, `quarter`, `year` (and a `part` of it) or `from` and `until` ask for.

    Without any, the month of `today`. PeriodError for what cannot be read.
    """
    try:
        if text := asked.get("month", "").strip():
            return month_of(*_numbers(text, r"(20\d\d)-(\d\d?)"))
        if text := asked.get("quarter", "").strip():
            return quarter(*_numbers(text, r"(20\d\d)-[Qq]?([1-4])"))
        if text := asked.get("year", "").strip():
            return _part(_numbers(text, r"(20\d\d)")[0], asked.get("part", "").strip())
        start, end = asked.get("from", "").strip(), asked.get("until", "").strip()
        if not start and not end:
            return month_of(today.year, today.month)
        found = Period(date.fromisoformat(start), date.fromisoformat(end) if end else today)
    except (ValueError, TypeError) as error:
        raise PeriodError(BAD) from error
    if not FIRST_YEAR <= found.first.year <= found.last.year <= LAST_YEAR:
        raise PeriodError(BACKWARDS if found.last < found.first else BAD)
    if found.last < found.first:
        raise PeriodError(BACKWARDS)
    return found


def _part(year: int, part: str) -> Period:
    """A whole year, or its quarter (q1) or month (11)."""
    if not part:
        return year_of(year)
    return quarter(year, int(part[1:])) if part in {"q1", "q2", "q3", "q4"} else month_of(year, int(part))


def _numbers(text: str, pattern: str) -> tuple[int, ...]:
    match = re.fullmatch(pattern, text)
    if match is None:
        raise PeriodError(BAD)
    return tuple(map(int, match.groups()))


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _year_back(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, calendar.monthrange(day.year - 1, day.month)[1]))


def _midnight(day: date) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=LOCAL))
