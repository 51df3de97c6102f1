"""Grow the trees: gradient boosting with one question a level, by Newton steps on the log loss. Maintainers' tool.

Friedman 2001 for the boosting, Prokhorenkova et al. 2018 (CatBoost) for trees that ask one question on a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from knowledge.search.index import Floats, Ints
from knowledge.search.trees import Trees, featured

TREES, DEPTH = 100, 3
RATE = 0.1
RIDGE = 20.0
BINS = 32
# The share of features that a tree may ask about.
SEEN = 0.5


class _Question(NamedTuple):
    feature: int
    place: int
    gain: float


class _Table(msgspec.Struct, frozen=True):
    """Features in bins: `edges[feature][bin]` is the highest value in a bin, but for the last."""

    edges: list[Floats]
    bins: Ints

    @classmethod
    def of(cls, features: Floats) -> _Table:
        shares = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = [np.unique(np.quantile(column, shares)) for column in features.T]
        bins = np.stack([np.searchsorted(edge, column) for edge, column in zip(edges, features.T, strict=True)])
        return cls(edges, bins)

    def best(self, leaf: Ints, count: int, slopes: Floats, bends: Floats, allowed: Ints) -> _Question:
        """The question that, put to all leaves, gains most."""
        return max((self._ask(feature, leaf, count, slopes, bends) for feature in allowed), key=lambda one: one.gain)

    def _ask(self, feature: int, leaf: Ints, count: int, slopes: Floats, bends: Floats) -> _Question:
        cells = leaf * BINS + self.bins[feature]
        slope, bend = (
            np.bincount(cells, what, count * BINS).reshape(count, BINS).cumsum(axis=1) for what in (slopes, bends)
        )
        above, bent = slope[:, -1:] - slope, bend[:, -1:] - bend
        gains = (slope**2 / (bend + RIDGE) + above**2 / (bent + RIDGE)).sum(axis=0)[: len(self.edges[feature])]
        place = int(gains.argmax()) if len(gains) else 0
        return _Question(feature, place, float(gains[place]) if len(gains) else -1.0)


def grow(signals: Sequence[Floats], right: Floats, odds: Floats, seed: int = 0) -> Trees:
    """Trees that mend `odds`, the log odds so far of candidates; `signals` are theirs, pool by pool."""
    table = _Table.of(np.vstack([featured(rows) for rows in signals]))
    chance, odds = np.random.default_rng(seed), odds.copy()
    questions: list[_Question] = []
    leaves = []
    for _ in range(TREES):
        chances = 1 / (1 + np.exp(-odds))
        slopes, bends = right - chances, chances * (1 - chances)
        allowed = chance.permutation(len(table.edges))[: int(len(table.edges) * SEEN)]
        leaf = np.zeros(len(odds), np.intp)
        for level in range(DEPTH):
            questions.append(table.best(leaf, 1 << level, slopes, bends, allowed))
            leaf = leaf * 2 + (table.bins[questions[-1].feature] > questions[-1].place)
        size = 1 << DEPTH
        steps = RATE * np.bincount(leaf, slopes, size) / (np.bincount(leaf, bends, size) + RIDGE)
        odds += steps[leaf]
        leaves.append(tuple(round(float(step), 4) for step in steps))
    cuts = [float(table.edges[one.feature][one.place]) for one in questions]
    return Trees(tuple(int(one.feature) for one in questions), tuple(cuts), tuple(leaves))
