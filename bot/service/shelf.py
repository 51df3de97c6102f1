"""Where everyone finds the library that serves now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.conversation.turn import Library
from knowledge.load import KnowledgeBase
from knowledge.overlay import Overlay, overlaid
from knowledge.search.rank import Searcher


@dataclass(slots=True)
class Shelf:
    """Holds the library. Ask it anew for every question: what staff publish puts another one there."""

    current: Library


def with_base(library: Library, base: KnowledgeBase, strangers: Iterable[str] | None = None) -> Library:
    """The library with another base that differs in a few entries. Takes some tenths of a second of computing."""
    if not isinstance(library.search, Searcher):
        raise TypeError("only a search with an index can be amended")
    return Library(base, library.search.amended(base, strangers), library.locality, library.confirmed_only)


def with_overlay(shipped: Library, overlay: Overlay, near: Library | None = None) -> Library:
    """The library with a county's content over it; `near` is one that differs from the result in little."""
    if overlay == Overlay():
        return shipped
    return with_base(near or shipped, overlaid(shipped.base, overlay), overlay.strangers)
