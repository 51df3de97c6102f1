"""Ranking: a pure function from a message to scored candidates, each with the signals that speak for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from rapidfuzz import fuzz, process

from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from knowledge.search.domain import Domain, off_topic
from knowledge.search.index import Concepts, Documents, Field, Fields, Floats, Ints, grams
from knowledge.search.mixer import SIGNALS, Message, Mixer, Verdict
from knowledge.search.normalise import normalise

POOL = 24
MOST_CHOICES = 4
SHOWN = 5
TOLD_WEIGHT = 0.35
RERANKED = 3
EXACT = 0.985


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may answer, how sure we are of it, and why."""

    entry: str
    confidence: float
    wording: str
    signals: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What search makes of a message. `ours` is the chance that it is about our matters at all."""

    verdict: Verdict
    candidates: tuple[Candidate, ...]
    ours: float = 0.0
    about_us: bool = False

    @property
    def best(self) -> Candidate | None:
        """The first candidate, if there is any."""
        return self.candidates[0] if self.candidates else None

    @property
    def confidence(self) -> float:
        """How sure we are that the first candidate answers the message, 0..1."""
        return self.candidates[0].confidence if self.candidates else 0.0

    @property
    def offered(self) -> tuple[Candidate, ...]:
        """The candidates worth showing as choices, two to four."""
        return self.candidates[:MOST_CHOICES]


class Search(Protocol):
    """The one interface to ranking: message and day in, verdict and candidates out."""

    def __call__(self, text: str, day: date, *, context: str = "") -> Result:
        """Rank entries for `text`; `context` is the category talked about before, if any."""
        ...


NOTHING = Result("none", ())


class Index:
    """Everything ranking needs of the knowledge base, worked out once."""

    def __init__(self, base: KnowledgeBase, mixer: Mixer) -> None:
        self.base = base
        self.mixer = mixer
        self.entries: list[Entry] = list(base.entries.values())
        self.concepts = Concepts(base.lexicon)
        self._number_wordings()
        wordings = Documents.of(grams(wording, self.concepts) for wording in self.wordings)
        self.asked = Field(wordings)
        self.gathered = Field(wordings, self.owner)
        self.told = Field(Documents.of(grams(_whole_text(entry), self.concepts) for entry in self.entries))
        self.fields = Fields(self.asked, self.told, self.gathered)
        self.known = self._known_concepts(wordings)
        self.domain = Domain(
            lambda pair: self.asked.occurrences(pair) + self.told.occurrences(pair),
            (sum(self.asked.totals) + sum(self.told.totals)) // 2,
            map(normalise, off_topic()),
        )

    def _number_wordings(self) -> None:
        counts = [len(entry.wordings) for entry in self.entries]
        self.wordings: list[str] = [normalise(wording) for entry in self.entries for wording in entry.wordings]
        self.owner: Ints = np.repeat(np.arange(len(counts)), counts)
        self.starts = np.cumsum([0, *counts[:-1]])
        # One row of wording numbers per entry; the number past the last stands for "no further wording".
        places = self.starts[:, None] + np.arange(max(counts, default=1))
        ends = (self.starts + np.array(counts or [0]))[:, None]
        self.rows: Ints = np.where(places < ends, places, len(self.wordings))
        # A message that is a wording to the letter needs no weighing up.
        self.exactly = dict(zip(self.wordings, self.owner.tolist(), strict=True))

    def _known_concepts(self, wordings: Documents) -> list[set[str]]:
        known: list[set[str]] = [set() for _ in self.entries]
        for term in wordings.vocabulary:
            if term.startswith("@"):
                for number in self.gathered.rows(term):
                    known[number].add(term)
        return known

    def pool(self, text: str, without: int | None = None) -> Pool | None:
        """The entries worth a closer look for a normalised message, with their signals; None if nothing fits.

        `without` leaves one wording out, as if it had never been written down: for learning from our own.
        """
        terms = grams(text, self.concepts)
        scores = self.fields.scores(terms)
        if scores is None:
            return None
        mass, (asked, told, gathered) = scores
        found = _Found(text, {term for term in terms if term.startswith("@")}, mass, asked, told, gathered)
        if without is not None:
            found.asked[0][without] = found.asked[1][without] = 0.0
        best = np.maximum.reduceat(found.asked[0], self.starts) + found.gathered[0] + TOLD_WEIGHT * found.told[0]
        owner = self.exactly.get(text) if without is None else None
        if owner is not None:
            best[owner] = np.inf
        order = np.argsort(-best, kind="stable")[:POOL]
        leaders, signals = self._signals(found, order)
        return Pool(order.tolist(), leaders, signals, self.domain(text), settled=owner is not None)

    def _signals(self, found: _Found, order: Ints) -> tuple[list[int], Floats]:
        """Of each entry in `order`: the wording nearest to the message, and the row of SIGNALS."""
        rows, mass = self.rows[order], found.mass
        hits, covered = (np.append(values, np.float32(0))[rows] for values in found.asked)
        masses = np.append(self.asked.masses, np.float32(np.inf))[rows]
        leaders, near = self._nearest(found.text, rows, hits)
        descending = -np.sort(-hits, axis=1)
        concepts = found.concepts
        columns = {
            "bm25": descending[:, 0] / mass,
            "bm25_second": descending[:, 1] / mass,
            "ratio": near,
            "cosine": (covered / np.sqrt(masses * mass)).max(axis=1),
            "contained": (covered / masses).max(axis=1),
            "covered": covered.max(axis=1) / mass,
            "told": found.told[0][order] / mass,
            "told_covered": found.told[1][order] / mass,
            "mean": hits.sum(axis=1) / (masses < np.inf).sum(axis=1) / mass,
            "gathered": found.gathered[0][order] / mass,
            "gathered_covered": found.gathered[1][order] / mass,
            "exact": (near > EXACT).astype(np.float32),
            "concepts": [len(concepts & self.known[n]) / len(concepts) if concepts else 0.0 for n in order],
        }
        return leaders, np.stack([columns[name] for name in SIGNALS], axis=1, dtype=np.float32)

    def _nearest(self, text: str, rows: Ints, hits: Floats) -> tuple[list[int], Floats]:
        """Of each entry's best wordings by BM25, the one most like the message letter by letter."""
        top = np.take_along_axis(rows, np.argsort(-hits, axis=1)[:, :RERANKED], axis=1)
        wordings = [self.wordings[i] if i < len(self.wordings) else "" for i in top.ravel()]
        near = process.cdist([text], wordings, scorer=fuzz.ratio)[0].reshape(top.shape) / 100
        which = near.argmax(axis=1)
        line = np.arange(len(top))
        return [int(i) for i in top[line, which]], near[line, which]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the index says about a message: BM25 and shared idf, by wording, by answer, by all wordings of an entry."""

    text: str
    concepts: set[str]
    mass: float
    asked: tuple[Floats, Floats]
    told: tuple[Floats, Floats]
    gathered: tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates before mixing: entry numbers, leading wordings, one row of signals each.

    `domain`: log odds that the message is ours; `settled`: the first is a wording to the letter.
    """

    numbers: list[int]
    leaders: list[int]
    signals: Floats
    domain: float
    settled: bool


