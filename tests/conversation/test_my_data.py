"""我的记录 / 导出 / 删除, as a table of words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from bot.conversation.handoff.machine import Handoff
from bot.conversation.my_data import wants
from bot.conversation.turn import Held, Inbound, Outcome, Past, State
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search
from tests.conversation.helpers import NOW, Talk

HELD = Held(
    date(2026, 3, 1), 12, 3, 1, 2, "东关镇", (Past(date(2026, 11, 3), "工资工伤", "已解答"),), 730, 180,
    "https://fawen.example/my/secret",
)  # fmt: skip
WAITING = Handoff("h1", "c1", NOW, NOW, state="waiting", category="labour", queued_at=NOW)


@pytest.fixture
def talk(base: KnowledgeBase, search: Search) -> Talk:
    return Talk(base, search, held=HELD)


def text(outcome: Outcome) -> str:
    return "" if outcome.say is None else outcome.say.visible


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("我的记录", "show"),
        ("看看我的记录。", "show"),
        ("查看我的聊天记录", "show"),
        ("你们存了我什么", "show"),
        ("导出我的记录", "export"),
        ("下载我的数据", "export"),
        ("删除我的记录", "erase"),
        ("帮我删除聊天记录！", "erase"),
        ("把我的记录都删了", "erase"),
        ("清空记录", "erase"),
        ("确认删除", "sure"),
        ("征信记录怎么删除", ""),
        ("公司删除了我的打卡记录怎么办", ""),
        ("前夫偷看我的聊天记录犯法吗", ""),
        ("删除", ""),
        ("我的信息被卖了怎么办", ""),
        ("档案记录有误怎么改", ""),
    ],
)
def test_what_is_wanted(words: str, wanted: str) -> None:
    assert wants(Inbound("wechat", "o1", "m1", "text", NOW, text=words)) == wanted


def test_what_is_held_is_told_in_plain_words(talk: Talk) -> None:
    shown = talk.say("我的记录")
    for words in ("2026年3月1日", "12条", "咨询3次", "找律师1次", "2个", "东关镇", "11月3日 工资工伤，已解答", "730天"):
        assert words in text(shown)
    assert shown.record.data == "shown"
    assert shown.record.matter is None


def test_an_export_is_a_link_for_a_day(talk: Talk) -> None:
    given = talk.say("导出我的记录")
    assert "https://fawen.example/my/secret\n" in text(given)
    assert "明天10:00前" in text(given)
    assert given.record.data == "exported"
    talk.held = replace(HELD, link="")
    refused = talk.say("导出我的记录")
    assert refused.record.data == ""
    assert "窗口" in text(refused)


def test_deleting_asks_back_once(talk: Talk) -> None:
    asked = talk.say("删除我的记录")
    assert "找不回来" in text(asked)
    assert asked.record.data == ""
    done = talk.say("确认删除", tap="data:sure")
    assert done.record.data == "erased"
    assert talk.state == State()
    # The same tap again, or one from weeks ago, asks again.
    assert talk.say("确认删除", tap="data:sure").record.data == ""


@pytest.mark.parametrize("between", ["你好", "不删了"])
def test_whatever_comes_between_takes_the_question_back(talk: Talk, between: str) -> None:
    talk.say("删除我的记录")
    talk.say(between)
    assert talk.say("确认删除").record.data == ""


def test_the_question_lapses(talk: Talk) -> None:
    talk.say("删除我的记录")
    talk.now += timedelta(minutes=11)
    assert talk.say("确认删除").record.data == ""


def test_nothing_is_deleted_under_a_lawyers_eyes(talk: Talk) -> None:
    talk.say("删除我的记录")
    talk.handoff = WAITING
    for words in ("确认删除", "删除我的记录"):
        refused = talk.say(words)
        assert refused.record.data == ""
        assert "等这次咨询结束" in text(refused)
    assert talk.say("我的记录").record.data == "shown"
    talk.handoff = replace(WAITING, state="held", lawyer="zhang")
    assert talk.say("删除我的记录").record.flow == "relay"


def test_danger_wins(talk: Talk) -> None:
    talk.say("删除我的记录")
    assert talk.say("我不想活了，删除我的记录").record.flow.startswith("safety")


def test_a_stranger_is_told_that_there_is_nothing(talk: Talk) -> None:
    talk.held = None
    for words in ("我的记录", "导出我的记录", "删除我的记录", "确认删除"):
        outcome = talk.say(words)
        assert "还没有您的记录" in text(outcome)
        assert outcome.record.data in {"", "shown"}
