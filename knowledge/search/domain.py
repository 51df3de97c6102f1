"""Is a message about our matters at all? Naive Bayes over pairs of characters: our content against chit-chat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from operator import add
from pathlib import Path

OFF_TOPIC = Path(__file__).parent / "off_topic.txt"
# How far one pair of characters may speak for or against, and what a pair never seen anywhere says.
MOST = 4.0
UNSEEN = -1.0


def off_topic() -> list[str]:
    """Messages that are not ours, written for this purpose."""
    lines = OFF_TOPIC.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pairs(text: str) -> list[str]:
    """Neighbouring characters of a text."""
    return list(map(add, text, text[1:]))


class Domain:
    """Mean log odds that a message is ours rather than chit-chat; about -4 to 4."""

    def __init__(self, occurrences: Callable[[str], int], total: int, theirs: Iterable[str]) -> None:
        """Compare with chit-chat `theirs`, normalised; `occurrences` counts a pair in our texts, `total` all pairs."""
        self._ours = occurrences
        self._our_total = total + 1
        self._theirs = Counter(pair for text in theirs for pair in pairs(text))
        self._their_total = sum(self._theirs.values()) + 1
        self._odds = _Kept(self._worked_out)

    def __call__(self, text: str) -> float:
        """Odds of a normalised message."""
        found = pairs(text) or [text]
        return sum(map(self._odds.__getitem__, found)) / len(found)

    def _worked_out(self, pair: str) -> float | None:
        ours, theirs = self._ours(pair), self._theirs[pair]
        if not ours and not theirs:
            return None
        odds = math.log((ours + 0.5) / self._our_total) - math.log((theirs + 0.5) / self._their_total)
        return max(-MOST, min(MOST, odds))


class _Kept(dict[str, float]):
    """Odds by pair, worked out when first asked for. Pairs never seen are not kept: there is no end of them."""

    def __init__(self, work_out: Callable[[str], float | None]) -> None:
        self._work_out = work_out

    def __missing__(self, pair: str) -> float:
        odds = self._work_out(pair)
        if odds is None:
            return UNSEEN
        self[pair] = odds
        return odds
