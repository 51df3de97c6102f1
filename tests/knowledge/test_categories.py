"""Every category has a name people can read, and no two the same."""

from __future__ import annotations

from bot.conversation.handoff.subjects import OTHER, SUBJECTS
from bot.conversation.safety import CATEGORY
from knowledge.categories import CATEGORY_NAMES, category_name
from knowledge.load import KnowledgeBase


def test_every_category_has_a_name(base: KnowledgeBase) -> None:
    used = {entry.category for entry in base.entries.values()}
    used |= {subject.category for subject in (*SUBJECTS, OTHER)} | {CATEGORY}
    assert used <= set(CATEGORY_NAMES)
    assert len(set(CATEGORY_NAMES.values())) == len(CATEGORY_NAMES)


def test_unknown_ones_are_told_as_they_are() -> None:
    assert category_name("") == "未明确"
    assert category_name("newer") == "newer"
