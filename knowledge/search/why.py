"""Why search ranks as it does, in words a clerk understands."""

from __future__ import annotations

from typing import NamedTuple

from knowledge.search.index import Concepts
from knowledge.search.mixer import SIGNALS, Mixer, parts
from knowledge.search.normalise import normalise
from knowledge.search.rank import Candidate, Result

TREES = "trees"
# What each signal says.
SAYS = {TREES: "各项合起来看"} | dict(
    zip(
        SIGNALS,
        (
            "与最近问法用词重合",
            "与第二近问法用词重合",
            "与最近问法逐字相似",
            "与某个问法词语构成相近",
            "某个问法的词基本都出现了",
            "问题里的词某个问法都有",
            "答案正文提到这些词",
            "问题里的词答案正文都有",
            "与各个问法普遍重合",
            "与全部问法合起来重合",
            "问题里的词全部问法合起来都有",
            "与某个问法完全一样",
            "说的是同样的法律概念",
            "意思落在这个条目范围内",
            "意思与某个问法相近",
        ),
        strict=True,
    )
)
SHORTEST = 2
TOLD = 4


class Reason(NamedTuple):
    """Why an entry is a candidate.

    The wording nearest to the message, the runs of characters and the legal concepts both share, and what each signal,
    and the trees over all of them, add to its score (strongest first); nothing if a wording to the letter was found.
    """

    entry: str
    confidence: float
    wording: str
    shared: tuple[str, ...]
    concepts: tuple[str, ...]
    parts: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        """One line for people."""
        said = [f"最接近的问法“{self.wording}”"]
        if self.shared:
            said.append("相同的字词：" + "、".join(self.shared))
        if self.concepts:
            said.append("相同的法律概念：" + "、".join(self.concepts))
        if self.parts:
            said.append("主要因为：" + "、".join(f"{SAYS[name]} {part:+.1f}" for name, part in self.parts[:TOLD]))
        else:
            said.append("与这个问法一字不差" if self.confidence else "与排第一的条目意思相近")
        return "；".join(said)


def why(message: str, result: Result, mixer: Mixer, concepts: Concepts) -> list[Reason]:
    """Reasons for all candidates of a result, in its order."""
    text = normalise(message)
    return [_reason(text, one, mixer, concepts) for one in result.candidates]


def _reason(text: str, one: Candidate, mixer: Mixer, concepts: Concepts) -> Reason:
    both = sorted(concept[1:] for concept in concepts(text) & concepts(one.wording))
    weighed = {**parts(mixer, one.signals), TREES: one.mended} if one.signals else {}
    adds = sorted(weighed.items(), key=lambda pair: -abs(pair[1]))
    return Reason(one.entry, one.confidence, one.wording, shared(text, one.wording), tuple(both), tuple(adds))


def shared(text: str, other: str) -> tuple[str, ...]:
    """The longest runs of characters that stand in both texts, as they come in the first."""
    found: list[str] = []
    start = 0
    while start <= len(text) - SHORTEST:
        end = start + 1
        while end < len(text) and text[start : end + 1] in other:
            end += 1
        if end - start >= SHORTEST:
            found.append(text[start:end])
            start = end
        else:
            start += 1
    return tuple(dict.fromkeys(found))
