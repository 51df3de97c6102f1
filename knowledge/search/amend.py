"""Tables brought up to date with a few changed entries, without indexing all of the content again.

Changed entries stand behind the others under numbers of their own; the numbers of what they replace are dead. Terms keep
the weights they have in the content as it was indexed: a few entries among a thousand would hardly move them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from knowledge.search.index import K1, LEAST, B, Concepts, Floats, grams
from knowledge.search.meaning import Bytes, Encoder, Vectors, in_bytes
from knowledge.search.normalise import normalise
from knowledge.search.pool import spread
from knowledge.search.tables import NUMBER, TOLD_WEIGHT, Postings, Tables, whole_text


def amend(
    tables: Tables, entries: Sequence[Entry], base: KnowledgeBase, vectors: Vectors
) -> tuple[Tables, list[Entry]]:
    """Tables for `base`, and whose its numbers are, given those of `entries` as they were indexed by `vectors`.

    A number is dead where its entry is not the one of that id in `base`.
    """
    numbered = [_successor(entry, base) for entry in entries]
    kept = {entry.id for entry in numbered if base.entries.get(entry.id) is entry}
    fresh = [entry for entry in base.entries.values() if entry.id not in kept]
    if not fresh:
        return tables, numbered
    added = _Added(tables, len(entries), fresh, Concepts(base.lexicon))
    return added.tables(vectors), numbered + fresh


def _successor(entry: Entry, base: KnowledgeBase) -> Entry:
    """What stands in `base` in the place of an entry, if it reads the same to search; else the entry itself."""
    now = base.entries.get(entry.id)
    if now is None or now is entry:
        return entry
    same = now.wordings == entry.wordings and now.answer == entry.answer and now.more == entry.more
    return now if same else entry


class _Added:
    """The texts of entries to add, weighed as those of the content are."""

    def __init__(self, old: Tables, count: int, fresh: Sequence[Entry], concepts: Concepts) -> None:
        self._old = old
        self._count = count
        self._fresh = fresh
        self._width = max(old.width, *(len(entry.wordings) for entry in fresh))
        self._numbers = {term: number for number, term in enumerate(old.terms)}
        self._occurrences: Counter[int] = Counter()
        self._masses: list[float] = []
        self._concepts: list[frozenset[str]] = []
        # Rows of (term, entry, text of the entry, BM25, idf), and how strongly each term pulls an entry.
        self._rows: list[tuple[int, int, int, float, float]] = []
        self._pulls: dict[tuple[int, int], float] = {}
        self._asked: list[list[list[str]]] = []
        self._wordings = [[normalise(wording) for wording in entry.wordings] for entry in fresh]
        for number, (entry, wordings) in enumerate(zip(fresh, self._wordings, strict=True), count):
            self._add(
                number, wordings, [grams(wording, concepts) for wording in wordings], grams(whole_text(entry), concepts)
            )

    def _add(self, number: int, wordings: list[str], asked: list[list[str]], told: list[str]) -> None:
        self._asked.append(asked)
        gathered = [term for terms in asked for term in terms]
        self._text(number, self._width, gathered, 1, 1.0)
        self._text(number, self._width + 1, told, 2, TOLD_WEIGHT)
        self._masses += [self._text(number, slot, terms, 0) for slot, terms in enumerate(asked)]
        self._masses += [np.inf] * (self._width - len(wordings))
        self._concepts.append(frozenset(term for term in gathered if term[0] == "@"))

    def _text(self, number: int, slot: int, terms: list[str], field: int, pull: float = 0.0) -> float:
        """Weigh a text; returns its mass."""
        stats = self._old.fields[field]
        norm = K1 * (1 - B + B * len(terms) / max(stats.mean, 1e-9))
        mass = 0.0
        for term, often in Counter(terms).items():
            key = self._numbers.setdefault(term, len(self._numbers))
            idf = float(stats.idf[key]) if key < len(stats.idf) else stats.rarest
            if field != 1:  # all wordings together are the wordings once more
                self._occurrences[key] += often
            if idf <= 0:
                continue
            mass += idf
            weight = idf * often * (K1 + 1) / (often + norm)
            if pull:
                self._pulls[key, number] = self._pulls.get((key, number), 0.0) + pull * weight
            self._rows.append((key, number, slot, weight, idf))
        return max(mass, LEAST)

    def tables(self, vectors: Vectors) -> Tables:
        """Old and new together."""
        old, more, wider = self._old, len(self._numbers) - len(self._old.weights), self._width - self._old.width
        occurrences = np.concatenate([old.occurrences, np.zeros(more, old.occurrences.dtype)])
        found = np.array(list(self._occurrences.items()), occurrences.dtype).reshape(-1, 2)
        occurrences[found[:, 0]] += found[:, 1]
        padded = np.pad(old.masses.reshape(-1, old.width), ((0, 0), (0, wider)), constant_values=np.inf)
        learned = np.concatenate([old.learned, vectors.rows_of(list(self._numbers)[len(old.weights) :])])
        meanings, worths = self._meant(vectors, Encoder(vectors, learned))
        return replace(
            old,
            words="\n".join(self._numbers).encode(),
            weights=np.concatenate([old.weights, np.full(more, old.rarest, old.weights.dtype)]),
            occurrences=occurrences,
            postings=self._postings(),
            width=self._width,
            wordings=self._padded(),
            masses=np.concatenate([padded.ravel(), np.array(self._masses)]),
            learned=learned,
            meanings=meanings,
            worths=worths,
            concepts=[*old.concepts, *self._concepts],
        )

    def _meant(self, vectors: Vectors, encoder: Encoder) -> tuple[Bytes, Floats]:
        """Where all wordings lie by their meaning: the old ones, and behind them those of the new entries."""
        old, wider = self._old, self._width - self._old.width
        places = np.zeros((len(self._fresh), self._width, vectors.size), np.float32)
        for row, asked in enumerate(self._asked):
            for slot, terms in enumerate(asked):
                places[row, slot] = encoder(np.array([self._numbers[term] for term in dict.fromkeys(terms)], np.intp))
        fresh, worth = in_bytes(places.reshape(-1, vectors.size))
        kept = old.meanings.reshape(self._count, old.width, vectors.size)
        meanings = np.concatenate([np.pad(kept, ((0, 0), (0, wider), (0, 0))).ravel(), fresh.ravel()])
        worths = np.pad(old.worths.reshape(self._count, old.width), ((0, 0), (0, wider)))
        return meanings, np.concatenate([worths.ravel(), worth])

    def _padded(self) -> list[str]:
        width, old = self._width, self._old
        rows = [old.wordings[at : at + old.width] for at in range(0, len(old.wordings), max(old.width, 1))]
        return [text for row in [*rows, *self._wordings] for text in [*row, *[""] * (width - len(row))]]

    def _postings(self) -> Postings:
        """Both levels of postings: the old ones, with the new ones sorted in among them."""
        old, terms, size = self._old.postings, len(self._numbers), self._count + len(self._fresh)
        rows = sorted(row for row in self._rows if row[:2] in self._pulls)
        pairs = sorted(self._pulls)
        ends = np.searchsorted(
            np.array([row[0] * size + row[1] for row in rows], np.int64),
            np.array([term * size + entry for term, entry in pairs], np.int64),
            "right",
        )
        slots, weights, idfs = (np.array([row[column] for row in rows], float) for column in (2, 3, 4))
        old_terms = np.repeat(np.arange(len(old.begins) - 1), np.diff(old.begins))
        keys = np.concatenate([old_terms * size + old.entries, np.array([a * size + b for a, b in pairs], np.int64)])
        order = np.argsort(keys, kind="stable")
        begins = np.concatenate([old.text_begins, old.text_begins[-1] + ends])
        places, lengths = spread(begins, order)
        texts = np.where(old.texts >= self._old.width, old.texts + self._width - self._old.width, old.texts)
        return Postings(
            begins=np.searchsorted(keys[order], np.arange(terms + 1) * size).astype(NUMBER),
            entries=(keys[order] % size).astype(NUMBER),
            pulls=np.concatenate([old.pulls, np.array([self._pulls[pair] for pair in pairs], old.pulls.dtype)])[order],
            text_begins=np.concatenate([[0], np.cumsum(lengths)]).astype(NUMBER),
            texts=np.concatenate([texts, slots.astype(texts.dtype)])[places],
            bm25=np.concatenate([old.bm25, weights.astype(old.bm25.dtype)])[places],
            idf=np.concatenate([old.idf, idfs.astype(old.idf.dtype)])[places],
        )
