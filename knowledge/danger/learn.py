"""Learn the net from phrases, near misses, our own wordings, chit-chat and, where they are at hand, real questions."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from knowledge.danger.ear import Rules
from knowledge.danger.net import SIZE, STEP, WEIGHTS, Net, Pieces, pack, places, windows
from knowledge.load import KnowledgeBase
from knowledge.search.domain import off_topic
from knowledge.search.examples import phrasings
from knowledge.search.meaning import load_vectors

_HERE = Path(__file__).parent
FOLDS = 5
EPOCHS, RATE, DECAY, PLACE_DECAY = 12, 0.2, 1e-5, 1e-4
# Log odds of a message of which nothing is known.
CALM = -4.0
# What a mistake costs: somebody not heard, somebody sent away, a part of a calm message taken for danger, somebody sent
# away who asked nothing like it.
_MISSED, _NEAR, _PART, _OTHER = 8.0, 8.0, 3.0, 1.0
# An alarm keeps the answer back, so it must be sure; the hotlines before an answer cost a line, so they may be rash.
ALARM_FROM, NEAR_FROM = -1.0, -2.5
# Entries that people in danger are answered from: their wordings are no examples of calm.
_OF_DANGER = (
    "violence.",
    "petition.conduct.extreme",
    "persons.missing-report",
    "minors.sexual-abuse",
    "minors.bullying",
    "minors.neglected",
    "child.snatch-hide",
    "traffic.first-steps",
)


@dataclass(frozen=True)
class Examples:
    """Plain messages: of danger, nearly so or chit-chat, of anything else, and real questions."""

    danger: list[str]
    near: list[str]
    other: list[str]
    real: list[str]


def read_lines(path: Path) -> list[str]:
    """The lines of a file that are not comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def phrases() -> list[tuple[str, frozenset[str]]]:
    """The phrases of danger, each with the kinds of reply that would be right."""
    rows = [line.split("\t") for line in read_lines(_HERE / "phrases.tsv")]
    return [(text, frozenset(kinds.split("|"))) for text, kinds in rows]


def near_misses() -> list[str]:
    """What only sounds like danger."""
    return read_lines(_HERE / "near_misses.txt")


def read_examples(base: KnowledgeBase, rules: Rules, questions: Path) -> Examples:
    """Gather examples; `questions` are JSON lines {question}. Those the rules hear danger in are left out."""
    rows = [msgspec.json.decode(line)["question"] for line in questions.read_text(encoding="utf-8").splitlines()]
    entries = [entry for entry in base.entries.values() if not entry.id.startswith(_OF_DANGER)]
    wordings = [wording for entry in entries for wording in entry.wordings]
    calm = {entry.id for entry in entries}
    phrased = [rules.plain(words) for entry, words in phrasings() if entry in calm]
    return Examples(
        [rules.plain(text) for text, _ in phrases()],
        [rules.plain(text) for text in [*near_misses(), *off_topic()]],
        [*map(rules.plain, wordings), *(plain for plain in phrased if rules(plain) is None)],
        [plain for plain in map(rules.plain, rows) if rules(plain) is None],
    )


def train(pieces: Pieces, examples: Examples) -> Net:
    """Fit the weights (AdaGrad over single messages, in a fixed order)."""
    groups = (
        (examples.danger, 1.0, _MISSED),
        (examples.near, 0.0, _NEAR),
        ([part for text in examples.near + examples.real for part in windows(text)], 0.0, _PART),
        (examples.other + examples.real, 0.0, _OTHER),
    )
    where = places()
    rows = [(pieces(text), where(text), wanted, cost) for texts, wanted, cost in groups for text in texts]
    weights, seen = np.zeros(SIZE), np.full(SIZE, 1e-2)
    toward, met = np.zeros(where.size), np.full(where.size, 1e-2)
    shuffled = random.Random(0)  # noqa: S311 - an order, not a secret
    for _ in range(EPOCHS):
        shuffled.shuffle(rows)
        for found, place, wanted, cost in rows:
            scale = len(found) ** -0.5
            odds = weights[found].sum() * scale + toward @ place + CALM
            fault = (1 / (1 + np.exp(-odds)) - wanted) * cost
            slope = fault * scale + DECAY * weights[found]
            seen[found] += slope * slope
            weights[found] -= RATE * slope / np.sqrt(seen[found])
            pull = fault * place + PLACE_DECAY * toward
            met += pull * pull
            toward -= RATE * pull / np.sqrt(met)
    # As they will be read again.
    rounded = np.clip(np.rint(weights / STEP), -127, 127).astype(np.float32) * np.float32(STEP)
    return Net(pieces, where, rounded, toward.astype(np.float32), CALM, ALARM_FROM, NEAR_FROM)


def fit(pieces: Pieces, examples: Examples) -> tuple[Net, dict[str, float]]:
    """The net learned from all, and what nets learned from four fifths do with the rest."""
    scores = cross_validate(pieces, examples)
    net, alarm, near = train(pieces, examples), ALARM_FROM, NEAR_FROM
    measured = {
        "phrases": len(examples.danger),
        "heard": float((scores.danger >= alarm).mean()),
        "heard or hotlines first": float((scores.danger >= near).mean()),
        "near misses and chit-chat": len(examples.near),
        "false alarms of these": float((scores.near >= alarm).mean()),
        "real questions": len(examples.real),
        "false alarms of those": float((scores.real >= alarm).mean()),
    }
    return net, measured


@dataclass(frozen=True)
class Scores:
    """Scores of examples by nets that had not seen them."""

    danger: npt.NDArray[np.float64]
    near: npt.NDArray[np.float64]
    real: npt.NDArray[np.float64]


def cross_validate(pieces: Pieces, examples: Examples) -> Scores:
    """Score every example by a net learned from the other folds."""
    found = {name: np.zeros(len(getattr(examples, name))) for name in ("danger", "near", "real")}
    for fold in range(FOLDS):
        rest = {name: _without(getattr(examples, name), fold) for name in found}
        net = train(pieces, dataclasses.replace(examples, **rest))
        for name, scores in found.items():
            texts = getattr(examples, name)
            scores[fold::FOLDS] = [net.score(text) for text in texts[fold::FOLDS]]
    return Scores(**found)


def _without(texts: Sequence[str], fold: int) -> list[str]:
    return [text for number, text in enumerate(texts) if number % FOLDS != fold]


def write(net: Net, path: Path = WEIGHTS) -> None:
    """Keep what was learned."""
    kept = pack(net, load_vectors().name)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
