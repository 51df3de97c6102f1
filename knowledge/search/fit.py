"""Learn the mixer from labelled real questions, and measure it by cross-validation. Maintainers' tool."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from knowledge.search.domain import off_topic
from knowledge.search.index import Floats
from knowledge.search.mixer import CUES, SIGNALS, Head, Message, Mixer, cues
from knowledge.search.normalise import normalise
from knowledge.search.pool import Index
from knowledge.search.rank import MOST_CHOICES

LABELS = Path(__file__).parent / "labels.tsv"
# Chit-chat is short, and so are the barest questions: whether a message is ours must not hang on its length.
_WITHOUT_LENGTH = np.array([name not in {"length", "lead", "share"} for name in CUES], dtype=np.float64)
BARE = 8
FOLDS = 5
ROUNDS = 400


@dataclass(frozen=True, slots=True)
class Example:
    """A question with the entry that should answer it: "" if none does, None if it is not about our matters."""

    id: str
    text: str
    entry: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An example with its candidates; `gold` is the row of the right one, -1 if it is not among them."""

    example: Example
    ids: list[str]
    signals: Floats
    gold: int
    message: Message


@dataclass(frozen=True, slots=True)
class Judged:
    """How one held-out question came out."""

    example: Example
    ranked: list[str]
    right: float
    among: float
    about_us: bool
    verdict: str


def prepare(index: Index, examples: Sequence[Example]) -> list[Prepared]:
    """Signals of every example; those that match nothing at all are left out."""
    ready = []
    for example in examples:
        text = normalise(example.text)
        pool = index.pool(text)
        if pool is None:
            continue
        ids = [index.entries[number].id for number in pool.numbers]
        gold = ids.index(example.entry) if example.entry in ids else -1
        ready.append(Prepared(example, ids, pool.signals, gold, Message(len(text), pool.domain)))
    return ready


