"""`/console/knowledge` and everything under it, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.console.doors import Doors
from bot.console.knowledge.desk import Tools
from bot.console.knowledge.editor_page import Editor
from bot.console.knowledge.entries_page import Entries
from bot.console.knowledge.gaps_page import Gaps
from bot.console.knowledge.review_page import Review
from bot.console.knowledge.round_page import Round

if TYPE_CHECKING:
    from bot.console.mount import Supplies


def add_knowledge(doors: Doors, supplies: Supplies) -> None:
    """Mount the knowledge desk."""
    tools = Tools(supplies.db, supplies.clock, supplies.new_id, supplies.live)
    for pages in (Gaps(tools), Entries(tools), Editor(tools), Review(tools), Round(tools)):
        pages.add_to(doors)
