"""What the turns of many messages will ask of search and of the ear for danger, worked out for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.conversation.turn import LOCAL, Inbound, Library
from knowledge.danger import listen
from knowledge.search.normalise import tidy
from knowledge.search.rank import Searcher
from knowledge.search.several import searched


def foresee(messages: Sequence[Inbound], library: Library, now: datetime) -> None:
    """Changes no reply: each turn finds the same, in less time."""
    texts = [tidy(one.text) for one in messages if one.kind == "text" and not one.tap]
    listen(texts)
    # A search that is a plain function has nothing to prepare.
    if isinstance(library.search, Searcher):
        day = now.astimezone(LOCAL).date()
        library.search.ahead([words for text in texts for words in searched(text)], day)