def _whole_text(entry: Entry) -> str:
    """Question and answer as one searchable text, line by line so that none of it is cut as a long message would be."""
    parts = [entry.question, *entry.answer.splitlines(), *entry.more.splitlines()]
    return " ".join(normalise(part) for part in parts)


def searcher(base: KnowledgeBase, mixer: Mixer, *, confirmed_only: bool = False) -> Search:
    """Build the index once and return the pure search function over it."""
    index = Index(base, mixer)

    def search(text: str, day: date, *, context: str = "") -> Result:
        clean = normalise(text)
        pool = index.pool(clean)
        if pool is None:
            return NOTHING
        served = [
            i
            for i, number in enumerate(pool.numbers)
            if base.servable(index.entries[number], day, confirmed_only=confirmed_only)
        ]
        return _verdict(index, pool, served, clean, context)

    return search


def _verdict(index: Index, pool: Pool, served: Sequence[int], text: str, context: str) -> Result:
    if not served:
        return NOTHING
    signals = pool.signals[list(served)]
    same = np.array([float(index.entries[pool.numbers[i]].category == context) for i in served])
    settled = pool.settled and served[0] == 0
    judged = index.mixer.judge(signals, same, Message(len(text), pool.domain, settled=settled))
    candidates = tuple(
        Candidate(
            index.entries[pool.numbers[served[i]]].id,
            judged.confidences[rank],
            index.wordings[pool.leaders[served[i]]],
            tuple(map(float, signals[i])),
        )
        for rank, i in enumerate(judged.order[:SHOWN])
    )
    return Result(judged.verdict, candidates, judged.ours, about_us=judged.about_us)
