"""The chat page in real Chromium: as a person uses it, with fingers, with keys, on a bad line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from playwright.async_api import Browser, Page, Route, expect

from tests.browser.conftest import PHONE
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
QUESTION = "单位拖欠工资怎么办"


async def ask(page: Page, text: str) -> None:
    answers = await page.locator(".theirs").count()
    await page.fill("#words", text)
    await page.click("#send")
    await expect(page.locator(".theirs")).to_have_count(answers + 1)
    await expect(page.locator(".dots")).to_have_count(0)


async def test_a_first_visit_is_greeted_and_a_question_answered(page: Page, bot: Bot, rows: Rows) -> None:
    await expect(page.locator(".theirs").first).to_contain_text("大白话")
    await expect(page.locator(".taps button")).to_have_count(9)
    assert await page.evaluate("talk.scrollTop") == 0
    await ask(page, QUESTION)
    await expect(page.locator(".mine").last).to_contain_text(QUESTION)
    answer = page.locator(".theirs").last
    await expect(answer).to_contain_text("劳动监察")
    await expect(answer.locator(".foot")).to_contain_text("依据：劳动合同法第30、85条")
    assert rows(bot.settings, "SELECT count(*) FROM consultations") == [(1,)]


async def test_lines_are_tapped(page: Page) -> None:
    await page.get_by_role("button", name="▸ 怎么信访", exact=True).tap()
    await expect(page.locator(".mine").last).to_contain_text("怎么信访")
    await expect(page.locator(".theirs").last).to_contain_text("信访工作条例")
    await page.get_by_role("button", name="▸ 没用").last.tap()
    await expect(page.locator(".theirs").last).to_contain_text("对不起")


async def test_keys_alone_are_enough(page: Page) -> None:
    await page.keyboard.press("Tab")
    seen = set()
    for _ in range(14):
        focused = await page.evaluate("document.activeElement.id || document.activeElement.textContent")
        seen.add(focused)
        if focused == "words":
            break
        await page.keyboard.press("Tab")
    assert "words" in seen
    assert any("怎么信访" in one for one in seen)
    await page.keyboard.type("你好")
    await page.keyboard.press("Enter")
    await expect(page.locator(".theirs")).to_have_count(2)
    assert await page.evaluate("document.activeElement.id") == "words"
    await page.keyboard.type("一行")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("两行")
    assert await page.input_value("#words") == "一行\n两行"


async def test_a_reload_resumes_with_scroll_at_the_end_and_the_draft_kept(page: Page) -> None:
    await ask(page, QUESTION)
    await page.fill("#words", "写到一半")
    await page.reload()
    await page.wait_for_selector("#talk[data-ready]")
    await expect(page.locator(".mine")).to_have_count(1)
    await expect(page.locator(".theirs")).to_have_count(2)
    assert await page.input_value("#words") == "写到一半"
    assert await page.evaluate("talk.scrollTop + talk.clientHeight >= talk.scrollHeight - 2")


async def test_nothing_overflows_on_a_phone_or_at_double_size(browser: Browser, bot: Bot) -> None:
    for width, zoom in ((375, 1.0), (320, 1.0), (375, 2.0)):
        context = await browser.new_context(viewport={"width": int(width / zoom), "height": int(720 / zoom)})
        page = await context.new_page()
        await page.goto(bot.url)
        await page.wait_for_selector("#talk[data-ready]")
        await ask(page, QUESTION + "很长的一个词abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, zoom)
        assert await page.evaluate("send.getBoundingClientRect().bottom <= innerHeight"), (width, zoom)
        heights = await page.evaluate("[...document.querySelectorAll('button')].map(b => b.offsetHeight)")
        assert min(heights) >= 43
        await context.close()


async def test_what_people_type_is_shown_as_text(page: Page) -> None:
    text = "<img src=x onerror=\"document.title='hacked'\"><b>粗</b>'; DROP TABLE inbox;"
    await ask(page, text)
    await expect(page.locator(".mine .bubble").last).to_have_text(text)
    assert await page.locator("img").count() == 0
    await page.reload()
    await page.wait_for_selector("#talk[data-ready]")
    await expect(page.locator(".mine .bubble").last).to_have_text(text)
    assert "hacked" not in await page.title()


async def test_dots_show_while_it_thinks_and_answers_keep_their_order(page: Page) -> None:
    gate = asyncio.Event()

    async def slow(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await page.route("**/chat/messages", slow)
    for text in ("你好", "谢谢"):
        await page.fill("#words", text)
        await page.keyboard.press("Enter")
    await expect(page.locator(".mine")).to_have_count(2)
    await expect(page.locator(".dots")).to_have_count(1)
    gate.set()
    await expect(page.locator(".theirs")).to_have_count(3)
    await expect(page.locator(".theirs").last).to_contain_text("不用客气")
    await expect(page.locator(".dots")).to_have_count(0)


async def test_a_lost_message_can_be_sent_again_and_counts_once(page: Page, bot: Bot, rows: Rows) -> None:
    async def deliver_but_lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/chat/messages", deliver_but_lose_the_answer)
    await page.fill("#words", QUESTION)
    await page.click("#send")
    await expect(page.locator("#notice")).to_contain_text("没有发出去")
    await page.unroute("**/chat/messages")
    await page.get_by_role("button", name="重发").tap()
    await expect(page.locator(".theirs").last).to_contain_text("劳动监察")
    await expect(page.locator("#notice")).to_be_hidden()
    assert rows(bot.settings, "SELECT count(*) FROM inbox WHERE kind = 'text'") == [(1,)]


async def test_too_fast_is_told_and_the_words_are_kept(page: Page) -> None:
    for _ in range(20):
        await ask(page, "好")
    await page.fill("#words", QUESTION)
    await page.click("#send")
    await expect(page.locator("#notice")).to_contain_text("有点快")
    assert await page.input_value("#words") == QUESTION
    await expect(page.locator(".mine")).to_have_count(20)


async def test_a_long_answer_is_read_from_its_beginning(page: Page) -> None:
    await ask(page, QUESTION)
    mine = await page.locator(".mine").last.bounding_box()
    assert mine is not None
    assert 0 <= mine["y"] < PHONE["height"] / 2
