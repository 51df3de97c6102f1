"""Other libraries made from the one at hand: with a county's content over it, or as it would be with a change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from bot.conversation.turn import Library
from knowledge.load import KnowledgeBase
from knowledge.overlay import Overlay, overlaid
from knowledge.search.rank import Searcher


def with_base(
    library: Library, base: KnowledgeBase, strangers: Iterable[str] | None = None, *, drafts: bool = False
) -> Library:
    """The library with another base that differs in a few entries. Takes some tenths of a second of computing.

    With `drafts` its search finds what no lawyer has confirmed, too, whatever the settings say.
    """
    if not isinstance(library.search, Searcher):
        raise TypeError("only a search with an index can be amended")
    return dataclasses.replace(library, base=base, search=library.search.amended(base, strangers, drafts=drafts))


def with_overlay(shipped: Library, overlay: Overlay, near: Library | None = None) -> Library:
    """The library with a county's content over it; `near` is one that differs from the result in little."""
    if overlay == Overlay():
        return shipped
    return with_base(near or shipped, overlaid(shipped.base, overlay), overlay.strangers)


def serving(library: Library, *, confirmed_only: bool) -> Library:
    """The same library, of which all entries serve or only those that a lawyer confirmed."""
    if confirmed_only == library.confirmed_only:
        return library
    if not isinstance(library.search, Searcher):
        raise TypeError("only a search with an index can be told what to serve")
    search = library.search.serving(confirmed_only=confirmed_only)
    return dataclasses.replace(library, search=search, confirmed_only=confirmed_only)
