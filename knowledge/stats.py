"""Figures about the knowledge base."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from knowledge.entry import KIND_NAMES, Entry
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search


def counts(base: KnowledgeBase) -> dict[str, Any]:
    """Entries in all, by kind and by category; wordings, citations, what awaits a lawyer."""
    entries = base.entries.values()
    return {
        "entries": len(base.entries),
        "by_kind": {kind: sum(entry.kind == kind for entry in entries) for kind in KIND_NAMES},
        "by_category": {
            kind: dict(sorted(Counter(entry.category for entry in entries if entry.kind == kind).items()))
            for kind in KIND_NAMES
        },
        "wordings": sum(len(entry.wordings) for entry in entries),
        "citations": sum(len(entry.citations) for entry in entries),
        "laws": len(base.statutes.laws),
        "unverified_only": sum(not entry.basis for entry in entries),
        "confirmed": sum(entry.confirmed is not None for entry in entries),
        "lexicon": len(base.lexicon),
    }


def coverage(questions: Iterable[str], search: Search, day: date) -> dict[str, int]:
    """How many questions get an answer, choices, or nothing."""
    found = Counter(search(question, day).verdict for question in questions)
    return {"questions": found.total(), "answer": found["answer"], "choices": found["choices"], "none": found["none"]}


# Above this many characters a sentence is hard on a small screen.
LONG_SENTENCE = 45
_SENTENCE = re.compile(r"[。！？；\n]")
# Words of the trade that a farmer may not know; said with an explanation in brackets or quotes, they are fine.
_TRADE = ("复议前置", "管辖权", "质证", "举证责任", "标的额", "既判力", "除斥期间", "追认", "善意取得", "留置权", "代位权", "撤销权", "抗辩权", "要约", "缔约过失", "形成权", "连带责任", "先诉抗辩", "执行异议", "反诉", "上诉期", "附带民事")  # fmt: skip


class Readability(msgspec.Struct, frozen=True):
    """How an entry reads: longest sentence, sentences above LONG_SENTENCE, words of the trade left unexplained."""

    entry: str
    longest: int
    long: int
    unexplained: tuple[str, ...]


def readability(entry: Entry) -> Readability:
    """Measure answer and more, sentence by sentence."""
    text = f"{entry.answer}\n{entry.more}"
    lengths = [len(part.strip()) for part in _SENTENCE.split(text)]
    plain = tuple(
        word for word in _TRADE if word in text and not re.search(rf"{word}[（(“：，]?(?:就是|即|[（(])", text)
    )
    return Readability(entry.id, max(lengths), sum(length > LONG_SENTENCE for length in lengths), plain)
