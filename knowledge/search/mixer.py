"""The learned part of ranking: weights that mix the signals, and calibrated confidence. Data, rebuilt by `fit`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from operator import add, mul
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from knowledge.search.index import Floats
from knowledge.search.trees import Trees

WEIGHTS = Path(__file__).parent / "weights.json"
# For search without vectors.
WORDS_WEIGHTS = Path(__file__).parent / "weights_words.json"

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
    "meaning",
    "meaning_near",
)
# What confidence looks at: the lead over the second, and how well the first fits in itself.
_OWN = (
    "bm25",
    "ratio",
    "cosine",
    "covered",
    "contained",
    "told_covered",
    "gathered",
    "gathered_covered",
    "concepts",
    "meaning",
    "meaning_near",
)
CUES = ("share", "lead", "score", *_OWN, "meaning_lead", "length", "domain")


_MEANING = SIGNALS.index("meaning")
_AS_CUES = [SIGNALS.index(name) for name in _OWN]

Verdict = Literal["answer", "choices", "none"]


class Judgement(NamedTuple):
    """Candidate numbers best first, their confidences, the verdict, and whether the message is ours.

    `among`: how sure we are that one of the first four is right.
    """

    order: list[int]
    confidences: list[float]
    verdict: Verdict
    ours: float
    among: float
    about_us: bool


# No candidate's share counts for less than this, nor for more than all but this.
RAREST = 0.003
# Who types no more than a word (“工资”) asks for what there is about it, however little the word tells.
BARE = 4
# Confidence in a wording to the letter.
SETTLED = 0.99


class Message(NamedTuple):
    """What is known of a message besides its candidates.

    Length of the normalised text, log odds that it is ours, whether the first candidate is it to the letter.
    """

    length: int
    domain: float
    settled: bool = False


class Scored(NamedTuple):
    """Candidates of a message: their rows of signals, the log odds of each, and what of these is owed to the trees."""

    signals: Floats
    scores: list[float]
    mended: list[float]


class Head(msgspec.Struct, frozen=True):
    """A logistic regression over CUES."""

    weights: tuple[float, ...]
    bias: float

    def __call__(self, cues: Sequence[float]) -> float:
        """A probability, 0..1."""
        return 1 / (1 + math.exp(-sum(map(mul, self.weights, cues)) - self.bias))


class Mixer(msgspec.Struct, frozen=True, dict=True):
    """Signal weights, trees, three calibrated heads, and what must be known before we answer or offer choices."""

    weights: tuple[float, ...]
    right: Head  # the first candidate answers the message
    among: Head  # one of the first four does
    ours: Head  # the message is about law, petition or approval at all
    # How many right answers a wrong one outweighs. Where confidence is calibrated, answering pays from there on.
    wrong_costs: float = 4.0
    choices_from: float = 0.35
    ours_from: float = 0.5
    sure_from: float = 0.8
    context: float = 0.5
    trees: Trees = Trees()  # what the weighted sum gets wrong

    @property
    def answer_from(self) -> float:
        """The confidence from which answering gains more than it costs."""
        return self.wrong_costs / (1 + self.wrong_costs)

    @cached_property
    def _vector(self) -> Floats:
        return np.array(self.weights)

    def score(self, signals: Floats) -> Scored:
        """The candidates of a message by their rows of signals."""
        return self.score_all([signals])[0]

    def score_all(self, messages: Sequence[Floats]) -> list[Scored]:
        """The same for many messages at once."""
        if not messages:
            return []
        rows, ends = np.concatenate(messages), list(accumulate(map(len, messages)))
        begins = [0, *ends[:-1]]
        summed: list[float] = (rows @ self._vector).tolist()
        mended: list[float] = self.trees(rows, begins).tolist()
        return [
            Scored(signals, list(map(add, odds(summed[begin:end]), mended[begin:end])), mended[begin:end])
            for signals, begin, end in zip(messages, begins, ends, strict=True)
        ]

    def judge(self, scored: Scored, message: Message, same: Sequence[bool] = ()) -> Judgement:
        """Order candidates; give each a confidence, and say what may be done with them.

        `same` marks the category talked about, if there is one.
        """
        scores = list(scored.scores)
        if same:
            scores = [score + self.context * fits for score, fits in zip(scores, same, strict=True)]
        if message.settled:
            scores[0] = max(scores) + 5.0
        order = sorted(range(len(scores)), key=lambda row: -scores[row])
        top = scores[order[0]]
        found = cues(scored.signals, scores, message)
        right, among, ours = self.right(found), self.among(found), self.ours(found)
        if message.settled:
            right = among = ours = SETTLED
        confidences = [right * math.exp(scores[row] - top) for row in order]
        # Words we never used may still ask for something we have: a good candidate speaks for a message, too.
        about_us = ours >= self.ours_from or among >= self.sure_from
        verdict: Verdict = "none"
        if right >= self.answer_from and about_us:
            verdict = "answer"
        elif len(order) > 1 and about_us and (among >= self.choices_from or message.length <= BARE):
            verdict = "choices"
        return Judgement(order, confidences, verdict, ours, among, about_us)


def odds(sums: Sequence[float]) -> list[float]:
    """Log odds of each candidate by its share in the exponentials of all sums."""
    top = max(sums)
    raised = [math.exp(one - top) for one in sums]
    whole = sum(raised)
    shares = [min(max(one / whole, RAREST), 1 - RAREST) for one in raised]
    return [math.log(share / (1 - share)) for share in shares]


def parts(mixer: Mixer, signals: tuple[float, ...]) -> dict[str, float]:
    """What each signal adds to a candidate's score, for explaining it."""
    return {name: weight * value for name, weight, value in zip(SIGNALS, mixer.weights, signals, strict=True)}


def cues(signals: Floats, scores: Sequence[float], message: Message) -> list[float]:
    """The CUES of one ranking."""
    best, *others = sorted(scores, reverse=True)
    first = scores.index(best)
    own = signals[first].tolist()
    # How far the first is ahead of all others by meaning alone; below 0 if another lies nearer.
    meant = signals[:, _MEANING].tolist()
    rivals = meant[:first] + meant[first + 1 :]
    return [
        1 / (1 + sum([math.exp(score - best) for score in others])),
        min(best - others[0], 5.0) if others else 5.0,
        best / 5,
        *[own[place] for place in _AS_CUES],
        meant[first] - max(rivals) if rivals else 1.0,
        math.log1p(message.length) / 4,
        message.domain / 4,
    ]


def load_mixer(path: Path = WEIGHTS) -> Mixer:
    """Read the committed weights."""
    return msgspec.json.decode(path.read_bytes(), type=Mixer)
