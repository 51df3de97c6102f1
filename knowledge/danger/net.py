"""The learned net: a logistic regression over hashed pieces of a message and over where it lies by its meaning.

Its weights are data, rebuilt by `learn`; those for the place suit only the vectors they were learned with.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from knowledge.search.index import Floats, Ints
from knowledge.search.meaning import Places, load_vectors

WEIGHTS = Path(__file__).parent / "weights.json"
# Pieces share this many weights. Twice as many tell danger no better.
SIZE = 1 << 17
_SHIFT = np.uint32(32 - 17)
# One step of a kept weight, which takes one byte.
STEP = 1 / 24
_NUMBERS = re.compile(r"\d+|[一二两三四五六七八九十百千万几半]+(?=[个天年月岁点次人千万块元])")
# What the characters of a piece are multiplied by before they are summed, modulo 2**32: of one alone, a pair, a pair with
# a gap; a triple is its first pair with one more. Any odd numbers without a pattern would do.
_FACTORS = np.array([0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0xFD7046C5, 0xB55A4F09, 0x27D4EB2F], np.uint32)[:, None]
_AGAIN = np.uint32(0xD3A2646D)
# The window through which long messages are heard, and how far it moves, in characters.
WIDE, STRIDE = 24, 12
# Words of these kinds are read as one and the same, so that what was said of a mother holds for a father.
_SAME = ("child", "elder", "kin", "poison", "weapon", "rape")


class Kept(msgspec.Struct, frozen=True):
    """The weights as they stand in the file."""

    weights: str
    toward: str
    vectors: str
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

    def __call__(self, plain: str) -> Ints:
        """The numbers of its pieces below SIZE, each once, in order."""
        found, _ = self.many([plain])
        return found

    def many(self, plains: Sequence[str]) -> tuple[Ints, Ints]:
        """The same of many, one message after the other, and where those of each begin."""
        texts = [f"^{self._read(plain)}$" for plain in plains]
        letters = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
        whose = np.arange(len(texts)).repeat(list(map(len, texts)))
        one, before, after, left, right, more = letters * _FACTORS
        # A piece lies within one message; a letter alone is none of its ends.
        two, three = whose[1:] == whose[:-1], whose[2:] == whose[:-2]
        pairs = before[:-1] + after[1:]
        found = (
            (one[1:-1][three], whose[1:-1][three]),
            (pairs[two], whose[1:][two]),
            ((left[:-2] + right[2:])[three], whose[2:][three]),
            ((pairs[:-1] * _AGAIN + more[2:])[three], whose[2:][three]),
        )
        numbers, owners = (np.concatenate(part) for part in zip(*found, strict=True))
        keys = _each_once(owners * SIZE + (numbers >> _SHIFT))
        return keys % SIZE, np.searchsorted(keys, np.arange(len(texts) + 1) * SIZE)

    def _read(self, plain: str) -> str:
        text = _NUMBERS.sub("N", plain)
        for pattern, letter in self.same:
            text = pattern.sub(letter, text)
        return text


def _each_once(numbers: Ints) -> Ints:
    numbers.sort()
    fresh = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=fresh[1:])
    return numbers[fresh]


def windows(plain: str) -> list[str]:
    """What is seen of a long plain message through a window that moves along; nothing of a short one."""
    if len(plain) < WIDE + STRIDE:
        return []
    return [plain[start : start + WIDE] for start in range(0, len(plain) - STRIDE, STRIDE)]


@dataclass(frozen=True)
class Net:
    """Scores messages. From `alarm_from` on it is danger; from `near_from` on the hotlines are put before the answer.

    `toward`: the direction of danger among the places of messages.
    """

    pieces: Pieces
    places: Places
    weights: npt.NDArray[np.float32]
    toward: Floats
    bias: float
    alarm_from: float
    near_from: float

    def score(self, plain: str) -> float:
        """Log odds that a plain message speaks of danger now."""
        return self.scores([plain])[0]

    def scores(self, plains: Sequence[str]) -> list[float]:
        """The same of many messages."""
        if not plains:
            return []
        found, begins = self.pieces.many(plains)
        by_pieces = np.add.reduceat(self.weights.take(found), begins[:-1]) * (begins[1:] - begins[:-1]) ** -0.5
        scores: list[float] = (by_pieces + self.places.many(plains) @ self.toward + self.bias).tolist()
        return scores


@lru_cache(maxsize=1)
def places() -> Places:
    """Where messages lie by the shipped vectors."""
    return Places(load_vectors())


def read_kept(path: Path = WEIGHTS) -> Kept:
    """What was learned, as it stands in the file."""
    return msgspec.json.decode(path.read_bytes(), type=Kept)


def load_net(words: dict[str, str], path: Path = WEIGHTS) -> Net:
    """Read the committed weights; `words` are those of the rules."""
    kept = read_kept(path)
    steps = np.frombuffer(base64.b64decode(kept.weights), np.int8)
    toward = np.frombuffer(base64.b64decode(kept.toward), np.float32)
    weights = steps.astype(np.float32) * STEP
    return Net(Pieces.of(words), places(), weights, toward, kept.bias, kept.alarm_from, kept.near_from)


def pack(net: Net, vectors: str) -> Kept:
    """A net as it is kept: weights as letters, one byte each before; `vectors` names those it was learned with."""
    steps = np.clip(np.rint(net.weights.astype(np.float64) / STEP), -127, 127).astype(np.int8)
    weights, toward = (base64.b64encode(some.tobytes()).decode() for some in (steps, net.toward.astype(np.float32)))
    return Kept(weights, toward, vectors, net.bias, net.alarm_from, net.near_from)
