"""Exports on the console: written by a process of their own, masked for who may not see more, failed when it dies."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from bot.service.records.exports import CRASHED
from tests.console.test_records import SECRET, clerk, get, post
from tests.platform import Clock
from tests.service.records import consultation
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
# A process must start, on a machine that may be busy with other tests.
PATIENCE = 120.0


async def written(session: aiohttp.ClientSession) -> str:
    """The page once nothing is being written any more; it asks to be looked at again until then."""
    async with asyncio.timeout(PATIENCE):
        while 'http-equiv="refresh"' in (page := await get(session, "/console/exports")):  # noqa: ASYNC110 - another process works
            await asyncio.sleep(0.2)
    return page


async def test_what_is_found_is_written_beside_the_server_and_taken_away(
    bot: Bot, engine: sa.Engine, clock: Clock
) -> None:
    with engine.begin() as conn:
        consultation(conn, 1, clock(), SECRET)
        consultation(conn, 2, clock(), "离婚孩子归谁")
    async with clerk(bot, engine, clock) as session, clerk(bot, engine, clock, "other") as other:
        form = {"query": "words=工资&first=answered&weekday=1&hour=9", "format": "csv"}
        assert await post(session, "/console/exports", **form) == (303, "/console/exports?done=asked", "")
        page = await written(session)
        assert "头一句：已解答；星期几：星期一；几点：9点到10点；说过 工资" in page
        assert "已遮盖" in page
        link = re.search(r'href="(/console/exports/[^"]+/file)">下载（1 行', page)
        assert link is not None
        async with session.get(link[1]) as answer:
            assert answer.headers["Content-Disposition"] == 'attachment; filename="fawen-20261123-0900.csv"'
            text = (await answer.read()).decode("utf-8-sig")
        assert "我叫王**，电话138********，单位拖欠工资怎么办" in text
        assert "离婚" not in text
        await get(other, link[1], status=404)


async def test_only_heads_take_away_what_was_said_and_only_with_a_reason(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    plain = {"query": "", "format": "csv", "unmasked": "1"}
    async with clerk(bot, engine, clock) as one, clerk(bot, engine, clock, "boss", "supervisor") as boss:
        assert (await post(one, "/console/exports", **plain, reason="想看看"))[0] == 403
        assert (await post(boss, "/console/exports", **plain, reason=" "))[0] == 400
        assert (await post(boss, "/console/exports", query="", format="pdf"))[0] == 400
        assert rows(bot.settings, "SELECT * FROM exports") == []
        assert (await post(boss, "/console/exports", **plain, reason="核对办理情况"))[0] == 303
        assert "原文" in await written(boss)
        # Who was a head when asking, and no longer is when fetching.
        with engine.begin() as conn:
            conn.execute(sa.text("UPDATE staff SET role = 'staff' WHERE login = 'boss'"))
        ((number,),) = rows(bot.settings, "SELECT id FROM exports")
        await get(boss, f"/console/exports/{number}/file", status=403)
        assert (await post(boss, f"/console/exports/{number}/retry"))[0] == 403
    assert [tuple(row) for row in rows(bot.settings, "SELECT masked FROM exports")] == [(0,)]


@pytest.mark.parametrize("ends", ["dies", "does nothing"])
async def test_a_process_that_ends_without_a_file_leaves_a_job_to_try_again(
    bot: Bot, engine: sa.Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch, ends: str, tmp_path: Path
) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nkill -9 $$\n" if ends == "dies" else "#!/bin/sh\nexit 0\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    async with clerk(bot, engine, clock) as session:
        await post(session, "/console/exports", query="kind=legal", format="xlsx")
        page = await written(session)
        assert CRASHED in page
        again = re.search(r'action="(/console/exports/[^"]+/retry)"', page)
        assert again is not None
        monkeypatch.undo()
        assert (await post(session, again[1]))[0] == 303
        assert "下载（0 行" in await written(session)
        assert (await post(session, again[1]))[0] == 404
