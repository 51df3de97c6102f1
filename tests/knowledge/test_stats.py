"""Figures for those who write: coverage of questions, and how entries read."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace
from typer.testing import CliRunner

from knowledge.cli import app
from knowledge.load import KnowledgeBase
from knowledge.stats import LONG_SENTENCE, readability


def test_coverage_counts_answers_choices_and_nothing(tmp_path: Path) -> None:
    asked = ["单位拖欠工资怎么办", "今天天气真好", "欠薪"]
    lines = [json.dumps({"id": str(number), "question": text}) for number, text in enumerate(asked)]
    (tmp_path / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    printed = CliRunner().invoke(app, ["stats", "--coverage", str(tmp_path / "questions.jsonl")]).stdout
    figures = {line.split()[0]: int(line.split()[1]) for line in printed.splitlines()}
    assert figures == {"questions": 3, "answer": 2, "choices": 0, "none": 1}


def test_long_sentences_and_words_of_the_trade_are_named(base: KnowledgeBase) -> None:
    entry = base.entries["labour.unpaid-wages"]
    hard = replace(entry, answer=f"{'长' * (LONG_SENTENCE + 1)}。可以行使代位权。", more="短。")
    assert readability(hard).long == 1
    assert readability(hard).longest == LONG_SENTENCE + 1
    assert readability(hard).unexplained == ("代位权",)
    explained = replace(entry, answer="可以行使代位权（替债务人去要债）。", more="")
    assert readability(explained).unexplained == ()


# Where it stood when first measured: it may fall, never rise.
HARD_SHARE = 0.11


def test_most_entries_read_easily(base: KnowledgeBase) -> None:
    measured = [readability(entry) for entry in base.entries.values()]
    assert sum(one.long > 2 for one in measured) <= len(measured) * HARD_SHARE
