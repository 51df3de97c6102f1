"""What a message means as a lawyer's, and when it is a citizen's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import counsel
from bot.conversation.counsel import Command, Waiting, read
from knowledge.reply import TEXT_LIMIT


@pytest.mark.parametrize(
    ("text", "outside", "inside"),
    [
        ("上班", Command("on"), Command("on")),
        ("接单", Command("claim"), Command("claim")),
        ("接单 2", Command("claim", "2"), Command("claim", "2")),
        ("接单2。", Command("claim", "2"), Command("claim", "2")),
        ("排队", Command("queue"), Command("queue")),
        ("律师帮助", Command("help"), Command("help")),
        ("解除绑定", Command("unbind"), Command("unbind")),
        ("绑定 12345678", Command("bind", "12345678"), Command("bind", "12345678")),
        ("帮助", None, Command("help")),
        ("下班", None, Command("off")),
        ("我要咨询", None, Command("citizen")),
        ("结束", None, Command("close")),
        ("结束 转信访", None, Command("close", "转信访")),
        ("结束已解答", None, Command("close", "已解答")),
        ("转交李律师", None, Command("transfer", "李律师")),
        ("转交给李律师", None, Command("transfer", "李律师")),
        ("切换 3", None, Command("switch", "3")),
        ("退回", None, Command("release")),
        ("回复 您好", None, Command("say", "您好")),
        ("下班的时候受伤算工伤", None, Command("say", "下班的时候受伤算工伤")),
        ("单位拖欠工资怎么办", None, Command("say", "单位拖欠工资怎么办")),
    ],
)
def test_words_mean_what_the_mode_says(text: str, outside: Command | None, inside: Command) -> None:
    assert read(text, "", lawyer=True, inside=False) == outside
    assert read(text, "", lawyer=True, inside=True) == inside
    expected = inside if inside.act == "bind" else None
    assert read(text, "", lawyer=False, inside=False) == expected


def test_taps_of_answers_stay_a_citizens() -> None:
    assert read("有用", "good:labour.unpaid-wages", lawyer=True, inside=True) is None
    assert read("接单 1", "law:claim:h1", lawyer=True, inside=False) == Command("claim", "h1")
    assert read("x", "law:nonsense", lawyer=True, inside=True) is None
    assert read("接单 1", "law:claim:h1", lawyer=False, inside=False) is None


@given(st.text(), st.booleans(), st.booleans())
def test_anything_may_be_typed(text: str, lawyer: bool, inside: bool) -> None:
    found = read(text, "", lawyer=lawyer, inside=inside and lawyer)
    assert found is None or lawyer or found.act == "bind"


def test_what_a_lawyer_reads_fits_one_message() -> None:
    waiting = [Waiting(f"{n:036}", "买东西被骗", "某某某某某某乡", 1234, urgent=True) for n in range(60)]
    assert counsel.queue(waiting, counsel.TAKEN.format(name="王律师") + "\n").size <= TEXT_LIMIT
    assert counsel.attending(12, "买东西被骗，某某乡", ["群众：" + "长" * 4000, *["律师：好"] * 300]).size <= TEXT_LIMIT
    assert counsel.attending(12, "买东西被骗", ["群众：" + "长。" * 4000]).size <= TEXT_LIMIT
    assert counsel.held([(n, f"{n:036}", "买东西被骗") for n in range(1, 60)], "").size <= TEXT_LIMIT
