"""A county's own content laid over the shipped files: changed, added and retired entries, real questions, confirmations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from knowledge import citation
from knowledge.entry import Confirmation, Entry
from knowledge.load import KnowledgeBase, fingerprint

# Where entries of the county's own stand instead of a file.
SOURCE = "county"


class Reading(msgspec.Struct, frozen=True):
    """What a lawyer made of one version of an entry: confirmed it, or (None) took it out of service."""

    version: str
    confirmation: Confirmation | None


class Overlay(msgspec.Struct, frozen=True):
    """What the county says, by entry id. In `texts`, None retires an entry; `strangers` are messages that are not ours."""

    texts: Mapping[str, Entry | None] = msgspec.field(default_factory=dict)
    asked: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    readings: Mapping[str, Reading] = msgspec.field(default_factory=dict)
    strangers: frozenset[str] = frozenset()


def overlaid(base: KnowledgeBase, overlay: Overlay) -> KnowledgeBase:
    """The knowledge base with the county's content in it. What is the same in both is the same object."""
    entries: dict[str, Entry] = {}
    for entry_id in dict.fromkeys([*base.entries, *overlay.texts]):
        entry = overlay.texts.get(entry_id, base.entries.get(entry_id))
        if entry is not None and (read := _read(entry, overlay)) is not None:
            entries[entry_id] = read
    return KnowledgeBase(entries, base.statutes, base.places, base.lexicon)


def _read(entry: Entry, overlay: Overlay) -> Entry | None:
    """An entry with its questions and confirmation; None if a lawyer retired this very text."""
    entry = with_questions(entry, overlay.asked.get(entry.id, ()))
    reading = overlay.readings.get(entry.id)
    if reading is None or reading.version != entry.version:
        return entry
    if reading.confirmation is None:
        return None
    return replace(entry, confirmed=reading.confirmation)


def with_questions(entry: Entry, questions: Iterable[str]) -> Entry:
    """An entry with real questions attached; what stands among its own wordings need not be attached."""
    own = {entry.question, *entry.asks}
    asked = tuple(text for text in dict.fromkeys((*entry.asked, *questions)) if text not in own)
    return entry if asked == entry.asked else replace(entry, asked=asked)


def encoded(entry: Entry) -> str:
    """A text of the county's own, as kept: JSON without what is kept elsewhere."""
    text = replace(entry, version="", source="", confirmed=None, asked=())
    return msgspec.json.encode(text).decode()


def decoded(body: str) -> Entry:
    """A kept text; ValueError if it is not an entry, or cites what is no citation."""
    entry = msgspec.json.decode(body, type=Entry)
    for cite in entry.citations:
        citation.parse(cite)
    return replace(entry, version=fingerprint(entry), source=SOURCE)
