"""The machine that puts bad ratings right, as a table, and who may move it."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.conversation.handoff.duty import Hours
from bot.conversation.rectification import (
    TRANSITIONS,
    Act,
    ActName,
    Actor,
    Case,
    RefusedError,
    State,
    apply,
    visit_of,
)
from tests.conversation.helpers import NOW

DUE, LATER = date(2026, 11, 27), date(2026, 12, 4)
CASE = Case("r1", "open", DUE, rated="zhang", responsible="li")
HEAD, OWNER, RATED, STRANGER = Actor("wang", head=True), Actor("li"), Actor("zhang"), Actor("zhao")
RATED_HEAD = Actor("zhang", head=True)
FULL: dict[ActName, Act] = {
    "assign": Act("assign", to="zhao"),
    "reply": Act("reply", measures="核对了聊天记录", reply="您好，已经重新联系了律师"),
    "visit": visit_of(4),
    "fail": visit_of(1, "还是没人回"),
    "close": Act("close", proof="电话回访录音一份"),
    "reopen": Act("reopen", words="材料没有附上"),
    "withdraw": Act("withdraw"),
}


def step(case: Case, act: Act, by: Actor = HEAD) -> Case:
    return apply(case, act, by, NOW, LATER)


def test_the_way_from_open_to_closed() -> None:
    case = step(replace(CASE, responsible=""), FULL["assign"])
    assert case.responsible == "zhao"
    case = step(case, FULL["reply"], Actor("zhao"))
    assert (case.state, case.replied_at) == ("replied", NOW)
    case = step(case, visit_of(5), Actor())
    assert (case.state, case.visit_grade) == ("visited", 5)
    case = step(case, FULL["close"], Actor("zhao"))
    assert (case.state, case.closed_at, case.version) == ("closed", NOW, 5)


@pytest.mark.parametrize("state", ["replied", "visited", "closed"])
@pytest.mark.parametrize("grade", [1, 2])
def test_a_bad_second_visit_begins_it_anew(state: State, grade: int) -> None:
    case = step(replace(CASE, state=state, closed_at=NOW), visit_of(grade, "不行"), Actor())
    assert (case.state, case.due, case.rounds, case.closed_at) == ("open", LATER, 1, None)
    assert case.responsible == "li"


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("name", get_args(ActName))
def test_what_the_table_does_not_name_cannot_happen(state: State, name: ActName) -> None:
    if (state, name) in TRANSITIONS:
        assert step(replace(CASE, state=state), FULL[name]).state == TRANSITIONS[state, name]
    else:
        with pytest.raises(RefusedError):
            step(replace(CASE, state=state), FULL[name])


@pytest.mark.parametrize(("state", "name"), list(TRANSITIONS))
def test_nobody_handles_a_rating_of_their_own(state: State, name: ActName) -> None:
    for by in (RATED, RATED_HEAD):
        with pytest.raises(RefusedError, match="本人"):
            step(replace(CASE, state=state), FULL[name], by)


def test_the_rated_one_cannot_be_made_responsible() -> None:
    with pytest.raises(RefusedError, match="被评价"):
        step(CASE, Act("assign", to="zhang"))
    with pytest.raises(RefusedError, match="选一位"):
        step(CASE, Act("assign"))


@pytest.mark.parametrize(("state", "name"), [one for one in TRANSITIONS if one[1] != "withdraw"])
def test_who_may(state: State, name: ActName) -> None:
    case = replace(CASE, state=state)
    with pytest.raises(RefusedError):
        step(case, FULL[name], STRANGER)
    if name in {"assign", "reopen"}:
        with pytest.raises(RefusedError, match="负责人"):
            step(case, FULL[name], OWNER)
    else:
        step(case, FULL[name], OWNER)


@pytest.mark.parametrize(
    ("state", "act"),
    [
        ("open", Act("reply", measures="查了", reply="您好，已经重新联系了律师")),
        ("open", Act("reply", measures="核对了聊天记录", reply="  好 ")),
        ("visited", Act("close", proof="")),
        ("visited", Act("close", proof="已办")),
        ("replied", Act("visit")),
        ("visited", Act("reopen", words="")),
    ],
)
def test_empty_words_do_not_do(state: State, act: Act) -> None:
    with pytest.raises(RefusedError):
        step(replace(CASE, state=state), act)


def test_who_could_not_be_reached_is_visited_with_an_account_of_it() -> None:
    case = step(replace(CASE, state="replied"), Act("visit", words="三天打了三次电话没人接"), OWNER)
    assert (case.state, case.visit_grade) == ("visited", 0)


def test_who_replies_first_is_responsible() -> None:
    assert step(replace(CASE, responsible=""), FULL["reply"], HEAD).responsible == "wang"


@given(st.lists(st.sampled_from(list(FULL.values())), max_size=20))
def test_whatever_happens_versions_grow_and_closed_needs_proof(acts: list[Act]) -> None:
    case, seen = CASE, [CASE]
    for act in acts:
        try:
            case = step(case, act)
        except RefusedError:
            continue
        seen.append(case)
    for before, after in pairwise(seen):
        assert after.version == before.version + 1
        assert after.rated == "zhang" != after.responsible
    for one in seen:
        assert (one.state == "closed") == (one.closed_at is not None)
        assert one.state != "closed" or one.proof


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 11, 23), 5, date(2026, 11, 30)),  # a Monday
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # a Friday
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the national holidays
        (date(2026, 12, 31), 1, date(2027, 1, 1)),  # no notice is out for that year yet: only weekends are free
    ],
)
def test_days_are_working_days(start: date, days: int, due: date) -> None:
    assert Hours().after(start, days) == due
    assert Hours(holidays=frozenset({due})).after(start, days) > due


def test_overdue_begins_the_day_after() -> None:
    assert not CASE.overdue(DUE)
    assert CASE.overdue(date(2026, 11, 28))
    assert not replace(CASE, state="closed", closed_at=datetime.now(NOW.tzinfo)).overdue(date(2027, 1, 1))
