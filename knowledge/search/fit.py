"""Learn the mixer from rehearsed examples. Maintainers' tool."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec.structs import replace

from knowledge.search.examples import FOLDS, Example
from knowledge.search.grow import grow
from knowledge.search.index import Floats
from knowledge.search.mixer import CUES, SIGNALS, Head, Mixer, cues, odds
from knowledge.search.rank import MOST_CHOICES
from knowledge.search.rehearsal import Prepared

# Chit-chat is short, and so are the barest questions: whether a message is ours must not hang on its length.
_WITHOUT_LENGTH = np.array([name not in {"length", "lead", "share"} for name in CUES], dtype=np.float64)
ROUNDS = 400


class Judged(msgspec.Struct, frozen=True):
    """How one held-out question came out."""

    example: Example
    ranked: list[str]
    right: float
    among: float
    ours: float
    about_us: bool
    verdict: str


def fit(rows: Sequence[Prepared], settings: Mixer) -> Mixer:
    """Weights by conditional logistic regression, trees on top of them, then three heads; thresholds as in `settings`."""
    ready = [row for row in rows if not row.bare]
    asked = [row for row in ready if row.example.right is not None]
    weights = _mix([row for row in ready if row.gold.any()])
    so_far = [odds((row.signals @ weights).tolist()) for row in asked]
    trees = grow([row.signals for row in asked], np.concatenate([row.gold for row in asked]), np.concatenate(so_far))
    mixer = replace(settings, weights=tuple(round(float(w), 4) for w in weights), trees=trees)
    found, right, among = [], [], []
    for row in ready:
        scores = mixer.score(row.signals).scores
        order = np.argsort(-np.array(scores), kind="stable")
        found.append(cues(row.signals, scores, row.message))
        right.append(float(row.gold[order[0]]))
        among.append(float(row.gold[order[:MOST_CHOICES]].any()))
    matrix = np.array(found, dtype=np.float64)
    return replace(
        mixer,
        right=_logistic(matrix, np.array(right)),
        among=_logistic(matrix, np.array(among)),
        ours=_gate(rows, mixer),
    )


def _gate(rows: Sequence[Prepared], mixer: Mixer) -> Head:
    """Whether a message is ours at all: learned from real questions, our barest wordings, and chit-chat."""
    found = np.array([cues(row.signals, mixer.score(row.signals).scores, row.message) for row in rows])
    ours = np.array([float(row.example.right is not None) for row in rows])
    return _logistic(found * _WITHOUT_LENGTH, ours, balance=True)


def _mix(rows: Sequence[Prepared]) -> Floats:
    """Maximise the softmax share of the right candidates; L2, plain gradient steps with momentum (Adam)."""
    widest = max(len(row.signals) for row in rows)
    cube = np.zeros((len(rows), widest, len(SIGNALS)))
    mask = np.full((len(rows), widest), -1e9)
    gold = np.zeros((len(rows), widest))
    for i, row in enumerate(rows):
        count = len(row.signals)
        cube[i, :count], mask[i, :count], gold[i, :count] = row.signals, 0.0, row.gold
    weights, first, second = np.ones(len(SIGNALS)), np.zeros(len(SIGNALS)), np.zeros(len(SIGNALS))
    for step in range(1, ROUNDS + 1):
        scores = cube @ weights + mask
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        wanted = shares * gold
        wanted /= wanted.sum(1, keepdims=True) + 1e-12
        gradient = np.einsum("ij,ijk->k", shares - wanted, cube) / len(rows) + 1e-3 * weights
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


def cross_validate(rows: Sequence[Prepared], settings: Mixer) -> list[Judged]:
    """Every question judged by a mixer that has not seen it."""
    judged = []
    for fold in range(FOLDS):
        mixer = fit([row for row in rows if row.example.fold != fold], settings)
        judged += [judge(row, mixer) for row in rows if row.example.fold == fold and not row.bare]
    return judged


def judge(row: Prepared, mixer: Mixer) -> Judged:
    """Apply a mixer to a prepared question."""
    judged = mixer.judge(mixer.score(row.signals), row.message)
    return Judged(
        row.example,
        [row.ids[i] for i in judged.order],
        judged.confidences[0],
        judged.among,
        judged.ours,
        judged.about_us,
        judged.verdict,
    )
