"""An inverted index over characters, pairs of characters and words of the lexicon, with BM25 weights worked out ahead."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import add

import numpy as np
import numpy.typing as npt

K1, B = 1.2, 0.75
COMMON = 0.4
# A text of nothing but common terms weighs next to nothing, not nothing.
LEAST = 1e-6
Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.intp]

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
        self._lengths: dict[str, list[int]] = {}
        for phrase in self._terms:
            lengths = self._lengths.setdefault(phrase[0], [])
            if len(phrase) not in lengths:
                lengths.append(len(phrase))

    def __call__(self, text: str) -> set[str]:
        """The concepts a normalised text speaks of, as terms that no text contains."""
        found: set[str] = set()
        for start, first in enumerate(text):
            for length in self._lengths.get(first, ()):
                found |= self._terms.get(text[start : start + length], _NO_TERMS)
        return found


def grams(text: str, concepts: Concepts) -> list[str]:
    """Terms of a normalised text: characters, pairs, Latin words and numbers, legal concepts."""
    found = _ASCII.findall(text)
    for run in _HAN.findall(text):
        found += run
        found += map(add, run, run[1:])
    return [*found, *concepts(text)]


@dataclass(frozen=True, slots=True)
class Documents:
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
        norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if self.size else 1.0, 1e-9))
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

    def postings(self, numbering: dict[str, int], start: int) -> tuple[Ints, Ints, Floats, Floats]:
        """Hand over all postings: term as `numbering` has it, document counted from `start`, BM25 weight, idf."""
        numbers = np.array([numbering[term] for term in self.vocabulary], dtype=np.intp)
        counts = np.diff(np.array([0, *self._ends]))
        weights, self._weights = self._weights, np.zeros(0, dtype=np.float32)  # kept once, by whoever asked
        return np.repeat(numbers, counts), self._rows + start, weights, np.repeat(self.idf, counts)


class Fields:
    """Several fields searched in one pass; what a message weighs is measured in the first."""

    def __init__(self, *fields: Field) -> None:
        first = fields[0]
        names = dict.fromkeys(term for field in fields for term in field.vocabulary)
        self.vocabulary = {term: number for number, term in enumerate(names)}
        self._parts = np.cumsum([field.size for field in fields]).tolist()
        starts = [0, *self._parts]
        found = [field.postings(self.vocabulary, start) for field, start in zip(fields, starts, strict=False)]
        terms = np.concatenate([terms for terms, _, _, _ in found])
        rows = np.concatenate([rows for _, rows, _, _ in found])
        bm25 = np.concatenate([weights for _, _, weights, _ in found])
        idfs = np.concatenate([idf for _, _, _, idf in found])
        order = np.argsort(terms, kind="stable")
        self._rows: npt.NDArray[np.int32] = rows[order].astype(np.int32)
        self._weights: Floats = np.stack([bm25, idfs])[:, order]
        ends = np.cumsum(np.bincount(terms, minlength=len(self.vocabulary))).tolist()
        self._slices = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        # A term the first field does not know weighs as the rarest it knows.
        self._rarest = float(np.log1p(first.size + 0.5))
        known = {term: float(idf) for term, idf in zip(first.vocabulary, first.idf, strict=True)}
        self._mass = [known.get(term, self._rarest) for term in self.vocabulary]

    def scores(self, terms: Iterable[str]) -> tuple[float, list[tuple[Floats, Floats]]] | None:
        """What a message weighs, and for every document of each field: BM25, and idf of the distinct shared terms.

        None if no term is known.
        """
        distinct = set(terms)
        known = [number for number in map(self.vocabulary.get, distinct) if number is not None]
        if not known:
            return None
        slices = [self._slices[number] for number in known]
        rows = np.concatenate([self._rows[part] for part in slices])
        weights = np.concatenate([self._weights[:, part] for part in slices], axis=1)
        size = self._parts[-1]
        bm25 = np.bincount(rows, weights[0], size).astype(np.float64, copy=False)
        shared = np.bincount(rows, weights[1], size).astype(np.float64, copy=False)
        mass = sum(self._mass[number] for number in known) + self._rarest * (len(distinct) - len(known))
        cuts = zip([0, *self._parts], self._parts, strict=False)
        return max(mass, LEAST), [(bm25[start:end], shared[start:end]) for start, end in cuts]
