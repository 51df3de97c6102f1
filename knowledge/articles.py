"""Full texts of laws, where a county has them: the one article that a message plainly is about, and what it says.

A folder of text files, one a law. Line 1: its full name. Line 2: fields such as `effective: 2021-01-01` and
`status: in force`, two blanks between them. Then an article a line: number, tab, text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from knowledge.cache import keep, kept, stamp
from knowledge.load import ContentError
from knowledge.search.normalise import normalise

SUFFIX = ".articles"
K1, B = 1.2, 0.75
# What stands in more articles than this share tells them apart little and costs most of the time.
COMMON = 0.1
# How far the first article must lead the second, by what all of the message's words weigh together. Measured on real
# questions that have no entry of their own: seven of eight articles that lead so far are the right ones.
LEAD = 0.14
_FIELD = re.compile(r"(\w+): (\S.*?)(?=  |$)")
_KEEP = re.compile(r"[^0-9a-z一-鿿㐀-䶿]+")
Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint64]


class Law(msgspec.Struct, frozen=True):
    """A law in force: short name as files and citations have it, full name, since when."""

    name: str
    title: str
    effective: date


class Article(NamedTuple):
    """One article, ready to be shown."""

    law: Law
    number: str
    text: str

    @property
    def cite(self) -> str:
        """`<law>第X条`, as entries cite it."""
        return f"{self.law.name}{self.number}"


class Tables(msgspec.Struct, frozen=True):
    """All articles, and an inverted index over their characters and pairs with BM25 weights worked out ahead."""

    laws: list[Law]
    owners: list[int]  # the law of each article
    numbers: list[str]
    texts: list[str]
    terms: Keys  # sorted; the postings of terms[n] begin at begins[n]
    idf: Floats
    begins: npt.NDArray[np.int64]
    articles: Ints
    weights: Floats


@dataclass(frozen=True)
class Articles:
    """Finds articles by what a message says, or by their number."""

    tables: Tables

    def plain(self, message: str, day: date) -> Article | None:
        """The article that a message plainly is about, of a law in force on `day`; None if none stands out."""
        first, lead = self.first(message)
        if first is None or lead < LEAD:
            return None
        found = self._article(first)
        return found if found.law.effective <= day else None

    def first(self, message: str) -> tuple[int | None, float]:
        """The article with most in common with a message, and how far it leads, by the weight of the message."""
        asked = np.unique(_terms(_codes(normalise(message))))
        places = np.searchsorted(self.tables.terms, asked)
        places = places[self.tables.terms[np.minimum(places, len(self.tables.terms) - 1)] == asked]
        if not len(places):
            return None, 0.0
        scores = np.zeros(len(self.tables.texts), np.float32)
        for place in places:
            some = slice(self.tables.begins[place], self.tables.begins[place + 1])
            scores[self.tables.articles[some]] += self.tables.weights[some]
        unknown = (len(asked) - len(places)) * np.log1p(len(scores))
        mass = float(self.tables.idf[places].sum() + unknown)
        best = int(scores.argmax())
        top, scores[best] = float(scores[best]), 0.0
        return best, (top - float(scores.max())) / max(mass, 1e-6)

    def get(self, cite: str) -> Article | None:
        """The article of a citation such as 民法典第五百条."""
        place = self._by_cite.get(cite)
        return None if place is None else self._article(place)

    def _article(self, place: int) -> Article:
        tables = self.tables
        return Article(tables.laws[tables.owners[place]], tables.numbers[place], tables.texts[place])

    @cached_property
    def _by_cite(self) -> dict[str, int]:
        tables = self.tables
        pairs = zip(tables.owners, tables.numbers, strict=True)
        return {f"{tables.laws[owner].name}{number}": place for place, (owner, number) in enumerate(pairs)}


def read_articles(folder: Path, cache: Path | None = None) -> Articles:
    """Read and index the laws in force below a folder, or take them from the cache; ContentError on a bad file."""
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise ContentError(f"{folder}: no texts of laws here")
    name = stamp([*files, Path(__file__)]) + SUFFIX
    known = kept(cache, name, Tables)
    if known is None:
        known = index(list(_laws(files)))
        keep(cache, name, known)
    return Articles(known)


def _laws(files: list[Path]) -> Iterator[tuple[Law, list[tuple[str, str]]]]:
    for file in files:
        try:
            title, head, *lines = file.read_text(encoding="utf-8").splitlines()
            fields = dict(_FIELD.findall(head))
            law = Law(file.stem, title, date.fromisoformat(fields["effective"]))
        except (OSError, UnicodeDecodeError, ValueError, KeyError) as error:
            raise ContentError(f"{file}: not a text of a law ({error})") from error
        if fields.get("status") == "in force":
            rows = [line.partition("\t") for line in lines if "\t" in line]
            yield law, [(number, text) for number, _, text in rows]


def index(laws: list[tuple[Law, list[tuple[str, str]]]]) -> Tables:
    """Work out the index over law name and text of all articles."""
    owners = [owner for owner, (_, rows) in enumerate(laws) for _ in rows]
    numbers = [number for _, rows in laws for number, _ in rows]
    texts = [text for _, rows in laws for _, text in rows]
    documents = [_terms(_codes(_plain(laws[owner][0].name + text))) for owner, text in zip(owners, texts, strict=True)]
    lengths = np.array([len(document) for document in documents])
    rows = np.repeat(np.arange(len(texts)), lengths)
    terms, of = np.unique(np.concatenate(documents), return_inverse=True)
    size = max(len(texts), 1)
    keys, often = np.unique(of.astype(np.int64) * size + rows, return_counts=True)
    of, rows = keys // size, keys % size
    spread = np.bincount(of, minlength=len(terms))
    idf = np.log1p((size - spread + 0.5) / (spread + 0.5))
    idf[spread > max(COMMON * size, 5)] = 0.0
    norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1.0))
    used = idf[of] > 0
    of, rows, often = of[used], rows[used], often[used]
    weights = idf[of] * often * (K1 + 1) / (often + norm[rows])
    return Tables(
        [law for law, _ in laws],
        owners,
        numbers,
        texts,
        terms,
        idf.astype(np.float32),
        np.searchsorted(of, np.arange(len(terms) + 1)),
        rows.astype(np.int32),
        weights.astype(np.float32),
    )


def _plain(text: str) -> str:
    return _KEEP.sub("", unicodedata.normalize("NFKC", text).lower())


def _codes(text: str) -> Keys:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)


def _terms(codes: Keys) -> Keys:
    """Characters and pairs of them, as numbers."""
    return np.concatenate([codes, (codes[:-1] << np.uint64(32)) | codes[1:]])
