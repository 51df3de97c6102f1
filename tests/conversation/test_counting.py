"""The counting rules, as a table and as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.counting import SILENCE, Begin, Continue, Count, Nothing, OpenConsultation, count
from bot.conversation.turn import Matter

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
WAGES = Matter("legal", "wages", "answered")
DEBT = Matter("legal", "debt", "answered")
UNKNOWN = Matter(outcome="unanswered")
FOLLOW = Matter("legal", "wages", "answered", follows=True)


def opened(name: str, category: str, hours: float) -> OpenConsultation:
    return OpenConsultation(name, category, NOW - timedelta(hours=hours))


@pytest.mark.parametrize(
    ("running", "matter", "expected"),
    [
        ([], None, Nothing()),
        ([opened("a", "wages", 1)], None, Nothing()),
        ([], WAGES, Begin(WAGES)),
        ([], FOLLOW, Begin(FOLLOW)),
        ([opened("a", "wages", 1)], WAGES, Continue("a", WAGES)),
        ([opened("a", "debt", 1)], WAGES, Begin(WAGES)),
        ([opened("a", "debt", 1)], FOLLOW, Continue("a", FOLLOW)),
        ([opened("a", "debt", 1), opened("b", "wages", 5)], WAGES, Continue("b", WAGES)),
        ([opened("a", "debt", 5), opened("b", "wages", 1)], FOLLOW, Continue("b", FOLLOW)),
        ([opened("a", "", 1)], WAGES, Continue("a", WAGES)),
        ([opened("a", "wages", 1)], UNKNOWN, Continue("a", UNKNOWN)),
        ([opened("a", "wages", 24)], WAGES, Begin(WAGES)),
        ([opened("a", "wages", 23.99)], WAGES, Continue("a", WAGES)),
        ([opened("a", "wages", 30), opened("b", "debt", 1)], WAGES, Begin(WAGES)),
    ],
)
def test_where_a_message_counts(running: list[OpenConsultation], matter: Matter | None, expected: Count) -> None:
    assert count(running, matter, NOW) == expected


_CONSULTATIONS = st.lists(
    st.builds(
        opened,
        st.uuids().map(str),
        st.sampled_from(["", "wages", "debt", "safety"]),
        st.floats(min_value=0, max_value=48),
    ),
    max_size=6,
)
_MATTERS = st.builds(
    Matter, category=st.sampled_from(["", "wages", "debt", "safety"]), follows=st.booleans(), urgent=st.booleans()
)


@given(_CONSULTATIONS, _MATTERS)
def test_only_what_is_alive_is_continued(running: list[OpenConsultation], matter: Matter) -> None:
    decision = count(running, matter, NOW)
    alive = {one.id for one in running if NOW - one.last_at < SILENCE}
    match decision:
        case Continue(id=name):
            assert name in alive
        case Begin():
            # A new matter is opened only if nothing open is about it.
            assert not any(one.category == matter.category for one in running if one.id in alive)
        case Nothing():
            raise AssertionError("a matter always counts")


@given(_CONSULTATIONS, _MATTERS)
def test_the_order_of_rows_does_not_matter(running: list[OpenConsultation], matter: Matter) -> None:
    distinct = list({one.last_at: one for one in running}.values())
    assert count(distinct, matter, NOW) == count(distinct[::-1], matter, NOW)
