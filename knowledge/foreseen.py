"""A pure function that costs less when it is worked out for many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

KEPT = 256


class Foreseen(Generic[K, V]):
    """Remembers what was worked out last; whoever knows what will be asked for says so beforehand.

    Threads may share one: at worst something is worked out twice.
    """

    def __init__(self, work_out: Callable[[Sequence[K]], Sequence[V]], kept: int = KEPT) -> None:
        """`work_out` gives a value for each key, in their order; at most about `kept` values are remembered."""
        self._work_out = work_out
        self._most = kept
        self._known: dict[K, V] = {}

    def __call__(self, key: K) -> V:
        """The value for a key."""
        known = self._known
        return known[key] if key in known else self._learn([key])[key]

    def ahead(self, keys: Iterable[K]) -> None:
        """Work out values that will be asked for soon."""
        known = self._known
        fresh = [key for key in dict.fromkeys(keys) if key not in known]
        if fresh:
            self._learn(fresh)

    def _learn(self, keys: Sequence[K]) -> dict[K, V]:
        found = dict(zip(keys, self._work_out(keys), strict=True))
        # Replaced, never changed: another thread may be reading it.
        self._known = {**self._known, **found} if len(self._known) + len(found) <= self._most else found
        return found
