"""What search is learned from and measured by: labelled real questions, and messages that are not ours."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from pathlib import Path

import msgspec

from knowledge.search.domain import off_topic

LABELS = Path(__file__).parent / "labels.tsv"
PHRASINGS = Path(__file__).parent / "phrasings.tsv"
FOLDS = 5
NONE = "-"


class Example(msgspec.Struct, frozen=True):
    """A message with the entries that answer it: none of them if there is none; None if it is not about our matters."""

    id: str
    text: str
    right: frozenset[str] | None

    @property
    def fold(self) -> int:
        """Which fifth of the examples it belongs to."""
        return fold_of(self.id)

    @property
    def source(self) -> str:
        """Where it was collected."""
        return self.id.rpartition("-")[0]


def fold_of(name: str) -> int:
    """A fold by name alone, so that it stays the same whatever is added."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % FOLDS


def labels(path: Path = LABELS) -> dict[str, tuple[str, ...]]:
    """Entries that answer a question, by its id."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {number: () if names == NONE else tuple(names.split(" ")) for number, names in rows}


def phrasings(path: Path = PHRASINGS) -> list[tuple[str, str]]:
    """What people might say for an entry, made up to learn from: entry and words. Search never looks through them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(entry, words) for entry, words in rows]


def read_examples(questions: Path, known: Container[str]) -> list[Example]:
    """Labelled real questions (texts from `questions`, labels ours) and off-topic messages, sorted by id.

    A question whose entries are not written yet has no right answer here, which is what confidence must learn, too.
    """
    placed = labels()
    found = [Example(f"off-{number}", text, None) for number, text in enumerate(off_topic())]
    for line in questions.read_text(encoding="utf-8").splitlines():
        row = msgspec.json.decode(line)
        if row["id"] in placed:
            right = frozenset(name for name in placed[row["id"]] if name in known)
            found.append(Example(row["id"], row["question"], right))
    return sorted(found, key=lambda example: example.id)
