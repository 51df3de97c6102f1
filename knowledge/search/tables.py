"""What search looks things up in, worked out once from the content: plain values that can be kept on disk."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from knowledge.search.index import Concepts, Documents, Field, Floats, Ints, grams
from knowledge.search.meaning import Bytes, Encoder, Vectors, in_bytes, load_vectors
from knowledge.search.normalise import normalise

# What an answer's own words say, beside those of its wordings, when entries are drawn into the pool.
TOLD_WEIGHT = 0.5
# What numbers of terms, entries, places and texts are kept in: half of the memory, and most of the time, goes to them.
NUMBER, TEXT = np.int32, np.int16


class Postings(msgspec.Struct, frozen=True):
    """Which entries a term speaks for, and, one level down, which texts of each of these entries hold it.

    The upper level draws a few entries into the pool; only for them the lower level is looked at, so that weighing up
    every single wording stays cheap however large the content grows.
    """

    # Term by term: the entries it speaks for, and how strongly. The pairs of term number n begin at `begins[n]`.
    begins: Ints
    entries: Ints
    pulls: Floats
    # Pair by pair of term and entry: the texts that hold the term, with BM25 weight and idf. Texts of an entry are
    # counted from 0: its wordings, then, at `width`, all wordings together, and last its answer.
    text_begins: Ints
    texts: Ints
    bm25: Floats
    idf: Floats


class Weighing(msgspec.Struct, frozen=True):
    """How one field weighs its terms, for texts that come later: idf by term number, of a new term, mean length."""

    idf: Floats
    rarest: float
    mean: float


class Tables(msgspec.Struct, frozen=True):
    """All that is worked out from the content."""

    words: bytes  # the terms, one a line, since strings take ten times the memory; a term's number is its place
    weights: Floats  # what each term weighs in a message
    rarest: float  # what a term weighs that nobody has used
    occurrences: Ints  # of each term, in all our texts
    postings: Postings
    # `width` wordings of each entry, normalised; short of that, empty ones of infinite mass.
    width: int
    wordings: list[str]
    masses: Floats
    # The row of each term in the vectors, NOBODY for those that were not learned.
    learned: Ints
    # Where each wording lies by its meaning, in bytes, and what a byte of each is worth; empty ones at 0.
    meanings: Bytes
    worths: Floats
    # The concepts that the wordings of each entry speak of.
    concepts: list[frozenset[str]]
    # Wordings one by one, wordings of an entry together, answers.
    fields: tuple[Weighing, Weighing, Weighing]

    @property
    def terms(self) -> list[str]:
        """All terms, by their numbers."""
        return self.words.decode().split("\n") if self.words else []


class _Part(msgspec.Struct, frozen=True):
    """A field as part of the postings: whose its documents are, which text of theirs, how strongly they pull."""

    of: Field
    owners: Ints
    texts: Ints
    pull: float = 0.0


def work_out(base: KnowledgeBase, vectors: Vectors | None = None) -> Tables:
    """Index a knowledge base; `vectors` are the committed ones unless others are given."""
    entries = list(base.entries.values())
    counts = [len(entry.wordings) for entry in entries]
    width, every = max(counts, default=1), np.arange(len(entries))
    owners = np.repeat(every, counts)
    slots = np.array([slot for count in counts for slot in range(count)], np.intp)
    wordings = [normalise(wording) for entry in entries for wording in entry.wordings]
    concepts = Concepts(base.lexicon)
    documents = Documents.of(grams(wording, concepts) for wording in wordings)
    asked, gathered = Field(documents), Field(documents, owners)
    told = Field(Documents.of(grams(whole_text(entry), concepts) for entry in entries))
    names = list(dict.fromkeys([*asked.vocabulary, *told.vocabulary]))
    numbering = {term: number for number, term in enumerate(names)}
    parts = (
        _Part(asked, owners, slots),
        _Part(gathered, every, np.full(len(entries), width), 1.0),
        _Part(told, every, np.full(len(entries), width + 1), TOLD_WEIGHT),
    )
    # A term the wordings do not know weighs as the rarest they know.
    rarest = float(np.log1p(asked.size + 0.5))
    known = dict(zip(asked.vocabulary, asked.idf.tolist(), strict=True))
    masses = np.full(len(entries) * width, np.inf)
    masses[owners * width + slots] = asked.masses
    padded = np.full(len(masses), "", object)
    padded[owners * width + slots] = wordings
    vectors = vectors or load_vectors()
    meanings, worths = np.zeros((len(masses), vectors.size), np.int8), np.zeros(len(masses), np.float32)
    # The terms of wordings are numbered first, and alike in field and tables.
    learned = vectors.rows_of(names)
    placed = in_bytes(Encoder(vectors, learned).many(*_bags(documents)))
    meanings[owners * width + slots], worths[owners * width + slots] = placed
    return Tables(
        words="\n".join(names).encode(),
        weights=np.array([known.get(term, rarest) for term in names]),
        rarest=rarest,
        occurrences=np.array([asked.occurrences(term) + told.occurrences(term) for term in names], np.intp),
        postings=_postings(numbering, max(len(entries), 1), parts),
        width=width,
        wordings=padded.tolist(),
        masses=masses,
        learned=learned,
        meanings=meanings.ravel(),
        worths=worths,
        concepts=_concepts(gathered),
        fields=(_weighing(asked, names), _weighing(gathered, names), _weighing(told, names)),
    )


def _weighing(field: Field, names: Sequence[str]) -> Weighing:
    rarest = float(np.log1p(field.size + 0.5))
    known = dict(zip(field.vocabulary, field.idf.tolist(), strict=True))
    return Weighing(np.array([known.get(term, rarest) for term in names], np.float32), rarest, field.mean)


def _bags(documents: Documents) -> tuple[Ints, Ints]:
    """The different terms of each document, one after the other, and where those of each begin."""
    size = max(len(documents.vocabulary), 1)
    rows = np.repeat(np.arange(len(documents.lengths)), documents.lengths)
    keys = np.unique(rows * size + documents.terms)
    return keys % size, np.searchsorted(keys, np.arange(len(documents.lengths) + 1) * size)


def _postings(numbering: dict[str, int], size: int, fields: Sequence[_Part]) -> Postings:
    """Both levels of postings. Fields that do not pull only tell about entries that others draw."""
    found = [field.of.postings(numbering) for field in fields]
    keys = [terms * size + field.owners[rows] for field, (terms, rows, _, _) in zip(fields, found, strict=True)]
    pairs = np.unique(np.concatenate([key for field, key in zip(fields, keys, strict=True) if field.pull]))
    pulls = np.zeros(len(pairs))
    parts = []
    for field, key, (_, rows, bm25, idf) in zip(fields, keys, found, strict=True):
        place = np.searchsorted(pairs, key).clip(max=max(len(pairs) - 1, 0))
        kept = pairs[place] == key
        parts.append((place[kept], field.texts[rows[kept]], bm25[kept], idf[kept]))
        pulls += field.pull * np.bincount(place[kept], bm25[kept], len(pairs))
    whose, texts, bm25, idf = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(whose, kind="stable")
    return Postings(
        begins=np.searchsorted(pairs, np.arange(len(numbering) + 1) * size).astype(NUMBER),
        entries=(pairs % size).astype(NUMBER),
        pulls=pulls.astype(np.float32),
        text_begins=np.searchsorted(whose[order], np.arange(len(pairs) + 1)).astype(NUMBER),
        texts=texts[order].astype(TEXT),
        bm25=bm25[order],
        idf=idf[order],
    )


def _concepts(gathered: Field) -> list[frozenset[str]]:
    known: list[set[str]] = [set() for _ in range(gathered.size)]
    for term in gathered.vocabulary:
        if term.startswith("@"):
            for number in gathered.rows(term):
                known[number].add(term)
    return [frozenset(terms) for terms in known]


def whole_text(entry: Entry) -> str:
    """Question and answer as one searchable text, line by line so that none of it is cut as a long message would be."""
    parts = [entry.question, *entry.answer.splitlines(), *entry.more.splitlines()]
    return " ".join(normalise(part) for part in parts)
