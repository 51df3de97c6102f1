"""Each rule of the content check, shown to bite."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from knowledge.check import check
from knowledge.entry import Entry
from knowledge.load import ContentError, KnowledgeBase, load, read_entries
from knowledge.search.rank import NOTHING, Result, Search

DAY = date(2026, 11, 22)


def nothing(text: str, day: date, *, context: str = "") -> Result:
    return NOTHING


def faults(base: KnowledgeBase, entry: Entry, search: Search) -> list[str]:
    changed = KnowledgeBase(base.entries | {entry.id: entry}, base.statutes, base.places, base.lexicon)
    found = check(changed, [entry], DAY, search)
    # Staff read them in Chinese: every one is there, and says more than the English words in it.
    assert all(re.search("[一-鿿]{2}", one.chinese) for one in found)
    return [one.text for one in found if one.fatal]


GOOD = "labour.unpaid-wages"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "debt.unpaid-wages"}, "does not start with its category"),
        ({"category": "petition.basics", "id": "petition.basics.x"}, "does not belong to kind"),
        ({"kind": "approval", "category": "approval.people", "id": "approval.people.x"}, "approval block"),
        ({"question": "问" * 31}, "at most 30"),
        ({"asks": ("欠薪", "工钱")}, "needs 6 to 15"),
        ({"answer": "太短。"}, "needs 120 to 400"),
        ({"answer": "长" * 401}, "needs 120 to 400"),
        ({"more": "长" * 401}, "at most 400"),
        ({"answer": "这官司一定能赢。" + "好" * 120}, "promises an outcome"),
        ({"answer": "**重点**" + "好" * 120}, "markup"),
        ({"answer": "到{place.nowhere}去。" + "好" * 120}, "unknown placeholder"),
        ({"answer": "到{court}去。" + "好" * 120}, "unknown placeholder"),
        ({"answer": "依据第九百条办。" + "好" * 120}, "not in `basis`"),
        ({"answer": "依据《公司法》办。" + "好" * 120}, "not in `basis`"),
        ({"basis": ()}, "no basis"),
        ({"basis": ("劳动合同法第九百条",)}, "has no 第九百条"),
        ({"basis": ("没有的法第一条",)}, "not in statutes.yaml"),
        ({"basis": ("环境保护法第一条",)}, "not in force"),
        ({"basis": ("商标法（2027年1月1日起）第一条",)}, "not in force"),
        ({"basis": ("婚姻登记条例第八条",)}, "belongs under `unverified`"),
        ({"basis": ("劳动合同法",)}, "not a citation"),
        ({"see_also": (GOOD,)}, "names itself"),
        ({"reviewed": date(2027, 1, 1)}, "still to come"),
        ({"asks": ("欠薪了",) * 6}, "stands twice"),
        (
            {"answer": "好" * 399, "basis": tuple(f"劳动合同法第{n}条" for n in range(1, 90))},
            "too long for one message",
        ),
    ],
)
def test_what_the_check_refuses(base: KnowledgeBase, change: dict[str, Any], says: str) -> None:
    entry = replace(base.entries[GOOD], **change)
    assert any(says.replace("approval block", "`approval` block") in text for text in faults(base, entry, nothing))


def test_a_wording_that_finds_another_entry_is_named(base: KnowledgeBase, search: Search) -> None:
    entry = base.entries[GOOD]
    stray = replace(entry, asks=("什么是信访，哪些人可以信访", *entry.asks[1:]))
    assert any("finds petition.basics.what-is instead" in text for text in faults(base, stray, search))


def test_a_wording_two_entries_share_is_named(base: KnowledgeBase, search: Search) -> None:
    other = base.entries["wages.who-pays"]
    twin = replace(base.entries[GOOD], asks=(other.asks[0], *base.entries[GOOD].asks[1:]))
    assert any("wages.who-pays too" in text for text in faults(base, twin, search))


def test_an_unverified_citation_whose_text_is_there_is_named(base: KnowledgeBase) -> None:
    raw = msgspec.to_builtins(base.entries[GOOD]) | {"unverified": [{"cite": "民法典第一条", "note": "x"}]}
    entry = msgspec.convert(raw, Entry)
    assert any("open it and cite it" in text for text in faults(base, entry, nothing))


def written(folder: Path, text: str) -> list[str]:
    path = folder / "legal" / "x.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    problems: list[ContentError] = []
    list(read_entries(path, folder, problems))
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: legal\n  broken", "legal/x.yaml: "),
        ("[]", "kind, category and entries"),
        ("kind: legal\ncategory: a\nentries: []\nmore: 1", "kind, category and entries"),
        ("kind: legal\ncategory: a\nentries: [1]", "legal/x.yaml"),
        ("kind: legal\ncategory: a\nentries: [{id: a.b}]", "a.b: Object missing required field"),
        ("kind: legal\ncategory: a\nentries: [{id: A B}]", "A B:"),
        (
            "kind: other\ncategory: a\nentries: [{id: a.b, question: q, asks: [], answer: a, reviewed: 2026-11-22}]",
            "kind",
        ),
        (
            "kind: legal\ncategory: a\nentries: [{id: a.b, question: q, asks: [], answer: a, reviewed: 2026-11-22, x: 1}]",
            "unknown field `x`",
        ),
        (
            "kind: legal\ncategory: a\nentries: [{id: a.b, question: q, asks: [], answer: a, reviewed: soon}]",
            "reviewed",
        ),
    ],
)
def test_a_broken_file_is_named_with_entry_and_field(tmp_path: Path, text: str, says: str) -> None:
    problems = written(tmp_path, text)
    assert len(problems) == 1
    assert says in problems[0]


def test_the_same_id_twice_is_refused(tmp_path: Path, base: KnowledgeBase) -> None:
    content = Path(load.__code__.co_filename).parent / "content"
    for name in ("statutes.yaml", "places.yaml", "lexicon.yaml"):
        (tmp_path / name).write_text((content / name).read_text(encoding="utf-8"), encoding="utf-8")
    row = {"id": "a.b", "question": "q", "asks": ["w"], "answer": "a", "reviewed": DAY}
    (tmp_path / "legal").mkdir()
    for name in ("one", "two"):
        body = {"kind": "legal", "category": "a", "entries": [row]}
        (tmp_path / "legal" / f"{name}.yaml").write_text(yaml.safe_dump(body), encoding="utf-8")
    with pytest.raises(ContentError, match=r"two\.yaml: a\.b stands already in legal/one\.yaml"):
        load(tmp_path)


def test_the_version_of_an_entry_changes_with_its_text(tmp_path: Path) -> None:
    row = {"id": "a.b", "question": "q", "asks": ["w"], "answer": "a", "reviewed": DAY}
    versions = []
    for text in ("a", "b", "a"):
        path = tmp_path / "x.yaml"
        path.write_text(
            yaml.safe_dump({"kind": "legal", "category": "a", "entries": [row | {"answer": text}]}), "utf-8"
        )
        versions += [entry.version for entry in read_entries(path, tmp_path, [])]
    assert versions[0] == versions[2] != versions[1]
