"""The handoff's state machine alone: what may happen, what may not, what time brings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.conversation.handoff import duty, timing
from bot.conversation.handoff.duty import Hours
from bot.conversation.handoff.machine import (
    TRANSITIONS,
    Event,
    EventName,
    Handoff,
    HandoffState,
    NotPossibleError,
    apply,
)
from bot.conversation.handoff.timing import Rules
from bot.conversation.turn import LOCAL

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NEW = Handoff("h1", "c1", NOW, NOW, state="waiting", queued_at=NOW)
HELD = replace(NEW, state="held", lawyer="zhang", claimed_at=NOW)
MINUTE = timedelta(minutes=1)


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_every_state_but_the_last_can_be_left_by_the_citizen() -> None:
    for state in get_args(HandoffState):
        possible = {name for (start, name) in TRANSITIONS if start == state}
        assert possible >= {"cancel", "leave"} if state != "closed" else not possible


@pytest.mark.parametrize("name", get_args(EventName))
def test_nothing_happens_to_a_closed_handoff(name: EventName) -> None:
    closed = replace(NEW, state="closed", ended="settled", closed_at=NOW)
    with pytest.raises(NotPossibleError) as caught:
        apply(closed, Event(name, by="zhang"), NOW)
    assert caught.value.why == "closed"


def test_the_second_claim_is_told_who_was_first() -> None:
    first = apply(NEW, Event("claim", by="zhang"), NOW)
    assert (first.state, first.lawyer) == ("held", "zhang")
    with pytest.raises(NotPossibleError) as caught:
        apply(first, Event("claim", by="li"), NOW)
    assert (caught.value.why, caught.value.holder) == ("taken", "zhang")


@pytest.mark.parametrize("name", ["reply", "transfer", "release", "close"])
def test_only_the_lawyer_in_charge_may(name: EventName) -> None:
    with pytest.raises(NotPossibleError) as caught:
        apply(HELD, Event(name, by="li", to="wang"), NOW)
    assert caught.value.why == "not_yours"
    with pytest.raises(NotPossibleError):
        apply(NEW, Event(name, by="li", to="wang"), NOW)


def test_a_return_keeps_the_place_in_the_queue() -> None:
    back = apply(HELD, Event("vanish"), later(20))
    assert (back.state, back.lawyer, back.queued_at, back.returns) == ("waiting", "", NOW, 1)


def test_a_supervisor_takes_over_and_the_clock_starts_anew() -> None:
    spoken = apply(HELD, Event("reply", by="zhang"), later(1))
    taken = apply(spoken, Event("take_over", by="boss"), later(30))
    assert (taken.lawyer, taken.claimed_at, taken.lawyer_at) == ("boss", later(30), None)
    assert taken.first_reply_at == later(1)


@pytest.mark.parametrize(
    ("handoff", "minutes", "event"),
    [
        (replace(NEW, state="asking", queued_at=None), 4, None),
        (replace(NEW, state="asking", queued_at=None), 5, "queue"),
        (NEW, 4, None),
        (NEW, 5, "escalate"),
        (replace(NEW, escalation=1), 9, None),
        (replace(NEW, escalation=1), 10, "escalate"),
        (replace(NEW, escalation=2), 60, None),
        (NEW, 72 * 60, "give_up"),
        (replace(NEW, promised_at=later(48 * 60)), 72 * 60, "escalate"),
        (replace(NEW, promised_at=later(48 * 60)), 120 * 60, "give_up"),
        (HELD, 14, None),
        (HELD, 15, "vanish"),
        (replace(HELD, lawyer_at=later(1)), 20, None),
        (replace(HELD, lawyer_at=later(1), citizen_at=later(10)), 24, None),
        (replace(HELD, lawyer_at=later(1), citizen_at=later(10)), 25, "vanish"),
        (replace(HELD, lawyer_at=later(1)), 24 * 60 + 1, "idle"),
        (replace(NEW, state="closed", closed_at=NOW), 100_000, None),
    ],
)
def test_what_time_brings(handoff: Handoff, minutes: float, event: EventName | None) -> None:
    assert timing.due(handoff, later(minutes), Rules(), someone_on_duty=True) == event


def test_off_duty_nobody_is_called_out() -> None:
    assert timing.due(NEW, later(30), Rules(), someone_on_duty=False) is None


@given(st.timedeltas(timedelta(days=-400), timedelta(0)), st.sampled_from([NEW, HELD, replace(HELD, lawyer_at=NOW)]))
def test_a_clock_set_back_brings_nothing(jump: timedelta, handoff: Handoff) -> None:
    assert timing.due(handoff, NOW + jump, Rules(), someone_on_duty=True) is None


def test_an_idle_end_tells_whether_the_citizen_ever_came_back() -> None:
    spoken = replace(HELD, claimed_at=later(1), lawyer_at=later(2))
    assert apply(spoken, Event("idle"), later(2000)).ended == "abandoned"
    assert apply(replace(spoken, citizen_at=later(1.5)), Event("idle"), later(2000)).ended == "idle"


@pytest.mark.parametrize(
    ("place", "recent", "lawyers", "minutes"),
    [
        (1, [], 1, 5),
        (1, [3], 1, 5),
        (1, [6], 1, 10),
        (3, [10, 10, 40], 1, 30),
        (3, [10], 3, 10),
        (1, [0], 1, 5),
    ],
)
def test_expected_waits(place: int, recent: list[int], lawyers: int, minutes: int) -> None:
    waits = [timedelta(minutes=one) for one in recent]
    assert timing.expected_wait(place, waits, lawyers) == timedelta(minutes=minutes)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("now", "opens", "words"),
    [
        ("2026-11-23 09:00", "2026-11-23 09:00", "今天9:00"),
        ("2026-11-23 12:00", "2026-11-23 14:30", "今天14:30"),
        ("2026-11-23 18:00", "2026-11-24 08:30", "明天8:30"),
        ("2026-11-20 19:00", "2026-11-23 08:30", "11月23日（星期一）8:30"),
        # National Day 2026: off from October 1 to 7; Saturday the 10th makes up for it.
        ("2026-09-30 20:00", "2026-10-08 08:30", "10月8日（星期四）8:30"),
        ("2026-10-10 09:00", "2026-10-10 09:00", "今天9:00"),
    ],
)
def test_when_the_office_opens(now: str, opens: str, words: str) -> None:
    moment = Hours().next_open(at(now))
    assert moment == at(opens)
    assert duty.moment_in_words(moment, at(now)) == words


def test_the_county_adds_to_the_national_calendar() -> None:
    hours = Hours(holidays=frozenset({at("2026-11-23").date()}), workdays=frozenset({at("2026-11-22").date()}))
    assert not hours.open_at(at("2026-11-23 09:00"))
    assert hours.open_at(at("2026-11-22 09:00"))


def test_a_year_without_a_notice_has_plain_weeks() -> None:
    assert Hours().works(at("2031-01-06").date())
    assert not Hours().works(at("2031-01-04").date())
