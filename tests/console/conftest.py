"""A running bot on SQLite, and an engine of its own on the same file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from tests.conftest import StartBot
from tests.support import Bot


@pytest.fixture
async def bot(start_bot: StartBot) -> AsyncIterator[Bot]:
    """The product."""
    async with start_bot() as running:
        yield running


@pytest.fixture
def engine(bot: Bot) -> Iterator[sa.Engine]:
    """The running bot's database, from outside."""
    made = sa.create_engine(bot.settings.database_url)
    yield made
    made.dispose()
