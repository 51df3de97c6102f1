"""On the day a new law takes effect its entries answer what was asked for the old ones, without anybody's doing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from knowledge.check import check
from knowledge.entry import Entry, Validity
from knowledge.load import KnowledgeBase
from knowledge.places import Locality
from knowledge.reply import answer
from knowledge.search.mixer import load_mixer
from knowledge.search.rank import NOTHING, Result, Search, searcher

BEFORE, AFTER = date(2026, 12, 31), date(2027, 1, 1)


@pytest.fixture(scope="module")
def pairs(base: KnowledgeBase) -> list[tuple[Entry, Entry]]:
    found = [(base.entries[one.succeeds], one) for one in base.entries.values() if one.succeeds]
    assert len(found) >= 15
    return found


def test_each_side_of_the_day_has_its_own_text(pairs: list[tuple[Entry, Entry]], base: KnowledgeBase) -> None:
    for old, new in pairs:
        assert base.in_force(old, BEFORE) is old
        assert base.in_force(new, BEFORE) is None
        assert base.in_force(old, AFTER) is new
        assert base.in_force(new, AFTER) is new


def test_what_was_asked_before_the_day_is_answered_after_it(
    pairs: list[tuple[Entry, Entry]], base: KnowledgeBase, search: Search
) -> None:
    for old, new in pairs:
        for wording in old.wordings:
            found = search(wording, AFTER)
            assert (found.verdict, found.candidates[0].entry) == ("answer", new.id), wording
            assert search(wording, BEFORE).candidates[0].entry == old.id, wording


def test_a_story_finds_what_is_in_force_once(pairs: list[tuple[Entry, Entry]], search: Search) -> None:
    right = 0
    for old, _new in pairs:
        story = f"我家的事是这样的，{old.asks[0]}，村里人说法不一"
        before, after = search(story, BEFORE), search(story, AFTER)
        names = [one.entry for one in after.candidates]
        assert old.id not in names
        assert len(set(names)) == len(names)
        right += [one.entry.removesuffix("-2027") for one in before.candidates] == [
            one.entry.removesuffix("-2027") for one in after.candidates
        ]
    # What is near may have a text of its own from that day on, too.
    assert right >= 0.6 * len(pairs)


def test_related_questions_lead_to_what_is_in_force(pairs: list[tuple[Entry, Entry]], base: KnowledgeBase) -> None:
    old, new = pairs[0]
    entry = replace(base.entries["labour.unpaid-wages"], see_also=(old.id,))
    for day, wanted in ((BEFORE, old), (AFTER, new)):
        taps = [tap.id for row in answer(entry, base, Locality(base.places), day).rows for tap in row]
        assert f"ask:{wanted.id}" in taps


def test_the_successor_of_a_successor_takes_its_place(base: KnowledgeBase) -> None:
    first = replace(base.entries["labour.unpaid-wages"], valid=Validity(ends=BEFORE))
    second = replace(
        first, id="labour.second", asks=("第二版怎么要",), question="第二版怎么要钱", succeeds=first.id,
        valid=Validity(starts=AFTER, ends=AFTER),
    )  # fmt: skip
    third = replace(
        first, id="labour.third", asks=("第三版怎么要",), question="第三版怎么要钱", succeeds=second.id,
        valid=Validity(starts=AFTER + timedelta(days=1)),
    )  # fmt: skip
    entries = base.entries | {one.id: one for one in (first, second, third)}
    look = searcher(KnowledgeBase(entries, base.statutes, base.places, base.lexicon), load_mixer())
    for days, wanted in enumerate((first, second, third)):
        assert look(first.question, BEFORE + timedelta(days=days)).candidates[0].entry == wanted.id


@pytest.mark.parametrize(
    ("succeeds", "starts", "fault"),
    [
        ("labour.no-such", AFTER, "does not exist"),
        ("labour.unpaid-wages", AFTER, "day after"),
    ],
)
def test_a_successor_begins_when_the_other_ends(base: KnowledgeBase, succeeds: str, starts: date, fault: str) -> None:
    def nothing(text: str, day: date, *, context: str = "") -> Result:
        del text, day, context
        return NOTHING

    entry = replace(
        base.entries["labour.unpaid-wages"], id="labour.new", succeeds=succeeds, valid=Validity(starts=starts)
    )
    told = check(base, [entry], AFTER, nothing)
    assert any(fault in one.text for one in told), told
