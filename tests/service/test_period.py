"""Periods: what they are called, what was a year before, where midnight is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.service.figures.period import Period, PeriodError, month_of, quarter, read, year_of
from bot.store.times import to_ms

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(("asked", "name", "slug", "before"), [
    ({}, "2026年11月", "2026-11", "2025年11月"),
    ({"month": "2020-02"}, "2020年2月", "2020-02", "2019年2月"),
    ({"month": "2021-2"}, "2021年2月", "2021-02", "2020年2月"),
    ({"quarter": "2020-4"}, "2020年第四季度", "2020-Q4", "2019年第四季度"),
    ({"year": "2020"}, "2020年", "2020", "2019年"),
    ({"year": "2020", "part": "q1"}, "2020年第一季度", "2020-Q1", "2019年第一季度"),
    ({"year": "2020", "part": "12"}, "2020年12月", "2020-12", "2019年12月"),
    ({"from": "2020-02-29", "until": "2020-02-29"}, "2020年2月29日", "2020-02-29_2020-02-29", "2019年2月28日"),
    ({"from": "2020-12-20", "until": "2021-01-05"}, "2020年12月20日至2021年1月5日", "2020-12-20_2021-01-05",
     "2019年12月20日至2020年1月5日"),
    ({"from": "2026-11-01"}, "2026年11月1日至11月23日", "2026-11-01_2026-11-23", "2025年11月1日至11月23日"),
])  # fmt: skip
def test_what_is_asked_for(asked: dict[str, str], name: str, slug: str, before: str) -> None:
    found = read(asked, TODAY)
    assert (found.name, found.slug, found.before.name) == (name, slug, before)


@pytest.mark.parametrize("asked", [
    {"month": "2020-13"}, {"month": "2020-00"}, {"month": "x"}, {"quarter": "2020-5"}, {"year": "1066"}, {"year": "2020", "part": "x"},
    {"year": "2020", "part": "13"}, {"from": "2020-02-30", "until": "2020-03-01"}, {"until": "2020-03-01"},
    {"from": "2020-03-02", "until": "2020-03-01"}, {"from": "0001-01-01", "until": "2020-03-01"},
    {"from": "2020-01-01", "until": "9999-12-31"},
])  # fmt: skip
def test_what_is_no_period_is_a_sentence(asked: dict[str, str]) -> None:
    with pytest.raises(PeriodError, match=r"。$"):
        read(asked, TODAY)


def test_a_year_begins_at_midnight_in_the_county() -> None:
    start, end = year_of(2020).span
    assert start == to_ms(datetime(2019, 12, 31, 16, tzinfo=UTC))
    assert end == to_ms(datetime(2020, 12, 31, 16, tzinfo=UTC))
    assert year_of(2019).span[1] == start


DAYS = st.dates(date(2001, 1, 1), date(2098, 12, 31))


@given(DAYS, st.integers(0, 800))
def test_months_of_a_period_are_its_days_each_once(first: date, days: int) -> None:
    period = Period(first, first + timedelta(days=days))
    parts = [period.month(*one) for one in period.months]
    assert sum((part.last - part.first).days + 1 for part in parts) == days + 1
    assert parts[0].first == period.first
    assert parts[-1].last == period.last


@given(DAYS)
def test_whole_periods_stay_whole_a_year_before(day: date) -> None:
    assert month_of(day.year, day.month).before == month_of(day.year - 1, day.month)
    number = (day.month - 1) // 3 + 1
    assert quarter(day.year, number).before == quarter(day.year - 1, number)
    assert year_of(day.year).before == year_of(day.year - 1)
