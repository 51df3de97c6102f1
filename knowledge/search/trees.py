"""Small trees over the signals of candidates: what no weighted sum can say, such as a good lead that only words give.

All trees have the same depth, and on each level of one the same question, so that a few array operations ask them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import msgspec
import numpy as np

from knowledge.search.index import Floats, Ints


class Trees(msgspec.Struct, frozen=True, dict=True):
    """Questions (is this feature above that?), level by level of tree after tree, and what the leaves of each add."""

    features: tuple[int, ...] = ()
    cuts: tuple[float, ...] = ()
    leaves: tuple[tuple[float, ...], ...] = ()

    def __call__(self, signals: Floats, begins: Sequence[int] = (0,)) -> Floats:
        """What all trees add to the log odds of each candidate, given its row of signals.

        Those of several messages may stand one after the other, each message from one of `begins` on.
        """
        if not self.leaves:
            return np.zeros(len(signals))
        above = featured(signals, begins).take(self._features, axis=1) > self._cuts
        reached: Ints = above.reshape(len(signals), len(self.leaves), -1) @ self._places
        found: Floats = self._leaves.take(reached + self._first).sum(axis=1)
        return found

    @cached_property
    def _features(self) -> Ints:
        return np.array(self.features, np.intp)

    @cached_property
    def _cuts(self) -> Floats:
        return np.array(self.cuts)

    @cached_property
    def _leaves(self) -> Floats:
        return np.array(self.leaves).ravel()

    @cached_property
    def _places(self) -> Ints:
        """What a yes on each level is worth in the number of a leaf."""
        depth = len(self.features) // len(self.leaves)
        return 1 << np.arange(depth)[::-1]

    @cached_property
    def _first(self) -> Ints:
        return np.arange(len(self.leaves)) * len(self.leaves[0])


def featured(signals: Floats, begins: Sequence[int] = (0,)) -> Floats:
    """What trees ask about: each signal of a candidate, and how far it is behind the best of all of its message."""
    behind = signals.copy()
    for begin, end in pairwise([*begins, len(signals)]):
        behind[begin:end] -= np.maximum.reduce(signals[begin:end])
    return np.concatenate([signals, behind], axis=1)
