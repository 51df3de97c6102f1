"""From a message to the few entries worth a closer look, each with the signals that speak for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
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
from knowledge.search.vocabulary import NOBODY, Vocabulary

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
    """Messages: their texts and concepts, which entry each is a wording of, what all its terms weigh together.

    `numbers` are the known terms of all of them, one message after the other; those of message n begin at `begins[n]`.
    `places`: where each lies by its meaning. `fits`: how near that is to each entry.
    """

    texts: Sequence[str]
    concepts: list[set[str]]
    owners: list[int | None]
    masses: Floats
    numbers: Ints
    begins: Ints
    places: Floats
    fits: Floats


class _Hits(NamedTuple):
    """Pairs of term and entry that messages touch, and the cell of each in a table of messages and entries."""

    pairs: Ints
    cells: Ints


class _Drawn(NamedTuple):
    """The entries drawn for each message; one after the other their numbers, whose they are, and their cells."""

    lists: list[list[int]]
    numbers: Ints
    whose: Ints
    cells: Ints


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
        self._encoder = Encoder(vectors, tables.learned)
        self._meanings = tables.meanings.reshape(len(self.entries), tables.width, vectors.size)
        self._worths = tables.worths.reshape(len(self.entries), tables.width)
        self._places = self._placed(vectors)
        self.concepts = Concepts(base.lexicon)
        self._numbers = Vocabulary(tables.terms)
        self._by_words = BY_WORDS if vectors.entries else POOL
        masses = tables.masses.reshape(-1, 1, tables.width)
        # What the shared idf of each wording is weighed with: as it is, for cosine, for containment.
        self._factors: Floats = np.concatenate([masses < np.inf, 1 / np.sqrt(masses), 1 / masses], axis=1)
        self._counts: Floats = (masses < np.inf).sum(axis=(1, 2))
        # A message that is a wording to the letter needs no weighing up.
        self._matters = _matters(base, self.entries)
        self.exactly = {text: place // tables.width for place, text in enumerate(tables.wordings) if text}
        self.domain = Domain(self._occurrences, int(tables.occurrences.sum()) // 2, map(normalise, off_topic()))

    def _occurrences(self, term: str) -> int:
        number = int(self._numbers([term])[0])
        return 0 if number == NOBODY else int(self.tables.occurrences[number])

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
        return self.pools([text], barred, without=without)[0]

    def pools(
        self, texts: Sequence[str], barred: Sequence[int] = (), *, without: int | None = None
    ) -> list[Pool | None]:
        """The same for many messages at once: half the time a message, since each array operation serves them all."""
        found: list[Pool | None] = [None] * len(texts)
        terms = [dict.fromkeys(grams(text, self.concepts)) for text in texts]
        numbers = self._numbers(list(chain.from_iterable(terms)))
        ends = list(accumulate(map(len, terms)))
        known = [
            part[part != NOBODY]
            for part in (numbers[end - len(one) : end] for end, one in zip(ends, terms, strict=True))
        ]
        rows = [row for row, numbers in enumerate(known) if len(numbers)]
        if not rows or len(barred) == len(self.entries):
            return found
        asked = self._asked([(texts[row], terms[row], known[row]) for row in rows], exactly=without is None)
        for row, pool in zip(rows, self._fill(asked, barred, without), strict=True):
            found[row] = pool
        return found

    def _asked(self, messages: Sequence[tuple[str, dict[str, None], Ints]], *, exactly: bool) -> _Asked:
        """Messages by text, all terms and numbers of those known, in arrays."""
        texts, terms, known = zip(*messages, strict=True)
        numbers = np.concatenate(known)
        begins = np.array([0, *accumulate(map(len, known))])
        weights = np.add.reduceat(self.tables.weights.take(numbers), begins[:-1])
        unknown = np.array([len(every) - len(one) for every, one in zip(terms, known, strict=True)])
        places = self._encoder.many(numbers, begins)
        return _Asked(
            texts,
            [{term for term in one if term[0] == "@"} for one in terms],
            [self.exactly.get(text) if exactly else None for text in texts],
            np.maximum(weights + self.tables.rarest * unknown, LEAST),
            numbers,
            begins,
            places,
            places @ self._places.T,
        )

    def _fill(self, asked: _Asked, barred: Sequence[int], without: int | None) -> Iterator[Pool]:
        hits = self._hits(asked)
        drawn = self._draw(hits, asked, barred)
        bm25, idf = self._shared(hits, drawn)
        near = self._near(drawn, asked.places)
        if without is not None:
            number, slot = divmod(without, self.tables.width)
            bm25[drawn.numbers == number, slot] = idf[drawn.numbers == number, slot] = 0.0
            near[drawn.numbers == number, slot] = 0.0
        leaders, signals = self._signals(asked, drawn, bm25, idf, near)
        end = 0
        for text, owner, numbers in zip(asked.texts, asked.owners, drawn.lists, strict=True):
            begin, end = end, end + len(numbers)
            settled = owner is not None and numbers[0] == owner
            yield Pool(numbers, leaders[begin:end], signals[begin:end], self.domain(text), settled=settled)

    def nearest(self, number: int, count: int, barred: Sequence[int] = ()) -> list[int]:
        """The entries that lie nearest to one by their meaning, nearest first."""
        fits = self._places @ self._places[number]
        matter = self._matters[number]
        fits[[*barred, *(other for other, one in enumerate(self._matters) if one == matter)]] = -np.inf
        found: dict[int, int] = {}
        for other in _best(fits[None], min(2 * count, len(fits)))[0]:
            if fits[other] > -np.inf:
                found.setdefault(self._matters[other], other)
        return list(found.values())[:count]

    def _hits(self, asked: _Asked) -> _Hits:
        """Which entries the terms of each message speak for."""
        postings, size = self.tables.postings, len(self.entries)
        pairs, lengths = spread(postings.begins, asked.numbers)
        counts = np.add.reduceat(lengths, asked.begins[:-1])
        first = np.arange(0, len(asked.texts) * size, size)
        return _Hits(pairs, postings.entries.take(pairs) + first.repeat(counts))

    def _draw(self, hits: _Hits, asked: _Asked, barred: Sequence[int]) -> _Drawn:
        """The entries that share most terms with a message, its owner before all, then those nearest by meaning."""
        fits, size = asked.fits, min(POOL, len(self.entries) - len(barred))
        found = np.bincount(hits.cells, self.tables.postings.pulls.take(hits.pairs), fits.size)
        pulls: Floats = found.astype(np.float64, copy=False).reshape(fits.shape)
        for row, owner in enumerate(asked.owners):
            if owner is not None:
                pulls[row, owner] = np.inf
        if barred:
            pulls[:, barred] = fits[:, barred] = -np.inf
        lists = [
            self._apart([*by_words, *by_meaning])[:size]
            for by_words, by_meaning in zip(_best(pulls, min(self._by_words, size)), _best(fits, size), strict=True)
        ]
        numbers = np.array([number for drawn in lists for number in drawn])
        whose = np.arange(len(lists)).repeat(list(map(len, lists)))
        return _Drawn(lists, numbers, whose, whose * len(self.entries) + numbers)

    def _apart(self, numbers: Iterable[int]) -> list[int]:
        """The same without repetition; an entry and what has taken its place are one."""
        matters: dict[int, int] = {}
        for number in dict.fromkeys(numbers):
            matters.setdefault(self._matters[number], number)
        return list(matters.values())

    def _near(self, drawn: _Drawn, places: Floats) -> Floats:
        """How near each wording of the drawn entries lies to the place of the message."""
        found = np.empty((len(drawn.numbers), self.tables.width), np.float32)
        end = 0
        # One message at a time: rows of all of them together would not stay in the processor's cache.
        for place, numbers in zip(places, drawn.lists, strict=True):
            begin, end = end, end + len(numbers)
            rows = self._meanings.take(numbers, axis=0).reshape(-1, len(place)).astype(np.float32)
            found[begin:end] = (rows @ place).reshape(len(numbers), -1)
        found *= self._worths.take(drawn.numbers, axis=0)
        return found

    def _shared(self, hits: _Hits, drawn: _Drawn) -> tuple[Floats, Floats]:
        """What each text of the drawn entries has in common with a message: BM25, and idf of the shared terms."""
        postings, wide = self.tables.postings, self.tables.width + 2
        size = len(drawn.numbers) * wide
        # The row of each entry's first text; -1 for those outside the pool.
        rows = np.full(len(drawn.lists) * len(self.entries), -1, np.int32)
        rows[drawn.cells] = np.arange(0, size, wide)
        found = rows.take(hits.cells)
        inside = (found >= 0).nonzero()[0]
        places, lengths = spread(postings.text_begins, hits.pairs.take(inside))
        cells = postings.texts.take(places) + found.take(inside).repeat(lengths)
        bm25 = np.bincount(cells, postings.bm25.take(places), size).astype(np.float64, copy=False)
        idf = np.bincount(cells, postings.idf.take(places), size).astype(np.float64, copy=False)
        return bm25.reshape(-1, wide), idf.reshape(-1, wide)

    def _signals(
        self, asked: _Asked, drawn: _Drawn, bm25: Floats, idf: Floats, meant: Floats
    ) -> tuple[list[int], Floats]:
        """Of each drawn entry: the wording nearest to the message, and the row of SIGNALS."""
        width, masses = self.tables.width, asked.masses.take(drawn.whose)
        bm25, covered = bm25 / masses[:, None], idf / masses[:, None]
        hits = bm25[:, :width]
        # The best wordings of each entry by BM25.
        ranked = (-hits).argsort(axis=1)[:, :RERANKED]
        leaders, near = self._nearest(asked.texts, drawn, ranked)
        top = bm25.take(ranked[:, :2] + _starts(*bm25.shape))
        shares = (self._factors.take(drawn.numbers, axis=0) * covered[:, None, :width]).max(axis=2)
        rows = (  # in the order of SIGNALS
            top[:, 0],
            top[:, -1],
            near,
            shares[:, 1] * masses**0.5,
            shares[:, 2] * masses,
            shares[:, 0],
            bm25[:, width + 1],
            covered[:, width + 1],
            hits.sum(axis=1) / self._counts.take(drawn.numbers),
            bm25[:, width],
            covered[:, width],
            near > EXACT,
            self._same_concepts(asked.concepts, drawn.lists),
            asked.fits.take(drawn.cells),
            meant.max(axis=1),
        )
        signals = np.empty((len(masses), len(rows)))
        for place, row in enumerate(rows):
            signals[:, place] = row
        return leaders, signals

    def _nearest(self, texts: Sequence[str], drawn: _Drawn, ranked: Ints) -> tuple[list[int], Floats]:
        """Of each entry's best wordings by BM25, the one most like the message letter by letter."""
        top = drawn.numbers[:, None] * self.tables.width + ranked
        wordings = list(map(self.tables.wordings.__getitem__, top.ravel().tolist()))
        parts, end = [], 0
        for text, numbers in zip(texts, drawn.lists, strict=True):
            begin, end = end, end + len(numbers) * top.shape[1]
            parts.append(process.cdist([text], wordings[begin:end], scorer=fuzz.ratio)[0])
        near = np.concatenate(parts)
        first = near.reshape(top.shape).argmax(axis=1) + np.arange(0, top.size, top.shape[1])
        return top.take(first).tolist(), near.take(first) / 100

    def _same_concepts(self, concepts: Sequence[set[str]], lists: Sequence[list[int]]) -> list[float]:
        """The share of a message's concepts that each drawn entry's wordings speak of."""
        known = self.tables.concepts
        return [
            len(asked & known[number]) / len(asked) if asked else 0.0
            for asked, numbers in zip(concepts, lists, strict=True)
            for number in numbers
        ]


