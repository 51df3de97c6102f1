"""An inverted index over characters, pairs of characters and words of the lexicon, with BM25 weights worked out ahead."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from operator import add

import msgspec
import numpy as np
import numpy.typing as npt

K1, B = 1.2, 0.75
COMMON = 0.4
# A text of nothing but common terms weighs next to nothing, not nothing.
LEAST = 1e-6
Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.signedinteger]

_ASCII = re.compile(r"[0-9]+|[a-z]+")
_HAN = re.compile(r"[一-鿿㐀-䶿]+")


_NO_TERMS: frozenset[str] = frozenset()


class Concepts:
    """The lexicon as a matcher: colloquial phrases and the legal terms they stand for become one word each."""

    def __init__(self, lexicon: dict[str, tuple[str, ...]]) -> None:
        self._terms: dict[str, set[str]] = {}
        for phrase, terms in lexicon.items():
            self._terms.setdefault(phrase, set()).update(f"@{term}" for term in terms)
            for term in terms:
                self._terms.setdefault(term, set()).add(f"@{term}")
        # By their first two characters, since most characters begin some phrase, but few pairs do.
        self._lengths: dict[str, set[int]] = {}
        for phrase in self._terms:
            self._lengths.setdefault(phrase[:2], set()).add(len(phrase))

    def __call__(self, text: str) -> set[str]:
        """The concepts a normalised text speaks of, as terms that no text contains."""
        found: set[str] = set()
        lengths = self._lengths
        for start, pair in enumerate(map(add, text, text[1:])):
            if pair in lengths:
                for length in lengths[pair]:
                    found |= self._terms.get(text[start : start + length], _NO_TERMS)
        return found


def grams(text: str, concepts: Concepts) -> list[str]:
    """Terms of a normalised text: characters, pairs, Latin words and numbers, legal concepts."""
    found = _ASCII.findall(text)
    for run in _HAN.findall(text):
        found += run
        found += map(add, run, run[1:])
    # In a settled order, so that what is learned from them is the same each time.
    return [*found, *sorted(concepts(text))]


class Documents(msgspec.Struct, frozen=True):
    """Lists of terms as numbers: one flat array, and how many terms each document has."""

    vocabulary: dict[str, int]
    terms: Ints
    lengths: list[int]

    @classmethod
    def of(cls, documents: Iterable[Sequence[str]]) -> Documents:
        """Number the terms; documents are taken one by one, so that their strings need not all be kept."""
        vocabulary: dict[str, int] = {}
        terms, lengths = array("q"), []
        for document in documents:
            terms.extend([vocabulary.setdefault(term, len(vocabulary)) for term in document])
            lengths.append(len(document))
        return cls(vocabulary, np.frombuffer(terms, dtype=np.int64) if terms else np.zeros(0, np.int64), lengths)


class Field:
    """BM25 over one set of documents. Rows are documents, in the order given."""

    def __init__(self, documents: Documents, joined: Ints | None = None) -> None:
        """Index documents; with `joined`, those of the same number count as one."""
        self.vocabulary = documents.vocabulary
        terms = documents.terms
        owners = np.arange(len(documents.lengths)) if joined is None else joined
        rows = np.repeat(owners, documents.lengths)
        self.size = int(owners.max()) + 1 if len(owners) else 0
        self.totals: list[int] = np.bincount(terms, minlength=len(self.vocabulary)).tolist()
        # One posting per term and document, those of a term side by side.
        keys, often = np.unique(terms * max(self.size, 1) + rows, return_counts=True)
        numbers, where = keys // max(self.size, 1), keys % max(self.size, 1)
        spread = np.bincount(numbers, minlength=len(self.vocabulary))
        self.idf: Floats = np.log1p((self.size - spread + 0.5) / (spread + 0.5)).astype(np.float32)
        # What stands in most documents tells them apart little and costs most of the time.
        self.idf[spread > COMMON * max(self.size, 20)] = 0.0
        lengths = np.bincount(rows, minlength=self.size).astype(np.float32)
        self.mean = max(float(lengths.mean()) if self.size else 1.0, 1e-9)
        norm = K1 * (1 - B + B * lengths / self.mean)
        kept = self.idf[numbers] > 0
        numbers, where, often = numbers[kept], where[kept], often[kept]
        weights = self.idf[numbers] * often * (K1 + 1) / (often + norm[where])
        self._rows: Ints = where
        self._weights: Floats = weights.astype(np.float32)
        self._ends: list[int] = np.cumsum(np.bincount(numbers, minlength=len(self.vocabulary))).tolist()
        self.masses: Floats = np.bincount(where, self.idf[numbers], self.size).clip(LEAST).astype(np.float32)

    def occurrences(self, term: str) -> int:
        """How often a term stands in all documents together."""
        number = self.vocabulary.get(term)
        return 0 if number is None else self.totals[number]

    def rows(self, term: str) -> list[int]:
        """The documents that hold a term of the vocabulary."""
        number = self.vocabulary[term]
        found: list[int] = self._rows[self._ends[number - 1] if number else 0 : self._ends[number]].tolist()
        return found

    def postings(self, numbering: dict[str, int]) -> tuple[Ints, Ints, Floats, Floats]:
        """All postings: term as `numbering` has it, document, BM25 weight, idf."""
        numbers = np.array([numbering[term] for term in self.vocabulary], dtype=np.intp)
        counts = np.diff(np.array([0, *self._ends]))
        return np.repeat(numbers, counts), self._rows, self._weights, np.repeat(self.idf, counts)
