"""What a short message leans on: “没签合同呢”, “是网贷”, “我是房东” are searched together with what was asked before."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from bot.conversation.turn import Turn
from knowledge.entry import Entry
from knowledge.search.rank import MOST_CHOICES, Candidate, Result
from knowledge.search.several import find

# A short message soon after an answer may lean on it.
SHORT = 14
FRESH_SECONDS = 1800.0
# Parts of the question kept: the first says what it is about, the last what was added.
JOIN = "；"
TOPIC = 40
# Words that only make sense after something.
_LEANS = re.compile(r"^(?:那|要是|如果|假如|万一|但|可|而且|还有|没|不|是|我是|我说的是)|呢$")
# Below these an unmarked message and a marked one are about something else altogether.
_OURS, _OURS_MARKED, _LIKELY = 0.1, 0.03, 0.1
# From here on a message that answers for itself needs no context.
_SURE = 0.9
_SAME_CATEGORY, _RELATED = 0.5, 0.3


class Found(msgspec.Struct, frozen=True):
    """What search makes of a message, and the words that it stands for."""

    result: Result
    text: str


def last(turn: Turn) -> Entry | None:
    """The entry talked about: answered last, or the first of those offered; None if that was long ago."""
    known = turn.library.base.entries.get(turn.state.entry or next(iter(turn.state.options), ""))
    return known if is_fresh(turn) else None


def is_fresh(turn: Turn) -> bool:
    """Whether what was said last was said a short while ago."""
    return turn.now.timestamp() - turn.state.touched < FRESH_SECONDS


def look_up(turn: Turn) -> Found:
    """Search for a message alone and, if it is a short one that does not answer for itself, with the question before."""
    before = last(turn)
    category = before.category if before else ""
    alone = find(turn.library.search, turn.text, turn.day, context=category)
    if (
        alone.others
        or before is None
        or not turn.state.question
        or len(turn.text) > SHORT
        or _stands(turn, alone, category)
    ):
        return Found(alone, turn.text)
    return _together(turn, turn.text, alone, before) or Found(alone, turn.text)


def _stands(turn: Turn, alone: Result, category: str) -> bool:
    """Whether a message needs nothing said before it: a question of its own, or about something else altogether."""
    leans = _LEANS.search(turn.text.rstrip("？?。.!！ ")) is not None
    if alone.verdict == "answer" and alone.best is not None:
        own, *others = (turn.library.base.entries[one.entry].category == category for one in alone.candidates)
        return own or not (leans or (any(others) and alone.confidence < _SURE))
    least = _OURS_MARKED if leans else _OURS
    return alone.ours < least and alone.confidence < _LIKELY


def _together(turn: Turn, text: str, alone: Result, before: Entry) -> Found | None:
    joined = f"{turn.state.question} {text}"
    both = turn.library.search(joined, turn.day, context=before.category)
    words = f"{topic(turn)}{JOIN}{text}"
    told = turn.library.search(turn.state.question, turn.day, context=before.category).best
    known = {before.id, turn.state.entry, told.entry if told else ""}
    if both.verdict == "answer" and both.best and both.best.entry not in known and alone.verdict != "answer":
        return Found(both, words)
    shown = rank_all(turn, (both, alone), before, known)
    if shown and both.best and both.best.entry in known:
        # With all that was said it is still the same entry: it may have told already.
        shown = [*shown[: MOST_CHOICES - 1], both.best]
    return Found(choices(shown, alone, both), words) if len(shown) > 1 else None


def topic(turn: Turn) -> str:
    """What the conversation is about, without what was added to it later."""
    return turn.state.question.partition(JOIN)[0][:TOPIC]


def rank_all(turn: Turn, results: Iterable[Result], before: Entry, without: Iterable[str]) -> list[Candidate]:
    """Candidates of several readings of a message, best first: what stands high in many, and what is akin."""
    points: dict[str, float] = {}
    known: dict[str, Candidate] = {}
    barred = set(without)
    for result in results:
        left = [one for one in result.candidates if one.entry not in barred]
        for place, one in enumerate(left, 1):
            points[one.entry] = points.get(one.entry, 0.0) + place**-0.5 + _akin(turn, one, before)
            known.setdefault(one.entry, one)
    return sorted(known.values(), key=lambda one: -points[one.entry])[:MOST_CHOICES]


def _akin(turn: Turn, one: Candidate, before: Entry) -> float:
    same = turn.library.base.entries[one.entry].category == before.category
    return _SAME_CATEGORY * same + _RELATED * (one.entry in before.see_also)


def choices(shown: Iterable[Candidate], *results: Result) -> Result:
    """Candidates to choose from, as a result."""
    ours = max(result.ours for result in results)
    return Result("choices", tuple(shown), ours, about_us=True)
