"""Where a message divides: questions with their stories, and what stands beside them."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from knowledge.search.normalise import tidy
from knowledge.search.parts import LEAST_LETTERS, asides, clauses, divides, questions

PIECES = st.sampled_from(
    [
        "我想离婚",
        "孩子归谁",
        "怎么办",
        "另外",
        "还有",
        "第二，",
        "1、",
        "2.",
        "(3)",
        "，",
        ",",
        "。",
        "？",
        "\n",
        " ",
        "😀",
        "1,000元",
        "呢",
        "吗",
    ]
)
MESSAGES = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join))


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("公司拖欠工资怎么办", ["公司拖欠工资怎么办"]),
        ("公司拖欠工资三个月了,怎么要回来", ["公司拖欠工资三个月了,怎么要回来"]),
        ("孩子归谁,房子怎么分", ["孩子归谁,", "房子怎么分"]),
        ("我想离婚,孩子归谁,房子怎么分", ["我想离婚,孩子归谁,", "我想离婚,房子怎么分"]),
        (
            "我想离婚,孩子归谁,房子怎么分,另外老板还欠我工资咋办",
            ["我想离婚,孩子归谁,", "我想离婚,房子怎么分,", "老板还欠我工资咋办"],
        ),
        ("押金不退找谁?我住了两年,房东要涨租合法吗?", ["押金不退找谁?", "我住了两年,房东要涨租合法吗?"]),
        ("1、怎么申请法律援助 2、请律师多少钱", ["怎么申请法律援助 ", "请律师多少钱"]),
        ("(1)低保怎么申请 (2)残疾证怎么办", ["低保怎么申请 ", "残疾证怎么办"]),
        ("低保怎么申请顺便问一下残疾证怎么办", ["低保怎么申请", "问一下残疾证怎么办"]),
        ("低保怎么申请还有残疾证怎么办", ["低保怎么申请", "残疾证怎么办"]),
        # What only leans on the question before it is none of its own.
        ("单位拖欠工资怎么办?需要什么证据", ["单位拖欠工资怎么办?需要什么证据"]),
        ("盗窃三千块会判多久,会不会坐牢", ["盗窃三千块会判多久,会不会坐牢"]),
        # A sum is no list, a date neither.
        ("我借出去10,000元怎么要回来", ["我借出去10,000元怎么要回来"]),
        ("拖欠工资1.5万元怎么要", ["拖欠工资1.5万元怎么要"]),
        ("家里还有没有分的地怎么办", ["家里还有没有分的地怎么办"]),
        # A story without a question asks nothing by itself.
        ("我被打了,现在在医院", []),
        ("", []),
    ],
)
def test_a_message_is_divided_into_its_questions(message: str, asked: list[str]) -> None:
    assert [part.whole for part in questions(message)] == asked


@pytest.mark.parametrize(
    ("message", "beside"),
    [
        ("我把煤气打开了,等着睡过去", []),
        ("孩子归谁,房子怎么分,另外我不想活了,药都买好了", ["我不想活了,药都买好了"]),
        ("他在砸门。孩子归谁", ["他在砸门。", "孩子归谁"]),
        ("工资怎么要回来?他拿着刀,押金不退找谁?", ["工资怎么要回来?", "他拿着刀,", "他拿着刀,押金不退找谁?"]),
        ("公司拖欠工资怎么办", []),
        ("", []),
    ],
)
def test_what_stands_beside_the_questions_is_named(message: str, beside: list[str]) -> None:
    assert asides(message) == beside


@given(MESSAGES)
def test_dividing_loses_no_character(message: str) -> None:
    assert "".join(clause.text for clause in clauses(message)) == message


@given(MESSAGES)
def test_questions_stand_in_the_message_in_its_order(message: str) -> None:
    at = 0
    for part in questions(tidy(message)):
        # Words that go on to something else are left out between the clauses of a story, nothing else.
        assert set(part.whole) <= set(tidy(message))
        head = part.asked.split(" ")[0][:4]
        at = tidy(message).find(head, at)
        assert at >= 0


@given(st.sampled_from(["还有", "1、", "，", "呢😀", "吗？", "第二个问题", "我不想活了。", "😀", "\n", "另外 "]))
@settings(max_examples=10, deadline=1000)
def test_ten_thousand_characters_take_a_moment(piece: str) -> None:
    message = (piece * 10_000)[:10_000]
    assert "".join(clause.text for clause in clauses(message)) == message
    questions(message)
    asides(message)


@pytest.mark.parametrize(
    ("message", "may"),
    [
        ("公司拖欠工资怎么办", False),
        ("公司拖欠工资怎么办？", False),
        ("工资，押金", False),
        ("我在工地干活摔伤了老板不管也没有签劳动合同能不能算工伤", False),
        ("公司拖欠工资怎么办，押金呢", True),
        ("公司拖欠工资怎么办另外押金不退呢", True),
        ("公司拖欠工资怎么办\n押金不退", True),
    ],
)
def test_most_messages_have_nothing_to_divide(message: str, *, may: bool) -> None:
    assert divides(message) == may


@given(MESSAGES)
@example("，八个字母在后面哪")
@example("七个字母在前面1、")
def test_what_has_nothing_to_divide_is_one_clause(message: str) -> None:
    if len(message) >= 9 and not divides(message):
        assert len([clause for clause in clauses(message) if sum(map(str.isalnum, clause.text)) >= LEAST_LETTERS]) <= 1
