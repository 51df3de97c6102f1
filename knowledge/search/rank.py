"""Ranking: a pure function from a message to scored candidates, each with the signals that speak for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from knowledge.entry import Entry
from knowledge.foreseen import Foreseen
from knowledge.load import KnowledgeBase
from knowledge.search.amend import amend
from knowledge.search.meaning import Vectors
from knowledge.search.mixer import SETTLED, Message, Mixer, Scored, Verdict
from knowledge.search.normalise import normalise
from knowledge.search.pool import Index, Pool
from knowledge.search.tables import Tables

MOST_CHOICES = 4
SHOWN = 5


class Candidate(msgspec.Struct, frozen=True):
    """An entry that may answer, how sure we are of it, and why.

    `signals` are empty where nothing was weighed up; `mended` is what the trees add to their sum.
    """

    entry: str
    confidence: float
    wording: str
    signals: tuple[float, ...]
    mended: float = 0.0


class Asked(msgspec.Struct, frozen=True):
    """One of several questions of a message: its words, and what search makes of it alone."""

    words: str
    verdict: Verdict
    best: Candidate | None


class Result(msgspec.Struct, frozen=True):
    """What search makes of a message. `ours` is the chance that it is about our matters at all.

    Of several questions (`parts`) all but `others` speaks of the main one; `others` are what the rest is about.
    """

    verdict: Verdict
    candidates: tuple[Candidate, ...]
    ours: float = 0.0
    about_us: bool = False
    others: tuple[Candidate, ...] = ()
    parts: tuple[Asked, ...] = ()

    @property
    def best(self) -> Candidate | None:
        """The first candidate, if there is any."""
        return self.candidates[0] if self.candidates else None

    @property
    def confidence(self) -> float:
        """How sure we are that the first candidate answers the message, 0..1."""
        return self.candidates[0].confidence if self.candidates else 0.0

    @property
    def question(self) -> str:
        """The words of the main question, if the message asked others besides; empty otherwise."""
        same = (part.words for part in self.parts if self.best and part.best and part.best.entry == self.best.entry)
        return next(same, "") if self.others else ""

    @property
    def offered(self) -> tuple[Candidate, ...]:
        """The candidates worth showing as choices, two to four: what was asked besides takes the last places."""
        asked = {one.entry for one in self.others}
        main = tuple([one for one in self.candidates if one.entry not in asked])
        return main[: MOST_CHOICES - len(self.others)] + self.others


class Search(Protocol):
    """The one interface to ranking: message and day in, verdict and candidates out."""

    def __call__(self, text: str, day: date, *, context: str = "") -> Result:
        """Rank entries for `text`; `context` is the category talked about before, if any."""
        ...


# One character names nothing: whatever holds it would be a guess.
LEAST_CHARACTERS = 2
NOTHING = Result("none", ())


def searcher(
    base: KnowledgeBase,
    mixer: Mixer,
    *,
    confirmed_only: bool = False,
    wrong_costs: float | None = None,
    tables: Tables | None = None,
    vectors: Vectors | None = None,
) -> Searcher:
    """Build the index once and return the pure search function over it.

    `wrong_costs`: how many right answers a wrong one outweighs, if not what the mixer says. `vectors` are the shipped
    ones unless others are given; `tables` must have been worked out with them, and `mixer` learned.
    """
    if wrong_costs is not None:
        mixer = replace(mixer, wrong_costs=wrong_costs)
    return Searcher(Index(base, mixer, tables, vectors=vectors), confirmed_only=confirmed_only)


class Searcher:
    """The pure search function over an index. `strangers` are messages known not to be ours, normalised."""

    def __init__(self, index: Index, strangers: frozenset[str] = frozenset(), *, confirmed_only: bool = False) -> None:
        self._index = index
        self._strangers = strangers
        self._confirmed_only = confirmed_only
        self._on = lru_cache(maxsize=8)(self._look_at)

    def __call__(self, text: str, day: date, *, context: str = "") -> Result:
        """Rank entries for `text`."""
        clean = normalise(text)
        if len(clean) < LEAST_CHARACTERS or clean in self._strangers:
            return NOTHING
        today = self._on(day)
        owner = self._index.exactly.get(clean)
        if owner is not None and owner not in today.barred:
            return _to_the_letter(owner, today, clean)
        weighed = today.weighed(clean)
        return _verdict(self._index, weighed, today, clean, context) if weighed else NOTHING

    def ahead(self, texts: Iterable[str], day: date) -> None:
        """Weigh up many messages at once, in half the time, that will be searched for soon."""
        clean = [text for text in map(normalise, texts) if len(text) >= LEAST_CHARACTERS]
        self._on(day).weighed.ahead(text for text in clean if text not in self._index.exactly)

    def serving(self, *, confirmed_only: bool) -> Searcher:
        """The same search over all entries, or over those only that a lawyer confirmed."""
        return Searcher(self._index, self._strangers, confirmed_only=confirmed_only)

    def amended(self, base: KnowledgeBase, strangers: Iterable[str] | None = None, *, drafts: bool = False) -> Searcher:
        """Search over `base`, which differs from the indexed one in a few entries: takes a moment, not seconds.

        Without `strangers` those known stay so. With `drafts` it finds what nobody has confirmed, too.
        """
        old = self._index
        tables, entries = amend(old.tables, old.entries, base, old.vectors)
        index = Index(base, old.mixer, tables, entries, old.vectors)
        known = self._strangers if strangers is None else frozenset(map(normalise, strangers))
        return Searcher(index, known, confirmed_only=self._confirmed_only and not drafts)

    def _look_at(self, day: date) -> _Today:
        base, barred, entries = self._index.base, [], list(self._index.entries)
        for number, entry in enumerate(entries):
            known = base.entries.get(entry.id) is entry
            now = base.in_force(entry, day, confirmed_only=self._confirmed_only) if known else None
            if now is None:
                barred.append(number)
            else:
                entries[number] = now
        weighed: Foreseen[str, _Weighed | None] = Foreseen(lambda texts: self._weigh(texts, barred))
        return _Today(barred, entries, weighed, cache(lambda owner: self._index.nearest(owner, SHOWN - 1, barred)))

    def _weigh(self, texts: Sequence[str], barred: Sequence[int]) -> list[_Weighed | None]:
        pools = self._index.pools(texts, barred)
        scored = iter(self._index.mixer.score_all([pool.signals for pool in pools if pool]))
        return [_Weighed(pool, next(scored)) if pool else None for pool in pools]


class _Weighed(NamedTuple):
    """The candidates of a message before what it was said after counts."""

    pool: Pool
    scored: Scored


class _Today(NamedTuple):
    """What may be found on a day: numbers barred, the entry in force for each number, messages weighed up, neighbours."""

    barred: list[int]
    entries: list[Entry]
    weighed: Foreseen[str, _Weighed | None]
    near: Callable[[int], list[int]]


def _to_the_letter(owner: int, today: _Today, text: str) -> Result:
    """What a wording of ours finds, such as a tapped line: its entry, with no weighing up, and after it what is near it."""
    near = [today.entries[number] for number in today.near(owner)]
    found = Candidate(today.entries[owner].id, SETTLED, text, ())
    others = [Candidate(one.id, 0.0, one.question, ()) for one in near]
    return Result("answer", (found, *others), SETTLED, about_us=True)


def _verdict(index: Index, weighed: _Weighed, today: _Today, text: str, context: str) -> Result:
    pool, scored = weighed
    same = [today.entries[number].category == context for number in pool.numbers] if context else ()
    judged = index.mixer.judge(scored, Message(len(text), pool.domain, settled=pool.settled), same)
    candidates = tuple(
        [
            Candidate(
                today.entries[pool.numbers[row]].id,
                round(confidence, 4),
                index.tables.wordings[pool.leaders[row]],
                tuple(pool.signals[row].tolist()),
                scored.mended[row],
            )
            for row, confidence in zip(judged.order[:SHOWN], judged.confidences, strict=False)
        ]
    )
    return Result(judged.verdict, candidates, judged.ours, about_us=judged.about_us)