def bare_wordings(index: Index) -> list[Prepared]:
    """Our own shortest wordings, each searched as if it were not there: what the barest questions look like."""
    ready = []
    for place, text in enumerate(index.tables.wordings):
        pool = index.pool(text, without=place) if 0 < len(text) <= BARE else None
        if pool is not None:
            entry = index.entries[place // index.tables.width].id
            ready.append(
                Prepared(Example(f"own-{place}", text, entry), [], pool.signals, -1, Message(len(text), pool.domain))
            )
    return ready


def fit(ready: Sequence[Prepared], thresholds: Mixer, bare: Sequence[Prepared] = ()) -> Mixer:
    """Weights by conditional logistic regression, then the three heads on top of them."""
    weights = _mix([(row.signals, row.gold) for row in ready if row.gold >= 0])
    found, right, among = [], [], []
    for row in ready:
        scores = row.signals @ weights
        order = list(np.argsort(-scores, kind="stable"))
        found.append(cues(row.signals, scores.tolist(), row.message))
        right.append(float(row.gold >= 0 and order[0] == row.gold))
        among.append(float(row.gold >= 0 and row.gold in order[:MOST_CHOICES]))
    matrix = np.array(found, dtype=np.float64)
    return Mixer(
        tuple(round(float(w), 4) for w in weights),
        _logistic(matrix, np.array(right)),
        _logistic(matrix, np.array(among)),
        _gate([*ready, *bare], weights),
        thresholds.answer_from,
        thresholds.choices_from,
        thresholds.ours_from,
        thresholds.sure_from,
        thresholds.context,
    )


def _gate(ready: Sequence[Prepared], weights: Floats) -> Head:
    """Whether a message is ours at all: learned from real questions, our barest wordings, and chit-chat."""
    found = np.array([cues(row.signals, (row.signals @ weights).tolist(), row.message) for row in ready])
    ours = np.array([float(row.example.entry is not None) for row in ready])
    return _logistic(found * _WITHOUT_LENGTH, ours, balance=True)


def _mix(rows: Sequence[tuple[Floats, int]]) -> Floats:
    """Maximise the softmax share of the right candidate; L2, plain gradient steps with momentum (Adam)."""
    widest = max(len(signals) for signals, _ in rows)
    cube = np.zeros((len(rows), widest, len(SIGNALS)))
    mask = np.full((len(rows), widest), -1e9)
    gold = np.array([g for _, g in rows])
    for i, (signals, _) in enumerate(rows):
        cube[i, : len(signals)], mask[i, : len(signals)] = signals, 0.0
    target = cube[np.arange(len(rows)), gold]
    weights, first, second = np.ones(len(SIGNALS)), np.zeros(len(SIGNALS)), np.zeros(len(SIGNALS))
    for step in range(1, ROUNDS + 1):
        scores = cube @ weights + mask
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        gradient = (np.einsum("ij,ijk->ik", shares, cube) - target).mean(0) + 1e-3 * weights
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        weights = weights - 0.1 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return weights


def _logistic(matrix: Floats, labels: Floats, *, balance: bool = False) -> Head:
    """Logistic regression by Newton steps with a light ridge; `balance` weighs both classes alike."""
    wide = np.hstack([matrix, np.ones((len(matrix), 1))])
    share = labels.mean() if 0 < labels.mean() < 1 else 0.5
    weigh = np.where(labels > 0, 0.5 / share, 0.5 / (1 - share)) if balance else np.ones(len(labels))
    beta = np.zeros(wide.shape[1])
    ridge = np.eye(wide.shape[1]) * 0.5
    for _ in range(30):
        p = 1 / (1 + np.exp(-wide @ beta))
        curve = (wide * (weigh * p * (1 - p))[:, None]).T @ wide + ridge
        beta = beta - np.linalg.solve(curve, wide.T @ (weigh * (p - labels)) + ridge @ beta)
    return Head(tuple(round(float(b), 4) for b in beta[: len(CUES)]), round(float(beta[-1]), 4))


def cross_validate(ready: Sequence[Prepared], thresholds: Mixer, bare: Sequence[Prepared] = ()) -> list[Judged]:
    """Every question judged by a mixer that has not seen it."""
    judged = []
    for fold in range(FOLDS):
        mixer = fit([row for i, row in enumerate(ready) if i % FOLDS != fold], thresholds, bare)
        judged += [judge(row, mixer) for i, row in enumerate(ready) if i % FOLDS == fold]
    return judged


def judge(row: Prepared, mixer: Mixer) -> Judged:
    """Apply a mixer to a prepared question."""
    judged = mixer.judge(row.signals, row.message)
    found = cues(row.signals, mixer.scores(row.signals), row.message)
    return Judged(
        row.example,
        [row.ids[i] for i in judged.order],
        judged.confidences[0],
        mixer.among(found),
        judged.about_us,
        judged.verdict,
    )


def read_examples(questions: Path, known: Container[str]) -> list[Example]:
    """Labelled real questions (texts from `questions`, labels ours) and off-topic messages, in a fixed shuffle.

    A question whose entry is not written yet has no right answer here, which is what confidence must learn, too.
    """
    texts = {}
    for line in questions.read_text(encoding="utf-8").splitlines():
        row = msgspec.json.decode(line)
        texts[row["id"]] = row["question"]
    found = [Example(f"off-{n}", text, None) for n, text in enumerate(off_topic())]
    for line in _lines(LABELS):
        number, entry = line.split("\t")
        if number in texts:
            found.append(Example(number, texts[number], entry if entry in known else ""))
    return sorted(found, key=lambda example: hashlib.sha256(example.id.encode()).digest())


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def report(judged: Sequence[Judged]) -> dict[str, float]:
    """Cross-validated figures; `answered right` counts every answer given, also to questions without an entry."""
    ours = [one for one in judged if one.example.entry is not None]
    covered = [one for one in ours if one.example.entry]
    answered = [one for one in ours if one.verdict == "answer"]
    offered = [one for one in covered if one.verdict == "choices"]
    foreign = [one for one in judged if one.example.entry is None]

    def share(hits: int, of: Sequence[Judged]) -> float:
        return round(hits / len(of), 4) if of else 0.0

    return {
        "questions": len(ours),
        "with an entry": len(covered),
        "hit@1": share(sum(one.ranked[0] == one.example.entry for one in covered), covered),
        "hit@3": share(sum(one.example.entry in one.ranked[:3] for one in covered), covered),
        "share answered": share(len([one for one in covered if one.verdict == "answer"]), covered),
        "answered right": share(sum(one.ranked[0] == one.example.entry for one in answered), answered),
        "share offered choices": share(len(offered), covered),
        "choices hold the right one": share(
            sum(one.example.entry in one.ranked[:MOST_CHOICES] for one in offered), offered
        ),
        "off-topic refused": share(sum(one.verdict == "none" for one in foreign), foreign),
        "ours taken for off-topic": share(sum(not one.about_us for one in covered), covered),
    }
