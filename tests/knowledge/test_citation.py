"""Citations: read, written and summarised without loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.citation import Citation, parse, summarise, to_chinese, to_int


@pytest.mark.parametrize(
    ("text", "cite"),
    [
        ("民法典第一百八十八条", Citation("民法典", 188)),
        ("民法典第十条", Citation("民法典", 10)),
        ("民法典第一千零一条第二款", Citation("民法典", 1001, clause=2)),
        ("刑法第二百七十六条之一", Citation("刑法", 276, extra=1)),
        ("民法典第一千零七十九条第三款第（二）项", Citation("民法典", 1079, clause=3, item=2)),
        (
            "最高人民法院关于适用《民法典》婚姻家庭编的解释（一）第五条",
            Citation("最高人民法院关于适用《民法典》婚姻家庭编的解释（一）", 5),
        ),
        ("《信访工作条例》第18条", Citation("信访工作条例", 18)),
    ],
)
def test_reads_what_lawyers_write(text: str, cite: Citation) -> None:
    assert parse(text) == cite


@pytest.mark.parametrize("text", ["", "民法典", "第五条", "民法典五条", "民法典第条", "民法典第五百", "see article 5"])
def test_refuses_what_names_no_article(text: str) -> None:
    with pytest.raises(ValueError, match="not a citation"):
        parse(text)


@given(st.integers(min_value=1, max_value=9999))
def test_numerals_survive_both_ways(number: int) -> None:
    assert to_int(to_chinese(number)) == number


@pytest.mark.parametrize(
    ("number", "chinese"),
    [
        (1, "一"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (101, "一百零一"),
        (110, "一百一十"),
        (1005, "一千零五"),
        (1260, "一千二百六十"),
    ],
)
def test_numerals_as_statutes_print_them(number: int, chinese: str) -> None:
    assert to_chinese(number) == chinese


def test_one_line_groups_by_law_in_order_of_first_mention() -> None:
    cites = map(
        parse,
        ["劳动合同法第三十条", "刑法第二百七十六条之一", "劳动合同法第八十五条", "刑法第五条", "刑法第五条第一款"],
    )
    assert summarise(cites, {"刑法": "刑"}) == "劳动合同法第30、85条；刑第5条、第276条之一"
