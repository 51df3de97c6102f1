"""From a message to the few entries worth a closer look, each with the signals that speak for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from knowledge.search.domain import Domain, off_topic
from knowledge.search.index import LEAST, Concepts, Floats, Ints, grams
from knowledge.search.meaning import Encoder, Vectors, load_vectors, unit
from knowledge.search.mixer import Mixer
from knowledge.search.normalise import normalise
from knowledge.search.tables import Tables, work_out

# How many entries are drawn by their words, and how many there may be with those drawn by their meaning.
BY_WORDS, POOL = 6, 10
RERANKED = 3
EXACT = 0.985


class Pool(NamedTuple):
    """Candidates before mixing: entry numbers, leading wordings, one row of signals each.

    `domain`: log odds that the message is ours; `settled`: the first is a wording to the letter.
    """

    numbers: list[int]
    leaders: list[int]
    signals: Floats
    domain: float
    settled: bool


class _Asked(NamedTuple):
    """A message: its text, its concepts, what all its terms weigh together, where it lies by its meaning.

    `fits`: how near that is to each entry.
    """

    text: str
    concepts: set[str]
    mass: float
    place: Floats
    fits: Floats


class Index:
    """Everything ranking needs of the knowledge base, worked out once."""

    def __init__(
        self,
        base: KnowledgeBase,
        mixer: Mixer,
        tables: Tables | None = None,
        entries: Sequence[Entry] | None = None,
        vectors: Vectors | None = None,
    ) -> None:
        """`tables` are those of `base` by `vectors`, if worked out before; `entries` are whose their numbers are."""
        self.vectors = vectors = vectors or load_vectors()
        self.base = base
        self.mixer = mixer
        self.tables = tables = tables or work_out(base, vectors)
        self.entries: list[Entry] = list(base.entries.values() if entries is None else entries)
        self._encoder = Encoder(vectors, tables.terms)
        self._meanings = tables.meanings.reshape(len(self.entries), tables.width, vectors.size)
        self._worths = tables.worths.reshape(len(self.entries), tables.width)
        self._places = self._placed(vectors)
        self.concepts = Concepts(base.lexicon)
        self._numbers = {term: number for number, term in enumerate(tables.terms)}
        self._lines = np.arange(POOL)[:, None]
        masses = tables.masses.reshape(-1, 1, tables.width)
        # What the shared idf of each wording is weighed with: as it is, for cosine, for containment.
        self._factors: Floats = np.concatenate([masses < np.inf, 1 / np.sqrt(masses), 1 / masses], axis=1)
        self._counts: Floats = (masses < np.inf).sum(axis=(1, 2))
        # A message that is a wording to the letter needs no weighing up.
        self.exactly = {text: place // tables.width for place, text in enumerate(tables.wordings) if text}
        self.domain = Domain(self._occurrences, int(tables.occurrences.sum()) // 2, map(normalise, off_topic()))

    def _occurrences(self, term: str) -> int:
        number = self._numbers.get(term)
        return 0 if number is None else int(self.tables.occurrences[number])

    def _placed(self, vectors: Vectors) -> Floats:
        """Where each entry lies: where it was learned to lie, or for a new one amid its wordings."""
        found = np.einsum("ij,ijk->ik", self._worths, self._meanings, dtype=np.float32)
        learned = {entry: row for row, entry in enumerate(vectors.entries)}
        known = [number for number, entry in enumerate(self.entries) if entry.id in learned]
        found[known] = vectors.places[[learned[self.entries[number].id] for number in known]]
        return unit(found)

    def pool(self, text: str, barred: Sequence[int] = (), *, without: int | None = None) -> Pool | None:
        """The entries worth a closer look for a normalised message, with their signals; None if nothing fits.

        `barred` entries are passed over. `without` leaves one wording out, as if it had never been written down:
        for learning from our own.
        """
        terms = dict.fromkeys(grams(text, self.concepts))
        known = [number for number in map(self._numbers.get, terms) if number is not None]
        if not known or len(barred) == len(self.entries):
            return None
        numbers = np.array(known)
        unknown = self.tables.rarest * (len(terms) - len(known))
        mass = max(float(self.tables.weights.take(numbers).sum()) + unknown, LEAST)
        owner = self.exactly.get(text) if without is None else None
        place = self._encoder(numbers)
        fits = self._places @ place
        concepts = {term for term in terms if term[0] == "@"}
        asked = _Asked(text, concepts, mass, place, fits)
        pairs, _ = spread(self.tables.postings.begins, numbers)
        entries = self.tables.postings.entries.take(pairs)
        order = self._draw(pairs, entries, asked, barred, owner)
        bm25, idf = self._shared(pairs, entries, order)
        near = self._near(order, place)
        if without is not None:
            number, slot = divmod(without, self.tables.width)
            bm25[order == number, slot] = idf[order == number, slot] = near[order == number, slot] = 0.0
        leaders, signals = self._signals(asked, order, bm25, idf, near)
        settled = owner is not None and int(order[0]) == owner
        return Pool(order.tolist(), leaders, signals, self.domain(text), settled=settled)

    def _draw(self, pairs: Ints, entries: Ints, asked: _Asked, barred: Sequence[int], owner: int | None) -> Ints:
        """The entries that share most terms with a message, `owner` before all, then those nearest by meaning."""
        pulls = np.bincount(entries, self.tables.postings.pulls.take(pairs), len(self.entries)).astype(
            np.float64, copy=False
        )
        if owner is not None:
            pulls[owner] = np.inf
        fits = asked.fits
        if barred:
            fits = fits.copy()
            pulls[barred] = fits[barred] = -np.inf
        size = min(POOL, len(pulls) - len(barred))
        drawn = dict.fromkeys([*_best(pulls, min(BY_WORDS, size)), *_best(fits, size)])
        return np.array(list(drawn)[:size])

    def _near(self, order: Ints, place: Floats) -> Floats:
        """How near each wording of the entries in `order` lies to a place."""
        worths = self._worths.take(order, axis=0)
        rows = self._meanings.take(order, axis=0).reshape(-1, len(place)).astype(np.float32)
        found: Floats = (rows @ place).reshape(worths.shape) * worths
        return found

    def _shared(self, pairs: Ints, entries: Ints, order: Ints) -> tuple[Floats, Floats]:
        """What each text of the entries in `order` has in common with a message: BM25, and idf of the shared terms."""
        postings, wide = self.tables.postings, self.tables.width + 2
        # The row of each entry's first text; -1 for those outside the pool.
        rows = np.full(len(self.entries), -1)
        rows[order] = np.arange(0, len(order) * wide, wide)
        found = rows.take(entries)
        drawn = (found >= 0).nonzero()[0]
        places, lengths = spread(postings.text_begins, pairs.take(drawn))
        cells = postings.texts.take(places) + found.take(drawn).repeat(lengths)
        size = len(order) * wide
        bm25 = np.bincount(cells, postings.bm25.take(places), size).astype(np.float64, copy=False)
        idf = np.bincount(cells, postings.idf.take(places), size).astype(np.float64, copy=False)
        return bm25.reshape(-1, wide), idf.reshape(-1, wide)

    def _signals(
        self, asked: _Asked, order: Ints, bm25: Floats, idf: Floats, meant: Floats
    ) -> tuple[list[int], Floats]:
        """Of each entry in `order`: the wording nearest to the message, and the row of SIGNALS."""
        width, mass = self.tables.width, asked.mass
        bm25, covered = bm25 / mass, idf / mass
        hits = bm25[:, :width]
        # The best wordings of each entry by BM25; the numbers of an entry's wordings begin at `first`.
        ranked = (-hits).argsort(axis=1)[:, :RERANKED]
        first, row = order[:, None] * width, self._lines[: len(order)] * (width + 2)
        leaders, near = self._nearest(asked.text, ranked + first)
        top = bm25.take(ranked + row)
        shares = (self._factors.take(order, axis=0) * covered[:, None, :width]).max(axis=2)
        signals = np.array([  # in the order of SIGNALS
            top[:, 0],
            top[:, min(1, width - 1)],
            near,
            shares[:, 1] * mass**0.5,
            shares[:, 2] * mass,
            shares[:, 0],
            bm25[:, width + 1],
            covered[:, width + 1],
            hits.sum(axis=1) / self._counts.take(order),
            bm25[:, width],
            covered[:, width],
            near > EXACT,
            self._same_concepts(asked.concepts, order),
            asked.fits.take(order),
            meant.max(axis=1),
        ])  # fmt: skip
        return leaders, signals.T

    def _nearest(self, text: str, top: Ints) -> tuple[list[int], Floats]:
        """Of each entry's best wordings by BM25, the one most like the message letter by letter."""
        wordings = list(map(self.tables.wordings.__getitem__, top.ravel().tolist()))
        near = process.cdist([text], wordings, scorer=fuzz.ratio)
        first = near.reshape(top.shape).argmax(axis=1) + self._lines[: len(top), 0] * top.shape[1]
        return top.take(first).tolist(), near.take(first) / 100

    def _same_concepts(self, concepts: set[str], order: Ints) -> list[float]:
        """The share of the message's concepts that each entry's wordings speak of."""
        if not concepts:
            return [0.0] * len(order)
        known = self.tables.concepts
        return [len(concepts & known[number]) / len(concepts) for number in order.tolist()]


def _best(scores: Floats, count: int) -> list[int]:
    """The places of the highest scores, highest first."""
    top = scores.argpartition(len(scores) - count)[-count:]
    found: list[int] = top.take((-scores.take(top)).argsort(kind="stable")).tolist()
    return found


def spread(begins: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """All places of the `chosen` parts of an array, and how many each of them has; part number n begins at `begins[n]`."""
    stops = begins.take(chosen + 1)
    lengths = stops - begins.take(chosen)
    ends = lengths.cumsum()
    return (stops - ends).repeat(lengths) + np.arange(ends[-1] if len(ends) else 0), lengths
