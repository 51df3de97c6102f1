"""The knowledge base as pages: found, filtered, whole, and harmless whatever is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.conftest import StartBot


@pytest.fixture
async def reader(start_bot: StartBot) -> AsyncIterator[aiohttp.ClientSession]:
    async with start_bot() as bot, aiohttp.ClientSession(bot.url) as session:
        yield session


async def get(reader: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with reader.get(path) as answer:
        return answer.status, await answer.text()


async def test_words_find_entries_and_filters_narrow_them(reader: aiohttp.ClientSession) -> None:
    _, page = await get(reader, "/kb?q=拖欠工资")
    assert 'href="/kb/labour.unpaid-wages"' in page
    _, page = await get(reader, "/kb?q=拖欠工资&kind=approval")
    assert 'href="/kb/labour.unpaid-wages"' not in page
    _, everything = await get(reader, "/kb")
    _, family = await get(reader, "/kb?subject=family")
    assert 'href="/kb/marriage.' in family
    assert 'href="/kb/labour.' not in family
    assert "先列出 60 条" in everything


async def test_an_entry_is_shown_whole_with_its_neighbours(reader: aiohttp.ClientSession) -> None:
    status, page = await get(reader, "/kb/labour.unpaid-wages")
    assert status == 200
    for part in ("劳动监察", "依据", "劳动合同法第三十条", "相关问题", "待本县律师确认"):
        assert part in page
    assert "{place." not in page
    _, notice = await get(reader, "/kb/approval.people.id-card-lost")
    assert "一次性告知" in notice or "没有这一条" in notice


async def test_every_entry_has_its_page(reader: aiohttp.ClientSession, start_bot: StartBot) -> None:
    _, page = await get(reader, "/kb?kind=approval")
    paths = [part.split('"')[0] for part in page.split('href="/kb/')[1:]]
    assert len(paths) == 60
    for path in paths:
        status, shown = await get(reader, f"/kb/{path}")
        assert status == 200
        assert "谁来办" in shown


@pytest.mark.parametrize(
    "path",
    [
        "/kb/no.such",
        "/kb/..%2f..%2fetc",
        "/kb?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/kb?q=" + "长" * 900,
        "/kb?kind=x&subject=y",
    ],
)
async def test_whatever_is_asked_nothing_breaks(reader: aiohttp.ClientSession, path: str) -> None:
    status, page = await get(reader, path)
    assert status in {200, 404}
    assert "<script>alert" not in page
