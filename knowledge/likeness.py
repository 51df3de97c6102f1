"""Questions that say the same in other words, put together: pure, the same result every time, thousands in a second."""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import add

import numpy as np

from knowledge.search.index import Floats
from knowledge.search.normalise import normalise

# Two questions are alike from this cosine of their characters and pairs of characters.
ALIKE = 0.45
# Terms share so many places by their checksum: enough that a clash hardly moves a cosine.
PLACES = 256
BLOCK = 256


def grouped(texts: Sequence[str]) -> list[list[int]]:
    """Numbers of the texts that are alike, biggest group first; each begins with the wording most often used."""
    same: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        same[normalise(text)].append(number)
    same.pop("", None)
    # What is asked most leads; among equals the order of writing, so that the result never hangs on the order of asking.
    forms = sorted(same, key=lambda form: (-len(same[form]), form))
    leaders = _leaders(_vectors(forms)) if forms else []
    found: dict[int, list[int]] = defaultdict(list)
    for form, leader in zip(forms, leaders, strict=True):
        found[leader] += same[form]
    return sorted(found.values(), key=lambda group: -len(group))


def _vectors(forms: Sequence[str]) -> Floats:
    """One row of length 1 a text: its characters and pairs, the rarer the heavier."""
    terms = [Counter([*form, *map(add, form, form[1:])]) for form in forms]
    spread = Counter(term for counted in terms for term in counted)
    places = {
        term: ((code := zlib.crc32(term.encode())) % PLACES, math.log1p(len(forms) / often) * (1 - 2 * (code >> 31)))
        for term, often in spread.items()
    }
    found = np.zeros((len(forms), PLACES), np.float32)
    for row, counted in enumerate(terms):
        for term in counted:
            place, weight = places[term]
            found[row, place] += weight
    norms: Floats = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.maximum(norms, 1e-9)


def _leaders(vectors: Floats) -> list[int]:
    """For each row the first row before it that it is most like, if that leads a group; otherwise itself."""
    leading = np.empty_like(vectors)
    numbers = np.zeros(len(vectors), np.intp)
    count = 0
    found: list[int] = []
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        known = count
        before = block @ leading[:known].T
        within = block @ block.T
        best = before.argmax(axis=1) if known else np.zeros(len(block), np.intp)
        likes = before[np.arange(len(block)), best] if known else np.zeros(len(block))
        for row in range(len(block)):
            like, leader = float(likes[row]), int(numbers[best[row]])
            fresh = numbers[known:count] - start
            if len(fresh) and (near := within[row, fresh]).max() > like:
                like, leader = float(near.max()), start + int(fresh[near.argmax()])
            if like < ALIKE:
                leader = numbers[count] = start + row
                leading[count] = block[row]
                count += 1
            found.append(leader)
    return found