def _matters(base: KnowledgeBase, entries: Sequence[Entry]) -> list[int]:
    """For each entry's number that of the one it stands in the place of, by way of others if need be, or its own."""
    numbers = {entry.id: number for number, entry in enumerate(entries) if base.entries.get(entry.id) is entry}
    before = [numbers.get(entry.succeeds or "", number) for number, entry in enumerate(entries)]
    for _ in entries:
        further = [before[number] for number in before]
        if further == before:
            break
        before = further
    return before


def _best(scores: Floats, count: int) -> list[list[int]]:
    """Of each row the places of the highest scores, highest first."""
    top = scores.argpartition(scores.shape[1] - count, axis=1)[:, -count:]
    values = scores.take(top + _starts(len(scores), scores.shape[1]))
    order = (-values).argsort(axis=1, kind="stable")
    found: list[list[int]] = top.take(order + _starts(len(scores), count)).tolist()
    return found


def _starts(rows: int, width: int) -> Ints:
    """Where each row of a table begins in the flat array, as a column."""
    return np.arange(0, rows * width, width)[:, None]


def spread(begins: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """All places of the `chosen` parts of an array, and how many each of them has; part number n begins at `begins[n]`."""
    stops = begins.take(chosen + 1)
    lengths = stops - begins.take(chosen)
    ends = lengths.cumsum()
    return (stops - ends).repeat(lengths) + np.arange(ends[-1] if len(ends) else 0), lengths
