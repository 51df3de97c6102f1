"""The learned net: a logistic regression over hashed pieces of a message. Its weights are data, rebuilt by `learn`."""

from __future__ import annotations

import base64
import re
from binascii import crc32
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

WEIGHTS = Path(__file__).parent / "weights.json"
# Pieces share this many weights. Twice as many tell danger no better.
SIZE = 1 << 17
# One step of a kept weight, which takes one byte.
STEP = 1 / 24
_NUMBERS = re.compile(r"\d+|[一二两三四五六七八九十百千万几半]+(?=[个天年月岁点次人千万块元])")
# Words of these kinds are read as one and the same, so that what was said of a mother holds for a father.
_SAME = ("child", "elder", "kin", "poison", "weapon", "rape")


class Kept(msgspec.Struct, frozen=True):
    """The weights as they stand in the file."""

    weights: str
    bias: float
    alarm_from: float
    near_from: float


@dataclass(frozen=True)
class Pieces:
    """Takes a plain message apart: characters, pairs, triples, pairs with a gap."""

    same: tuple[tuple[re.Pattern[str], str], ...]

    @classmethod
    def of(cls, words: dict[str, str]) -> Pieces:
        """`words` of the rules, by name."""
        return cls(tuple((re.compile(words[name]), name[0].upper()) for name in _SAME))

    def __call__(self, plain: str) -> npt.NDArray[np.int64]:
        """Numbers below SIZE, each once."""
        text = _NUMBERS.sub("N", plain)
        for pattern, letter in self.same:
            text = pattern.sub(letter, text)
        text = f"^{text}$"
        pieces = set(text[1:-1])
        pieces.update(map("".join, pairwise(text)))
        pieces.update(map("".join, zip(text, text[1:], text[2:], strict=False)))
        pieces.update(map("{}_{}".format, text, text[2:]))
        return numbers(pieces)


def numbers(pieces: Iterable[str]) -> npt.NDArray[np.int64]:
    """The weights that pieces share, each once, in order."""
    return np.unique(np.array([crc32(piece.encode()) % SIZE for piece in pieces], np.int64))


@dataclass(frozen=True)
class Net:
    """Scores messages. From `alarm_from` on it is danger; from `near_from` on the hotlines are put before the answer."""

    pieces: Pieces
    weights: npt.NDArray[np.float32]
    bias: float
    alarm_from: float
    near_from: float

    def score(self, plain: str) -> float:
        """Log odds that a plain message speaks of danger now."""
        found = self.pieces(plain)
        return float(self.weights[found].sum() * len(found) ** -0.5) + self.bias


def load_net(words: dict[str, str], path: Path = WEIGHTS) -> Net:
    """Read the committed weights; `words` are those of the rules."""
    kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    steps = np.frombuffer(base64.b64decode(kept.weights), np.int8)
    return Net(Pieces.of(words), steps.astype(np.float32) * STEP, kept.bias, kept.alarm_from, kept.near_from)


def pack(weights: npt.NDArray[np.float64]) -> str:
    """Weights as text, one byte each before it is written in letters."""
    return base64.b64encode(np.clip(np.rint(weights / STEP), -127, 127).astype(np.int8).tobytes()).decode()
