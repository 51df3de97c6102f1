"""A large export is written while citizens are served: they hardly notice. `make bench` does it with 100,000 rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.conversation.turn import LOCAL
from bot.store.database import Database
from bot.store.migrate import migrate
from knowledge.load import KnowledgeBase
from tests.bench import records
from tests.bench.load import percentile
from tests.bench.log import export_beside

ROWS = 10_000
WINDOW = 1.0
# Enough of each for a median that chance does not move.
LEAST = 30


async def test_citizens_do_not_wait_twice_as_long_while_an_export_is_written(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    store = Database(f"sqlite:///{tmp_path}/fawen.db")
    migrate(store.engine)
    records.fill(store.engine, base, ROWS, now)
    store.close()
    first = (now - 2 * records.SPAN).astimezone(LOCAL).date()
    noticed = await export_beside(tmp_path, base, first, WINDOW)
    assert noticed.rows >= ROWS
    assert min(len(noticed.during), len(noticed.without)) >= LEAST
    assert percentile(noticed.during, 0.5) < 2 * percentile(noticed.without, 0.5)
