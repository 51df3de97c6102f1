"""Is a message about our matters at all? Naive Bayes over pairs of characters: our content against chit-chat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from knowledge.search.normalise import normalise

OFF_TOPIC = Path(__file__).parent / "off_topic.txt"
# How far one pair of characters may speak for or against.
MOST = 4.0


def off_topic() -> list[str]:
    """Messages that are not ours, written for this purpose."""
    lines = OFF_TOPIC.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Domain:
    """Mean log odds that a message is ours rather than chit-chat; about -4 to 4."""

    def __init__(self, ours: Iterable[str], theirs: Iterable[str]) -> None:
        mine, other = Counter(_pairs(ours)), Counter(_pairs(theirs))
        mine_total, other_total = sum(mine.values()) + 1, sum(other.values()) + 1
        self._odds = {
            pair: max(
                -MOST,
                min(MOST, math.log((mine[pair] + 0.5) / mine_total) - math.log((other[pair] + 0.5) / other_total)),
            )
            for pair in {*mine, *other}
        }

    def __call__(self, text: str) -> float:
        """Odds of a normalised message; pairs never seen anywhere speak a little against it."""
        pairs = list(_pairs([text])) or [text]
        return sum(self._odds.get(pair, -1.0) for pair in pairs) / len(pairs)


def domain_of(ours: Iterable[str]) -> Domain:
    """Build from our normalised texts and the shipped chit-chat."""
    return Domain(ours, map(normalise, off_topic()))


def _pairs(texts: Iterable[str]) -> Iterable[str]:
    return (text[i : i + 2] for text in texts for i in range(len(text) - 1))
