"""An inverted index over characters, pairs of characters and words of the lexicon, with BM25 weights worked out ahead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

K1, B = 1.2, 0.75
COMMON = 0.4
Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.intp]

_ASCII = re.compile(r"[0-9]+|[a-z]+")
_HAN = re.compile(r"[一-鿿㐀-䶿]+")


class Concepts:
    """The lexicon as a matcher: colloquial phrases and the legal terms they stand for become one word each."""

    def __init__(self, lexicon: dict[str, tuple[str, ...]]) -> None:
        self._terms: dict[str, set[str]] = {}
        for phrase, terms in lexicon.items():
            self._terms.setdefault(phrase, set()).update(terms)
            for term in terms:
                self._terms.setdefault(term, set()).add(term)
        phrases = sorted(self._terms, key=len, reverse=True)
        # A look-ahead finds overlapping phrases as well.
        self._pattern = re.compile(f"(?=({'|'.join(map(re.escape, phrases))}))") if phrases else None

    def __call__(self, text: str) -> set[str]:
        """The concepts a normalised text speaks of, as terms that no text contains."""
        if self._pattern is None:
            return set()
        return {f"@{term}" for match in self._pattern.finditer(text) for term in self._terms[match[1]]}


def grams(text: str, concepts: Concepts) -> list[str]:
    """Terms of a normalised text: characters, pairs, Latin words and numbers, legal concepts."""
    found = _ASCII.findall(text)
    for run in _HAN.findall(text):
        found += run
        found += [run[i : i + 2] for i in range(len(run) - 1)]
    return [*found, *concepts(text)]


@dataclass(frozen=True, slots=True)
class Query:
    """Distinct known terms of a message: their ids and how often each occurs, capped."""

    ids: Ints
    mass: float


class Field:
    """BM25 over one set of documents. Rows are documents, in the order given."""

    def __init__(self, documents: Sequence[Iterable[str]]) -> None:
        self.size = len(documents)
        self.vocabulary: dict[str, int] = {}
        terms, rows, times = [], [], []
        for row, document in enumerate(documents):
            for term, often in Counter(document).items():
                terms.append(self.vocabulary.setdefault(term, len(self.vocabulary)))
                rows.append(row)
                times.append(often)
        numbers, where = np.array(terms, dtype=np.intp), np.array(rows, dtype=np.intp)
        often_in = np.array(times, dtype=np.float32)
        spread = np.bincount(numbers, minlength=len(self.vocabulary))
        self.idf: Floats = np.log1p((self.size - spread + 0.5) / (spread + 0.5)).astype(np.float32)
        # What stands in most documents tells them apart little and costs most of the time.
        self.idf[spread > COMMON * max(self.size, 20)] = 0.0
        lengths = np.bincount(where, often_in, self.size).astype(np.float32)
        norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if self.size else 1.0, 1e-9))
        weights = self.idf[numbers] * often_in * (K1 + 1) / (often_in + norm[where])
        # All postings in one array, those of a term side by side.
        kept = self.idf[numbers] > 0
        numbers, where, weights = numbers[kept], where[kept], weights[kept]
        order = np.argsort(numbers, kind="stable")
        self._rows: Ints = where[order]
        self._weights: Floats = weights[order].astype(np.float32)
        self._ends: list[int] = np.cumsum(np.bincount(numbers, minlength=len(self.vocabulary))).tolist()
        self.masses: Floats = np.bincount(where, self.idf[numbers], self.size).astype(np.float32)

    def query(self, terms: Iterable[str]) -> Query:
        """Look the terms up; `mass` is the idf of all of them, unknown ones weighing as the rarest known."""
        distinct = set(terms)
        known = [number for number in map(self.vocabulary.get, distinct) if number is not None]
        rarest = float(np.log1p(self.size + 0.5))
        ids = np.array(known, dtype=np.intp)
        return Query(ids, float(self.idf[ids].sum()) + rarest * (len(distinct) - len(known)))

    def scores(self, query: Query) -> tuple[Floats, Floats]:
        """For every document: its BM25, and the idf of the distinct terms it shares with the message."""
        if not len(query.ids):
            zero = np.zeros(self.size, dtype=np.float32)
            return zero, zero
        slices = [slice(self._ends[number - 1] if number else 0, self._ends[number]) for number in query.ids.tolist()]
        rows = np.concatenate([self._rows[part] for part in slices])
        weights = np.concatenate([self._weights[part] for part in slices])
        idf = np.repeat(self.idf[query.ids], [part.stop - part.start for part in slices])
        bm25 = np.bincount(rows, weights, self.size)
        shared = np.bincount(rows, idf, self.size)
        return bm25.astype(np.float32), shared.astype(np.float32)
