"""Whole conversations over the shipped knowledge: follow-ups, corrections, a new question after an answer."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from bot.conversation.follow_up import ASPECTS
from bot.conversation.turn import Outcome
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search
from tests.conversation.helpers import Talk

# Floors under what was measured: of all, and of the first ones, which ask one thing at a time: turns, whole conversations.
ALL, SINGLE = (0.94, 0.84), (0.96, 0.88)
FIRST = 79
PAUSE = timedelta(seconds=20)
FLOWS = {"thanks", "goodbye", "greeting", "more", "feedback", "not_ours", "help", "again"}
_ASPECTS = {aspect.name: aspect for aspect in ASPECTS}


class Said(NamedTuple):
    """What is said, what may come of it, and what must be shown or offered as well."""

    text: str
    right: frozenset[str]
    besides: frozenset[str] = frozenset()


@cache
def dialogues() -> list[tuple[str, list[Said]]]:
    """Name and turns."""
    raw = yaml.safe_load((Path(__file__).parent / "dialogues.yaml").read_text(encoding="utf-8"))
    return [
        (one["name"], [Said(said, *(frozenset(names.split("|")) for names in right)) for said, *right in one["turns"]])
        for one in raw
    ]


def is_right(outcome: Outcome, right: frozenset[str], before: str, offered: tuple[str, ...]) -> bool:
    """Whether a turn went as it must. `before` is the entry answered last, or first of those `offered` before this turn."""
    record, text = outcome.record, outcome.say.text if outcome.say else ""
    followed = record.flow == "follow_up" and record.entry == before
    shown = {record.entry} if record.verdict == "answer" else set(outcome.state.options)
    return (
        (record.flow in FLOWS and record.flow in right)
        or ("human" in right and record.flow in {"human", "handoff"})
        or ("safety" in right and record.flow.startswith("safety."))
        or ("unsure" in right and record.verdict == "none")
        or ("picked" in right and (not offered or record.flow == "choose"))
        or (followed and any(name in right and _ASPECTS[name].lead in text for name in _ASPECTS))
        or (followed and "没有写明" in text and bool(right & _ASPECTS.keys()))
        or (not followed and bool(shown & right))
    )


def wrong_turns(talk: Talk, turns: list[Said]) -> list[str]:
    """Hold a conversation; what went wrong, for reading."""
    found = []
    for said, right, besides in turns:
        offered = talk.state.options
        before = talk.state.entry or next(iter(offered), "")
        outcome = talk.say(said)
        talk.now += PAUSE
        shown = {outcome.record.entry, *outcome.state.options}
        if not is_right(outcome, right, before, offered) or (besides and not shown & besides):
            got = outcome.record.entry or ",".join(outcome.state.options)
            found.append(
                f"{said} → {outcome.record.flow} {outcome.record.verdict} {got}; wanted {'|'.join(sorted(right))} {'|'.join(sorted(besides))}"
            )
    return found


def test_conversations_go_as_people_hold_them(base: KnowledgeBase, search: Search) -> None:
    told = dialogues()
    assert len(told) >= 90
    faults = [wrong_turns(Talk(base, search), turns) for _, turns in told]
    for count, (right, whole) in ((len(told), ALL), (FIRST, SINGLE)):
        turns = sum(len(turns) for _, turns in told[:count])
        faulty = [(name, found) for (name, _), found in zip(told[:count], faults, strict=False) if found]
        assert 1 - sum(len(found) for _, found in faulty) / turns >= right, faulty
        assert 1 - len(faulty) / count >= whole, faulty
