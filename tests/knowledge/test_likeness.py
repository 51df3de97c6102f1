"""Questions put together by likeness."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from knowledge.likeness import grouped
from knowledge.load import KnowledgeBase

ASKED = [
    "牛跑到别人地里吃了庄稼要赔吗",
    "请问牛跑到别人地里吃庄稼，要赔吗？",
    "我家的牛跑别人家地里吃了庄稼要不要赔",
    "大棚被雪压塌了谁赔",
    "大棚让雪压塌了，谁来赔",
    "今天吃什么",
    "牛跑到别人地里吃了庄稼要赔吗",
    "？？",
]


def test_the_same_matter_is_one_group_biggest_first() -> None:
    first, *others = grouped(ASKED)
    assert first[:2] == [0, 6]
    assert (sorted(first), others) == ([0, 1, 2, 6], [[3, 4], [5]])
    assert grouped([]) == grouped(["", "。"]) == []


def test_it_does_not_hang_on_the_order_of_asking() -> None:
    wanted = {frozenset(ASKED[one] for one in group) for group in grouped(ASKED)}
    for seed in range(5):
        mixed = random.Random(seed).sample(ASKED, len(ASKED))
        assert {frozenset(mixed[one] for one in group) for group in grouped(mixed)} == wanted


@given(st.lists(st.text(max_size=12), max_size=40))
def test_every_question_with_words_stands_in_one_group(texts: list[str]) -> None:
    found = [one for group in grouped(texts) for one in group]
    assert len(found) == len(set(found))
    assert [len(group) for group in grouped(texts)] == sorted((len(group) for group in grouped(texts)), reverse=True)


def test_wordings_of_one_entry_are_seldom_put_with_those_of_another(base: KnowledgeBase) -> None:
    owners = [(entry.category, wording) for entry in list(base.entries.values())[::4] for wording in entry.wordings]
    groups = grouped([wording for _, wording in owners])
    mixed = sum(len({owners[one][0] for one in group}) > 1 for group in groups)
    assert mixed / len(groups) < 0.05
