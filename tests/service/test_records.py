"""The consultation log's filters: what is found and counted is what fits, on both engines."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.handoff.machine import Event
from bot.conversation.turn import LOCAL, Request
from bot.service import feedback, handoffs, staff, threads
from bot.service.records import access, corrections, listing, story
from bot.service.records.filters import FIELDS, Filter, read
from bot.store.database import Database
from tests.console.office import hire
from tests.platform import Clock
from tests.service.records import consultation, handoff
from tests.support import Numbers

BEGIN = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
WORDS = ("单位拖欠工资怎么办", "工资和社保都没给", "离婚孩子归谁", "100%的工资_没给", "邻居占地")
CHOICES: dict[str, tuple[Any, ...]] = {
    "channel": ("web", "wechat"), "kind": ("legal", "petition", ""), "category": ("wages", "marriage", ""),
    "township": ("", "河口乡", "东镇"), "outcome": ("answered", "unanswered"), "verdict": ("answer", "none"),
    "grade": (0, 1, 2, 5), "service": ("", "mediation"), "handled_by": ("bot", "zhang"), "handed": (True, False),
    "urgent": (True, False), "entry_id": ("", "wages.migrant-how"), "first_outcome": ("answered", "offered"),
}  # fmt: skip


def seed(db: Database, count: int = 120) -> list[dict[str, Any]]:
    """Consultations eight hours apart, of all sorts."""
    chance = random.Random(3)
    rows = []
    with db.engine.begin() as conn:
        for number in range(count):
            sorts = {name: chance.choice(values) for name, values in CHOICES.items()}
            at, words = BEGIN + timedelta(hours=8 * number), chance.choice(WORDS)
            row_id = consultation(conn, number, at, words, **sorts)
            # One can be open at a time.
            ended = chance.choice((None, "settled", "idle")) if number + 1 < count else ""
            if ended is not None:
                handoff(conn, row_id, at, ended)
            rows.append({"id": row_id, "at": at, "words": words, "ended": ended, **sorts})
    return rows


def fits(row: dict[str, Any], wanted: Filter) -> bool:
    day = row["at"].astimezone(LOCAL).date()
    if (wanted.first and day < wanted.first) or (wanted.last and day > wanted.last):
        return False
    if not all(word in row["words"] for word in wanted.words):
        return False
    there = row["at"].astimezone(LOCAL)
    shown = row | {
        "entry": row["entry_id"], "first": row["first_outcome"], "weekday": there.isoweekday(), "hour": there.hour, "ended": row["ended"],
    }  # fmt: skip
    return all(shown[name] is not None and written(shown[name]) in values for name, values in wanted.chosen)


def written(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool | int) else value


FILTERS = [
    "", "kind=legal", "kind=-", "kind=legal&kind=petition", "grade=1&grade=2", "handed=1", "handed=0&urgent=1",
    "township=河口乡&outcome=unanswered", "township=-", "entry=wages.migrant-how", "handled_by=zhang&service=mediation",
    "channel=wechat", "verdict=none&category=marriage", "from=2026-11-05", "until=2026-11-05", "from=2026-11-05&until=2026-11-09",
    "words=工资", "words=工资 社保", "words=工资&kind=legal&from=2026-11-10", "words=100%25", "words=资_没", "words=没有这句话",
    "first=answered", "first=offered&words=工资", "weekday=1", "weekday=7&hour=8", "hour=0&hour=16&first=answered", "ended=-", "ended=settled&ended=idle&first=answered",
]  # fmt: skip


def test_what_is_found_and_counted_is_what_fits(db: Database) -> None:
    rows = seed(db)
    with db.engine.connect() as conn:
        for query in FILTERS:
            wanted, faults = read(parse_qsl(query))
            assert faults == ()
            expected = [row for row in reversed(rows) if fits(row, wanted)]
            looked = listing.look(conn, wanted, 500)
            for found in (looked.lines, listing.page(conn, wanted, 500)):
                assert [line.id for line in found] == [row["id"] for row in expected], query
            for counted in (looked.facets, listing.facets(conn, wanted)):
                assert counted.total == len(expected), query
                for field in FIELDS:
                    if field.facet:
                        assert dict(counted.counts[field.name]) == Counter(written(row[field.name]) for row in expected)


@pytest.mark.parametrize("words", [(), ("资",)])
def test_pages_follow_one_another_without_gap_or_repetition(db: Database, words: tuple[str, ...]) -> None:
    rows, wanted = seed(db, 25), Filter(words=words)
    seen: list[str] = []
    with db.engine.connect() as conn:
        place = None
        while lines := listing.look(conn, wanted, 4, place).lines:
            assert [line.id for line in lines] == [line.id for line in listing.page(conn, wanted, 4, place)]
            seen += [line.id for line in lines]
            place = lines[-1].place
    assert seen == [row["id"] for row in reversed(rows) if fits(row, wanted)]


def test_two_of_the_same_millisecond_are_both_found(db: Database) -> None:
    with db.engine.begin() as conn:
        for number in range(4):
            consultation(conn, number, BEGIN)
    with db.engine.connect() as conn:
        first = listing.page(conn, Filter(), 2)
        second = listing.page(conn, Filter(), 2, first[-1].place)
    assert [line.id for line in (*first, *second)] == ["c-000003", "c-000002", "c-000001", "c-000000"]


def test_words_that_too_many_said_are_not_counted(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 10)
    seed(db, 40)
    with db.engine.connect() as conn:
        counted = listing.facets(conn, Filter(words=("工资",)))
        rare = listing.facets(conn, Filter(words=("邻居",), first=date(2026, 11, 1), last=date(2026, 11, 4)))
    assert (counted.total, counted.whole, counted.counts) == (10, False, {})
    assert rare.whole


def test_a_day_begins_and_ends_at_midnight_in_the_county(db: Database) -> None:
    midnight = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)  # the new year, there
    with db.engine.begin() as conn:
        consultation(conn, 1, midnight - timedelta(milliseconds=1))
        consultation(conn, 2, midnight)
    with db.engine.connect() as conn:
        old = listing.page(conn, Filter(last=date(2026, 12, 31)), 9)
        new = listing.page(conn, Filter(first=date(2027, 1, 1)), 9)
    assert [line.id for line in old] == ["c-000001"]
    assert [line.id for line in new] == ["c-000002"]


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("from=gestern", ("日期",)), ("until=9999-12-31", ("日期",)), ("grade=7", ("评价",)), ("handed=yes&handed=1", ("转人工",)),
        ("kind=" + "x" * 65, ("类型",)), ("whatever=1&kind=&from=", ()), ("words=%20%20", ()),
        ("weekday=0&weekday=8", ("星期几",)), ("hour=24&hour=07&hour=²", ("几点",)), ("first=" + "x" * 65, ("头一句",)),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_left_out_and_said(query: str, faults: tuple[str, ...]) -> None:
    wanted, found = read(parse_qsl(query, keep_blank_values=True))
    assert found == faults
    assert wanted == Filter(chosen=(("handed", ("1",)),) if "handed=1" in query else ())


VALUES = st.lists(
    st.text(min_size=1, max_size=10).map(str.strip).filter(lambda v: v and v != "-" and "\0" not in v),
    max_size=3,
    unique=True,
)


@given(VALUES, VALUES, st.dates(date(2000, 1, 1), date(2999, 1, 1)) | st.none())
def test_an_address_says_what_the_filter_says(kinds: list[str], townships: list[str], first: date | None) -> None:
    wanted = Filter(first=first).only("kind", *kinds, "").only("township", *townships)
    assert read(parse_qsl(wanted.query)) == (wanted, ())


def test_nothing_in_an_address_makes_it_fail() -> None:
    @given(
        st.lists(st.tuples(st.sampled_from(["from", "until", "words", *(field.name for field in FIELDS)]), st.text()))
    )
    def anything(pairs: list[tuple[str, str]]) -> None:
        wanted, _ = read(pairs)
        assert read(parse_qsl(wanted.query))[0] == wanted

    anything()


def test_a_consultation_is_told_with_all_that_belongs_to_it(db: Database, new_id: Numbers, clock: Clock) -> None:
    hire(db.engine, "clerk", clock, role="staff")
    begin = clock()
    with db.engine.begin() as conn:
        member = staff.member(conn, "staff-clerk")
        assert member is not None
        consultation(conn, 1, begin, handed=True)
        consultation(conn, 2, begin + timedelta(hours=1), "另一件事", entry_id="")
        request = Request("asked", "legal", "wages", "", "单位拖欠工资怎么办")
        handoff = handoffs.request(conn, new_id, request, "citizen-1", "web", "c-000001", begin + timedelta(minutes=1))
        handoffs.act(conn, new_id, handoff.id, Event("claim", by="staff-clerk"), begin + timedelta(minutes=2))
        threads.add(conn, new_id, handoff.id, "citizen", "单位拖欠工资怎么办", begin, key="m-000001")
        threads.add(conn, new_id, handoff.id, "lawyer", "您好", begin + timedelta(minutes=3), staff="staff-clerk")
        threads.add(conn, new_id, handoff.id, "note", "难缠", begin + timedelta(minutes=4), staff="staff-clerk")
        feedback.give(conn, new_id(), "citizen-1", "wages.migrant-how", begin + timedelta(minutes=5), useful=False)
        corrections.remark(conn, new_id, member, "c-000001", "要回访", clock())
        corrections.correct(conn, new_id, member, "c-000001", "legal", "labour", clock())
        corrections.looked(conn, new_id, member, "c-000001", clock(), reason="投诉")
    with db.engine.connect() as conn:
        told = story.tell(conn, "c-000001")
        found = {
            about: [one.action for one in access.page(conn, 9, about=about)]
            for about in ("c-000001", "citizen-1", "c-000002")
        }
        first = access.page(conn, 1)
        rest = access.page(conn, 9, before=first[0].place)
        assert story.tell(conn, "none") is None
    assert told is not None
    assert [(one.author, one.what or one.text) for one in told.said if one.author != "useful"] == [
        ("citizen", "text"), ("bot", "answer"), ("event", "queue"), ("event", "claim"), ("lawyer", "text"), ("note", "text"),
    ]  # fmt: skip
    assert [one.what for one in told.said if one.author == "useful"] == ["useless"]
    assert [line.id for line in told.related] == ["c-000002"]
    assert [one.text for one in told.remarks] == ["要回访"]
    assert told.line.category == "labour"
    assert found == {
        "c-000001": ["record.unmask", "record.correct", "record.remark"],
        "citizen-1": ["record.unmask", "record.correct", "record.remark"],
        "c-000002": [],
    }
    assert [one.action for one in (*first, *rest)] == found["c-000001"]
    assert first[0].consultation == "c-000001"
