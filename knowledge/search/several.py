"""Several questions in one message: which one is answered, and which are offered beside it."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from msgspec.structs import replace

from knowledge.search.mixer import SETTLED
from knowledge.search.normalise import tidy
from knowledge.search.parts import Part, divides, questions
from knowledge.search.rank import Asked, Candidate, Result, Search

MOST_PARTS, MOST_OTHERS = 5, 3
# From here on a part is as good as answered, and a first candidate of the whole message is more than a guess.
NEARLY, LIKELY = 0.7, 0.5


def find(search: Search, text: str, day: date, *, context: str = "") -> Result:
    """Search for a message and, if it asks several things, for each of them.

    What the whole message is answered with stays. Where it is not: if two parts are answered, each by its own entry, the
    main question is the first of them; and a part that is answered by what most likely answers the whole makes that
    sure. What the other parts are about is offered (`others`).
    """
    whole = search(text, day, context=context)
    if whole.best is None or whole.confidence >= SETTLED:
        return whole
    asked = _parts(text)
    if not asked:
        return whole
    found = [search(part.whole, day, context=context) for part in asked]
    main = whole if whole.verdict == "answer" else _main(whole, found)
    parts = tuple(
        Asked(part.whole.strip(" ,，"), one.verdict, one.best) for part, one in zip(asked, found, strict=True)
    )
    others = () if main.verdict == "none" else _others(main, found)
    return replace(main, others=others, parts=parts)


def searched(text: str) -> list[str]:
    """All that is searched for to find what a message asks."""
    return [text, *(part.whole for part in _parts(text))]


# Once ahead of a turn, once within it.
@lru_cache(maxsize=128)
def _parts(text: str) -> tuple[Part, ...]:
    """The questions of a message that asks several."""
    found = questions(tidy(text))[:MOST_PARTS] if divides(text) else []
    return tuple(found) if len(found) > 1 else ()


def _main(whole: Result, found: list[Result]) -> Result:
    answered: dict[str, Result] = {}
    for one in found:
        if one.verdict == "answer" and one.best:
            answered.setdefault(one.best.entry, one)
    if len(answered) > 1:
        return next(iter(answered.values()))
    likely = whole.best.entry if whole.best and whole.verdict != "none" and whole.confidence >= LIKELY else ""
    return answered.get(likely, whole)


def _others(main: Result, found: list[Result]) -> tuple[Candidate, ...]:
    known = {main.best.entry: main.best} if main.best else {}
    for one in found:
        if one.best and one.verdict != "none" and one.confidence >= NEARLY:
            known.setdefault(one.best.entry, one.best)
    return tuple(known.values())[1 : 1 + MOST_OTHERS]
