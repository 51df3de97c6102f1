"""Texts as points: every term we know has a small vector, and a text lies where its terms lie together.

The vectors are learned (`learn.py`): texts that ask for the same entry lie close, whatever words they choose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from functools import lru_cache
from io import BytesIO
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from knowledge.search.index import Concepts, Floats, Ints, grams
from knowledge.search.vocabulary import NOBODY, Vocabulary

VECTORS = Path(__file__).parent / "vectors.npz"
LEAST = 1e-6
Bytes = npt.NDArray[np.int8]
_NO_CONCEPTS = Concepts({})
# How many numbers are worked on at once when all wordings are placed.
CHUNK = 2048


class Vectors(msgspec.Struct, frozen=True):
    """What was learned: a row for each term and each entry, in bytes; what a byte is worth differs by row."""

    words: bytes  # the terms, one a line: as strings they would take more memory than the rows
    rows: Bytes
    worth: Floats
    entries: list[str]
    places: Bytes

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return int(self.rows.shape[1])

    @property
    def terms(self) -> list[str]:
        """The term of each row."""
        return self.words.decode().split("\n") if self.words else []

    def rows_of(self, terms: Sequence[str]) -> Ints:
        """The row of each term; NOBODY for those that were not learned."""
        return Vocabulary(self.terms)(terms)

    @property
    def name(self) -> str:
        """Tells these vectors from any others."""
        return hashlib.blake2b(self.rows.tobytes(), digest_size=8).hexdigest()


def no_vectors() -> Vectors:
    """Nothing learned: every text lies nowhere, and search goes by words alone."""
    return Vectors(b"", np.zeros((1, 1), np.int8), np.zeros(1, np.float32), [], np.zeros((0, 1), np.int8))


def only(vectors: Vectors, terms: Container[str]) -> Vectors:
    """What was learned of `terms`: others are in no text of ours, and search does not know them."""
    names = vectors.terms
    kept = [row for row, term in enumerate(names) if term in terms]
    words = "\n".join([names[row] for row in kept]).encode()
    return replace(vectors, words=words, rows=vectors.rows[kept], worth=vectors.worth[kept])


class Encoder:
    """Places texts; a text is given by the numbers of its terms, as the tables of search count them."""

    def __init__(self, vectors: Vectors, found: Ints) -> None:
        """`found` is the row of each term, see `Vectors.rows_of`."""
        self._row: Ints = found.clip(0)
        self._rows: Bytes = vectors.rows
        # Terms that were not learned are worth nothing, whatever row they point to.
        self._worth: Floats = np.where(found == NOBODY, np.float32(0), vectors.worth.take(self._row))[:, None]

    def __call__(self, numbers: Ints) -> Floats:
        """The place of one text: a vector of length 1, or of zeros if none of its terms was learned."""
        rows = self._row.take(numbers)
        found: Floats = (self._rows.take(rows, axis=0) * self._worth.take(numbers, axis=0)).sum(axis=0)
        return found / max(float(np.sqrt(found @ found)), LEAST)

    def many(self, numbers: Ints, begins: Ints) -> Floats:
        """Places of many texts; the terms of text number n begin at `begins[n]`, and none is empty."""
        found: Floats = np.empty((len(begins) - 1, self._rows.shape[1]), np.float32)
        for first in range(0, len(found), CHUNK):
            edges = begins[first : first + CHUNK + 1]
            chosen = numbers[edges[0] : edges[-1]]
            terms = self._rows.take(self._row.take(chosen), axis=0) * self._worth.take(chosen, axis=0)
            np.add.reduceat(terms, edges[:-1] - edges[0], axis=0, out=found[first : first + CHUNK])
        return unit(found)


class Places:
    """Places any text by whatever was learned of its characters and words, whether or not our texts hold them."""

    def __init__(self, vectors: Vectors) -> None:
        self._rows = Vocabulary(vectors.terms)
        self._encoder = Encoder(vectors, np.arange(len(vectors.rows)))
        self.size = vectors.size

    def __call__(self, text: str) -> Floats:
        """A vector of length 1, or of zeros if nothing of the text was learned."""
        place: Floats = self.many([text])[0]
        return place

    def many(self, texts: Sequence[str]) -> Floats:
        """The same of many texts, a row each."""
        terms = [dict.fromkeys(grams(text, _NO_CONCEPTS)) for text in texts]
        numbers = self._rows(list(chain.from_iterable(terms)))
        known = (numbers != NOBODY).nonzero()[0]
        counts = np.bincount(np.arange(len(texts)).repeat(list(map(len, terms))).take(known), minlength=len(texts))
        rows = counts.nonzero()[0]
        found: Floats = np.zeros((len(texts), self.size), np.float32)
        if len(rows):
            found[rows] = self._encoder.many(numbers.take(known), np.array([0, *counts.take(rows).cumsum()]))
        return found


def unit(rows: Floats) -> Floats:
    """Rows brought to length 1; rows of zeros stay what they are."""
    found: Floats = rows / np.maximum(np.sqrt(np.einsum("ij,ij->i", rows, rows)), LEAST)[:, None]
    return found


def in_bytes(rows: Floats) -> tuple[Bytes, Floats]:
    """Rows rounded to bytes, and what a byte of each row is worth."""
    worth = (np.abs(rows).max(axis=1, initial=0) / 127).clip(LEAST).astype(np.float32)
    return np.rint(rows / worth[:, None]).astype(np.int8), worth


def write(vectors: Vectors, path: Path = VECTORS) -> None:
    """Keep vectors as data that holds no code."""
    terms, entries = (np.frombuffer(words, np.uint8) for words in (vectors.words, "\n".join(vectors.entries).encode()))
    buffer = BytesIO()
    np.savez_compressed(
        buffer, terms=terms, rows=vectors.rows, worth=vectors.worth, entries=entries, places=vectors.places
    )
    path.write_bytes(buffer.getvalue())


@lru_cache(maxsize=1)
def load_vectors(path: Path = VECTORS) -> Vectors:
    """Read the committed vectors; read once, since search and the ear for danger both use them."""
    with np.load(path, allow_pickle=False) as kept:
        entries = kept["entries"].tobytes().decode().split("\n")
        return Vectors(kept["terms"].tobytes(), kept["rows"], kept["worth"], entries, kept["places"])
