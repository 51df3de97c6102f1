"""What people ask: entries of the base, few of them often, with the seasons of the countryside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from bot.service.demo import words
from knowledge.entry import Entry

_KINDS = {"legal": 0.70, "petition": 0.10, "approval": 0.20}
# Months in which a subject comes up half as often again.
_SEASONS = {
    "wages": {1, 11, 12},
    "labour": {1, 2, 12},
    "land": {3, 4, 5, 10},
    "approval.farming": {3, 4, 5},
    "consumer": {6, 11, 12},
    "traffic": {7, 8, 10},
    "marriage": {2, 3},
    "debt": {1, 12},
    "lease": {6, 7},
}
# How often a subject is asked about, where it is not as often as others.
_SIZES = {
    "wages": 5, "labour": 2, "injury": 2, "marriage": 1.6, "debt": 2, "land": 1.6, "traffic": 1.6, "inheritance": 1.3,
    "household": 0.5, "ip": 0.1, "business": 0.5, "crime": 0.5, "corrections": 0.3, "environment": 0.5, "litigation": 0.7,
    "approval.people": 1.3, "approval.construction": 0.4, "approval.packages": 0.6,
}  # fmt: skip
_STEEP = 0.9
_MORE = 1.5


@dataclass(frozen=True)
class Matters:
    """Entries, with how often each is asked in each month (weights summed up, for choosing)."""

    entries: tuple[Entry, ...]
    months: tuple[tuple[float, ...], ...]

    def choose(self, random: Random, month: int) -> Entry:
        """An entry somebody asks in this month."""
        return random.choices(self.entries, cum_weights=self.months[month - 1])[0]


def matters(random: Random, entries: Sequence[Entry]) -> Matters:
    """Give every entry its share: within a kind the n-th most asked is asked about 1/n as often as the first."""
    chosen: list[Entry] = []
    shares: list[float] = []
    for kind, share in _KINDS.items():
        mine = sorted((one for one in entries if one.kind == kind), key=lambda one: one.id)
        # Not by the year's dice: from year to year people ask much the same.
        Random(kind).shuffle(mine)  # noqa: S311 - dice, not secrets
        ranks = [_SIZES.get(one.category, 1) / (place + 9) ** _STEEP for place, one in enumerate(mine)]
        ranks = [rank * random.uniform(0.8, 1.25) for rank in ranks]
        chosen += mine
        shares += [share * rank / sum(ranks) for rank in ranks]
    months = []
    for month in range(1, 13):
        weighted = (
            weight * (_MORE if month in _SEASONS.get(entry.category, ()) else 1)
            for entry, weight in zip(chosen, shares, strict=True)
        )
        months.append(tuple(accumulate(weighted)))
    return Matters(tuple(chosen), tuple(months))


def asked(random: Random, entry: Entry) -> str:
    """The entry's question as somebody might type it."""
    text = random.choice(entry.wordings)
    if text[-1] in "？?。":
        return random.choice(words.OPENINGS) + text
    return random.choice(words.OPENINGS) + text + random.choice(words.ENDINGS)
