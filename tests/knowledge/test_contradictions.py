"""Figures that differ for the same thing are found, and stay found until somebody settles them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from knowledge.cli import app
from knowledge.contradictions import SETTLED, Mention, Settled, contradictions, mentions, read_settled, stale
from knowledge.entry import Deadline, Entry
from knowledge.load import CONTENT, ContentError, KnowledgeBase

ARTICLE = "行政处罚法第六十四条"


@pytest.fixture
def entry(base: KnowledgeBase) -> Entry:
    return replace(base.entries["labour.unpaid-wages"], answer="", more="", deadlines=())


def _deadline(within: str, days: str = "calendar") -> Deadline:
    return msgspec.convert(
        {"what": "要求听证", "within": within, "from": "告知之日", "days": days, "basis": ARTICLE}, Deadline
    )


def _says(entry: Entry, text: str, name: str = "a.a") -> Entry:
    return replace(entry, id=name, answer=text)


def _figures(entry: Entry) -> set[tuple[str, str]]:
    return {(one.subject, one.figure) for one in mentions(entry)}


def test_the_shipped_content_holds_no_unsettled_contradiction(base: KnowledgeBase) -> None:
    work = contradictions(base.entries.values(), read_settled(CONTENT))
    assert [(subject, one.figure, one.entry) for subject, said in work for one in said] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("自知道之日起60日内申请行政复议。", {("复议·日", "60日")}),
        ("60天内复议；6个月内起诉", {("复议·日", "60日"), ("起诉·个月", "6个月")}),
        ("告知后5个工作日内可以要求听证", {("听证·日", "5个工作日")}),
        ("试用期工资不低于约定工资的80%", {("试用期·%", "80%")}),
        ("2027年1月1日起复议有新规定", set()),
        ("复议要写清楚是谁、告哪个机关、不服哪个行为，最好在60日内", set()),
        ("60日内去。复议不收费", set()),
    ],
)
def test_a_figure_belongs_to_the_words_beside_it(entry: Entry, text: str, found: set[tuple[str, str]]) -> None:
    assert _figures(_says(entry, text)) == found


@pytest.mark.parametrize(
    ("deadline", "figure"),
    [(_deadline("5日"), "5日"), (_deadline("5天", "working"), "5个工作日"), (_deadline("5个工作日"), "5个工作日")],
)
def test_a_deadline_belongs_to_its_article(entry: Entry, deadline: Deadline, figure: str) -> None:
    assert _figures(replace(entry, deadlines=(deadline,))) == {(ARTICLE, figure)}


def test_only_figures_that_differ_are_work(entry: Entry) -> None:
    one, same, other = (
        _says(entry, f"{days}内复议", name) for days, name in (("60日", "a.a"), ("60天", "b.b"), ("90日", "c.c"))
    )
    assert contradictions([one, same]) == []
    assert [
        (subject, [(said.figure, said.entry) for said in group]) for subject, group in contradictions([other, same])
    ] == [("复议·日", [("60日", "b.b"), ("90日", "c.c")])]


def test_what_is_settled_for_some_is_not_settled_for_others(entry: Entry) -> None:
    entries = [_says(entry, "60日内复议", "a.a"), _says(entry, "30日内复议", "b.b"), _says(entry, "30日内复议", "c.c")]
    rule = Settled("复议·日", "60日", frozenset({"*"}), "行政复议")
    pinned = Settled("复议·日", "30日", frozenset({"b.b"}), "刑事赔偿")
    assert contradictions(entries, [rule, pinned]) == [("复议·日", [Mention("复议·日", "30日", "c.c", "30日内复议")])]
    assert contradictions(entries[:2], [rule, pinned]) == []
    assert stale(entries[:1], [rule, pinned]) == [pinned]


def test_a_crooked_line_is_refused(tmp_path: Path) -> None:
    assert read_settled(tmp_path) == ()
    (tmp_path / SETTLED).write_text("# 说明\n复议·日\t60日\t*\t行政复议\n复议·日\t30日\t*\n", encoding="utf-8")
    with pytest.raises(ContentError, match="line 3"):
        read_settled(tmp_path)


def test_the_worklist_is_empty_on_the_command_line() -> None:
    printed = CliRunner().invoke(app, ["check", "--contradictions"])
    assert printed.exit_code == 0
    assert printed.stdout.splitlines()[-1].startswith("0 subjects")
