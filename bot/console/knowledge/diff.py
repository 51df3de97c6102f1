"""Two versions of an entry side by side, field by field, with what was struck out and what came in."""

from __future__ import annotations

from difflib import SequenceMatcher

import msgspec

from bot.console.knowledge.form import LABELS, fields
from knowledge.entry import Entry


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text: kept, struck out ("out") or new ("in")."""

    how: str
    text: str


class Change(msgspec.Struct, frozen=True):
    """One field that differs."""

    label: str
    pieces: tuple[Piece, ...]


def changes(old: Entry | None, new: Entry | None) -> list[Change]:
    """The fields that differ, in the order of the form."""
    before = fields(old) if old else dict.fromkeys(LABELS, "")
    after = fields(new) if new else dict.fromkeys(LABELS, "")
    return [
        Change(label, pieces(before[name], after[name]))
        for name, label in LABELS.items()
        if before[name] != after[name]
    ]


def pieces(before: str, after: str) -> tuple[Piece, ...]:
    """What became of a text, character by character."""
    found: list[Piece] = []
    for how, start, end, begin, finish in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if how == "equal":
            found.append(Piece("", before[start:end]))
            continue
        found += [Piece(*one) for one in (("out", before[start:end]), ("in", after[begin:finish])) if one[1]]
    return tuple(found)
