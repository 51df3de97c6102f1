"""The learned part of ranking: weights that mix the signals, and calibrated confidence. Data, rebuilt by `fit`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from knowledge.search.index import Floats

WEIGHTS = Path(__file__).parent / "weights.json"

SIGNALS = (
    "bm25",
    "bm25_second",
    "ratio",
    "cosine",
    "contained",
    "covered",
    "told",
    "told_covered",
    "mean",
    "gathered",
    "gathered_covered",
    "exact",
    "concepts",
)
# What confidence looks at: the lead over the second, and how well the first fits in itself.
CUES = (
    "share",
    "lead",
    "score",
    "bm25",
    "ratio",
    "cosine",
    "covered",
    "contained",
    "told_covered",
    "gathered",
    "gathered_covered",
    "concepts",
    "length",
    "domain",
)


Verdict = Literal["answer", "choices", "none"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Candidate numbers best first, their confidences, the verdict, and whether the message is ours."""

    order: list[int]
    confidences: list[float]
    verdict: Verdict
    ours: float
    about_us: bool


# Confidence in a wording to the letter.
SETTLED = 0.99


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of a message besides its candidates.

    Length of the normalised text, log odds that it is ours, whether the first candidate is it to the letter.
    """

    length: int
    domain: float
    settled: bool = False


class Head(msgspec.Struct, frozen=True):
    """A logistic regression over CUES."""

    weights: tuple[float, ...]
    bias: float

    def __call__(self, cues: Floats) -> float:
        """A probability, 0..1."""
        score = sum(weight * cue for weight, cue in zip(self.weights, cues.tolist(), strict=True)) + self.bias
        return 1 / (1 + math.exp(-score))


class Mixer(msgspec.Struct, frozen=True):
    """Signal weights, three calibrated heads, and the confidences from which we answer or offer choices."""

    weights: tuple[float, ...]
    right: Head  # the first candidate answers the message
    among: Head  # one of the first four does
    ours: Head  # the message is about law, petition or approval at all
    answer_from: float = 0.6
    choices_from: float = 0.35
    ours_from: float = 0.5
    context: float = 0.5

    def judge(self, signals: Floats, same: Floats, message: Message) -> Judgement:
        """Order rows of signals; give each a confidence, and say what may be done with them.

        `same` marks the category talked about.
        """
        scores = signals @ np.array(self.weights) + self.context * same
        if message.settled:
            scores[0] = scores.max() + 5.0
        order = [int(i) for i in np.argsort(-scores, kind="stable")]
        shares = softmax(scores)[order]
        found = cues(signals, scores, message)
        right, among, ours = self.right(found), self.among(found), self.ours(found)
        if message.settled:
            right = among = ours = SETTLED
        confidences = [round(right * float(share / shares[0]), 4) for share in shares]
        # Words we never used may still ask for something we have: a good candidate speaks for a message, too.
        about_us = ours >= self.ours_from or among >= 2 * self.choices_from
        verdict: Verdict = "none"
        if right >= self.answer_from and about_us:
            verdict = "answer"
        elif len(order) > 1 and among >= self.choices_from and about_us:
            verdict = "choices"
        return Judgement(order, confidences, verdict, ours, about_us=about_us)


def parts(mixer: Mixer, signals: tuple[float, ...]) -> dict[str, float]:
    """What each signal adds to a candidate's score, for explaining it."""
    return {name: weight * value for name, weight, value in zip(SIGNALS, mixer.weights, signals, strict=True)}


def softmax(scores: Floats) -> Floats:
    """Scores as shares of one."""
    powers = np.exp(scores - scores.max())
    shares: Floats = powers / powers.sum()
    return shares


def cues(signals: Floats, scores: Floats, message: Message) -> Floats:
    """The CUES of one ranking."""
    first = int(np.argmax(scores))
    ranked = np.sort(scores)[::-1]
    named = dict(zip(SIGNALS, signals[first], strict=True))
    lead = float(ranked[0] - ranked[1]) if len(ranked) > 1 else 5.0
    named |= {
        "share": float(softmax(scores).max()),
        "lead": min(lead, 5.0),
        "score": float(ranked[0]) / 5,
        "length": float(np.log1p(message.length)) / 4,
        "domain": message.domain / 4,
    }
    return np.array([named[name] for name in CUES], dtype=np.float32)


def load_mixer(path: Path = WEIGHTS) -> Mixer:
    """Read the committed weights."""
    return msgspec.json.decode(path.read_bytes(), type=Mixer)
