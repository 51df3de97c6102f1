"""A county's own content over the files: what it changes, what it leaves alone, and that search follows at once."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from knowledge.entry import Confirmation, Entry
from knowledge.load import KnowledgeBase, fingerprint
from knowledge.overlay import Overlay, Reading, decoded, encoded, overlaid
from knowledge.search.mixer import load_mixer
from knowledge.search.rank import Searcher, searcher

DAY = date(2026, 11, 23)
WAGES, DEPOSIT = "labour.unpaid-wages", "lease.deposit"
LAWYER = Confirmation(by="张律师", on=DAY)


@pytest.fixture(scope="module")
def shipped(base: KnowledgeBase) -> Searcher:
    return searcher(base, load_mixer())


def changed(entry: Entry, **values: object) -> Entry:
    made = replace(entry, **values)
    return replace(made, version=fingerprint(made))


def test_an_empty_overlay_changes_nothing(base: KnowledgeBase, shipped: Searcher) -> None:
    same = overlaid(base, Overlay())
    assert same == base
    assert all(same.entries[key] is entry for key, entry in base.entries.items())
    assert shipped.amended(same)("单位拖欠工资怎么办", DAY) == shipped("单位拖欠工资怎么办", DAY)


def test_a_text_of_the_countys_replaces_one_adds_one_and_retires_one(base: KnowledgeBase, shipped: Searcher) -> None:
    own = changed(base.entries[WAGES], answer="本县的写法。", asks=("工钱全让挖煤的黑老板吞了",))
    new = changed(base.entries[WAGES], id="labour.yak", question="放牦牛的工钱怎么算", asks=("牦牛放牧报酬",))
    over = overlaid(base, Overlay({WAGES: own, "labour.yak": new, DEPOSIT: None}))
    assert over.entries[WAGES].answer == "本县的写法。"
    assert DEPOSIT not in over.entries
    assert len(over.entries) == len(base.entries)
    look = shipped.amended(over)
    for question, wanted in (
        ("工钱全让挖煤的黑老板吞了", WAGES),
        ("牦牛放牧报酬", "labour.yak"),
        ("放牦牛给多少工钱", "labour.yak"),
    ):
        best = look(question, DAY).best
        assert best is not None
        assert best.entry == wanted, question
    for wording in base.entries[DEPOSIT].wordings:
        assert DEPOSIT not in [one.entry for one in look(wording, DAY).candidates]


def test_a_real_question_attached_is_answered_outright_and_leaves_the_text_as_it_is(
    base: KnowledgeBase, shipped: Searcher
) -> None:
    question = "俺娃他爹在窑上干了一冬天，一毛没见着"
    over = overlaid(base, Overlay(asked={WAGES: (question,)}))
    assert over.entries[WAGES].version == base.entries[WAGES].version
    result = shipped.amended(over)(question, DAY)
    assert result.verdict == "answer"
    assert result.best is not None
    assert result.best.entry == WAGES
    assert shipped(question, DAY).verdict != "answer"


def test_more_questions_than_any_entry_had_wordings(base: KnowledgeBase, shipped: Searcher) -> None:
    asked = tuple(f"第{number}矿井的工钱没发" for number in range(100, 160))
    look = shipped.amended(overlaid(base, Overlay(asked={WAGES: asked})))
    assert all((best := look(text, DAY).best) and best.entry == WAGES for text in (*asked, "单位拖欠工资怎么办"))
    assert (best := look("租房押金不退怎么办", DAY).best)
    assert best.entry == DEPOSIT


def test_what_is_not_ours_finds_nothing(base: KnowledgeBase, shipped: Searcher) -> None:
    look = shipped.amended(base, ["单位拖欠工资怎么办？"])
    assert look("请问单位拖欠工资怎么办", DAY).candidates == ()
    assert look("老板拖欠工资怎么办", DAY).candidates


@pytest.mark.parametrize("retire", [False, True])
def test_a_reading_counts_for_the_very_text_that_was_read(base: KnowledgeBase, retire: bool) -> None:
    entry = base.entries[WAGES]
    reading = Reading(entry.version, None if retire else LAWYER)
    over = overlaid(base, Overlay(readings={WAGES: reading}))
    assert (WAGES not in over.entries) if retire else (over.entries[WAGES].confirmed == LAWYER)
    own = changed(entry, answer="后来又改了。")
    later = overlaid(base, Overlay({WAGES: own}, readings={WAGES: reading}))
    assert later.entries[WAGES].confirmed is None


def test_confirmed_only_serves_what_a_lawyer_confirmed(base: KnowledgeBase) -> None:
    reading = Reading(base.entries[WAGES].version, LAWYER)
    over = overlaid(base, Overlay(readings={WAGES: reading}))
    look = searcher(base, load_mixer(), confirmed_only=True)
    assert look("单位拖欠工资怎么办", DAY).candidates == ()
    assert {one.entry for one in look.amended(over)("单位拖欠工资怎么办", DAY).candidates} == {WAGES}


def test_amended_search_agrees_with_one_indexed_afresh(base: KnowledgeBase, shipped: Searcher) -> None:
    apart = list(base.entries)[::40]
    less = KnowledgeBase(
        {key: entry for key, entry in base.entries.items() if key not in apart},
        base.statutes,
        base.places,
        base.lexicon,
    )
    look = searcher(less, load_mixer()).amended(base)
    asked = [wording for key in list(base.entries)[::20] for wording in base.entries[key].wordings]
    pairs = [(look(one, DAY), shipped(one, DAY)) for one in asked]
    same = sum((a.verdict, a.best and a.best.entry) == (b.verdict, b.best and b.best.entry) for a, b in pairs)
    assert same >= len(asked) * 0.99


def test_amending_twice_is_like_amending_once(base: KnowledgeBase, shipped: Searcher) -> None:
    first = overlaid(base, Overlay(asked={WAGES: ("窑上的钱没给",)}))
    second = overlaid(base, Overlay(asked={WAGES: ("窑上的钱没给", "矿上的钱没给")}))
    twice, once = shipped.amended(first).amended(second), shipped.amended(second)
    for question in ("矿上的钱没给", "窑上的钱没给", "老板拖欠工资", "租房押金不退"):
        assert [one.entry for one in twice(question, DAY).candidates] == [
            one.entry for one in once(question, DAY).candidates
        ]


def test_a_kept_text_comes_back_whole(base: KnowledgeBase) -> None:
    for entry in list(base.entries.values())[::15]:
        back = decoded(encoded(replace(entry, confirmed=LAWYER, asked=("问",))))
        assert replace(back, source=entry.source) == entry


@pytest.mark.parametrize("body", ["", "{}", "null", '{"id": 1}'])
def test_what_is_no_entry_is_refused(body: str) -> None:
    with pytest.raises(ValueError):
        decoded(body)


def test_a_text_that_cites_nothing_readable_is_refused(base: KnowledgeBase) -> None:
    with pytest.raises(ValueError):
        decoded(encoded(changed(base.entries[WAGES], basis=("劳动合同法",))))
