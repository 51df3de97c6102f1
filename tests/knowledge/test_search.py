"""Search: normalising, ranking, verdicts, and the contracts programs rely on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from operator import mul
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from typer.testing import CliRunner

from knowledge.cli import app
from knowledge.entry import Validity
from knowledge.load import KnowledgeBase
from knowledge.search.index import Concepts
from knowledge.search.mixer import SETTLED, load_mixer
from knowledge.search.normalise import _converter, normalise, tidy
from knowledge.search.pool import Index, Pool
from knowledge.search.rank import SHOWN, Search, Searcher, searcher
from knowledge.search.why import shared, why

DAY = date(2026, 11, 22)
HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        ("你好，请问一下公司不给工资咋办？谢谢！", "公司不给工资怎么办"),
        ("律师您好！我想咨询一下，離婚財產怎麼分", "离婚财产怎么分"),
        ("ＡＢＣ１２３", "abc123"),
        ("欠帐不还", "欠账不还"),
        ("劳动种裁要多久啊", "劳动仲裁要多久"),
        ("户口本丢了", "户口簿丢了"),
        ("在吗", "在吗"),
        ("谢谢", "谢谢"),
        ("", ""),
        ("\x00\x07工\u200b资", "工资"),
    ],
)
def test_messages_are_brought_to_one_form(message: str, plain: str) -> None:
    assert normalise(message) == plain


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing_more_than_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert all(char.isalnum() for char in normalise(text))


def test_what_passes_by_the_converter_is_simplified_already() -> None:
    codes = (bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    plain = [char for code in codes if (char := code.decode("gb2312", errors="ignore"))]
    assert len(plain) == 6763
    assert [char for char in plain if _converter().convert(char) != tidy(char)] == []
    assert tidy("答覆說打坏了") == "答复说打坯了"  # the converter's own mistake, where it is needed
    assert tidy("打坏了") == "打坏了"


def test_a_long_story_keeps_its_beginning_and_its_end() -> None:
    plain = normalise("开头说工伤" + "中" * 5000 + "结尾问赔偿")
    assert plain.startswith("开头说工伤")
    assert plain.endswith("结尾问赔偿")
    assert len(plain) <= 600


def test_every_wording_finds_its_own_entry(base: KnowledgeBase, search: Search) -> None:
    wrong = [
        f"{entry.id}: {wording}"
        for entry in base.entries.values()
        for wording in entry.wordings
        if (best := search(wording, max(DAY, entry.valid.starts or DAY)).best) is None or best.entry != entry.id
    ]
    assert wrong == []


def test_the_same_message_gets_the_same_result(search: Search) -> None:
    assert search("老板不给钱怎么办", DAY) == search("老板不给钱怎么办", DAY)


def test_confidences_fall_and_lie_between_zero_and_one(search: Search) -> None:
    found = [one.confidence for one in search("离婚了孩子归谁", DAY).candidates]
    assert found == sorted(found, reverse=True)
    assert all(0 <= one <= 1 for one in found)


def test_an_entry_out_of_its_dates_is_not_served(base: KnowledgeBase) -> None:
    entry = base.entries["labour.unpaid-wages"]
    ended = replace(entry, valid=Validity(ends=date(2026, 11, 21)))
    changed = KnowledgeBase(base.entries | {entry.id: ended}, base.statutes, base.places, base.lexicon)
    look = searcher(changed, load_mixer())
    assert entry.id in [one.entry for one in look(entry.question, date(2026, 11, 21)).candidates]
    assert entry.id not in [one.entry for one in look(entry.question, DAY).candidates]


def test_an_entry_whose_law_ended_is_not_served(base: KnowledgeBase) -> None:
    entry = base.entries["labour.unpaid-wages"]
    law = replace(base.statutes.laws["劳动合同法"], until=date(2026, 11, 21))
    statutes = type(base.statutes)(base.statutes.laws | {"劳动合同法": law}, base.statutes.short)
    look = searcher(KnowledgeBase(base.entries, statutes, base.places, base.lexicon), load_mixer())
    assert entry.id not in [one.entry for one in look(entry.question, DAY).candidates]


def test_confirmed_only_serves_nothing_of_the_drafts(base: KnowledgeBase) -> None:
    assert searcher(base, load_mixer(), confirmed_only=True)("单位拖欠工资怎么办", DAY).candidates == ()


def plain_questions() -> list[tuple[str, set[str]]]:
    lines = (HERE / "plain_questions.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(row[0], set(row[1].split("|"))) for row in rows]


def test_what_everybody_types_first_is_understood(search: Search) -> None:
    """A floor under the plain questions; the figures to steer by come from `python -m knowledge fit`."""
    asked = plain_questions()
    results = [(search(question, DAY), right) for question, right in asked]
    first = sum(result.best is not None and result.best.entry in right for result, right in results)
    offered = sum(bool({one.entry for one in result.offered} & right) for result, right in results)
    answered = [(result, right) for result, right in results if result.verdict == "answer" and result.best]
    good = sum(result.best.entry in right for result, right in answered if result.best)
    assert len(asked) >= 300
    assert first / len(asked) >= 0.80
    assert offered / len(asked) >= 0.92
    assert good / len(answered) >= 0.93


def test_what_is_not_ours_is_not_answered(search: Search) -> None:
    lines = (HERE / "off_topic.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    answered = [row for row in rows if search(row[0], DAY).verdict == "answer"]
    assert len(rows) >= 100
    assert len(answered) <= len(rows) * 0.03, answered


def run(*arguments: str, stdin: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    return result.exit_code, result.stdout


def test_search_lines_for_programs() -> None:
    asked = [
        '{"id": 1, "question": "单位拖欠工资怎么办"}',
        "",
        '{"id": "b", "question": "今天天气真好"}',
        '{"id": 3, "question": ""}',
    ]
    code, printed = run("search", "--jsonl", "--day", "2026-11-22", stdin="\n".join(asked))
    rows = [msgspec.json.decode(line) for line in printed.splitlines()]
    assert code == 0
    assert [row["id"] for row in rows] == [1, "b", 3]
    assert all(set(row) == {"id", "verdict", "entry", "confidence", "candidates", "reply"} for row in rows)
    first = rows[0]
    assert first["verdict"] == "answer"
    assert first["entry"] == "labour.unpaid-wages"
    assert len(first["candidates"]) == 5
    assert first["candidates"][0] == {"entry": "labour.unpaid-wages", "confidence": first["confidence"]}
    assert "依据：劳动合同法第30、85条" in first["reply"]
    assert rows[1]["verdict"] == "none"
    assert rows[1]["entry"] is None
    assert rows[2]["reply"]


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"id": 1}'])
def test_a_bad_line_is_named(line: str) -> None:
    code, printed = run("search", "--jsonl", stdin=line)
    assert code == 2
    assert printed == ""


def test_search_for_people_shows_candidates_and_reply() -> None:
    code, printed = run("search", "单位拖欠工资怎么办")
    assert code == 0
    for word in ("verdict: answer", "labour.unpaid-wages", "confidence", "依据："):
        assert word in printed
    assert "最接近的问法" not in printed


def test_search_tells_why_when_asked() -> None:
    code, printed = run("search", "老板拖着工资不给怎么办", "--why")
    assert code == 0
    for word in ("最接近的问法“", "相同的字词：", "主要因为：", "ratio="):
        assert word in printed


@pytest.mark.parametrize(
    ("text", "other", "both"),
    [
        ("公司不给工资怎么办", "单位不给工资咋办", ("不给工资",)),
        ("押金房东不退", "房东不退押金", ("押金", "房东不退")),
        ("押金押金", "押金", ("押金",)),
        ("天气", "工资", ()),
        ("", "工资", ()),
    ],
)
def test_shared_runs_of_characters(text: str, other: str, both: tuple[str, ...]) -> None:
    assert shared(text, other) == both


def test_reasons_add_up_to_the_score(base: KnowledgeBase, search: Search) -> None:
    mixer = load_mixer()
    question = "老板拖着工资不给怎么办"
    result = search(question, DAY)
    reasons = why(question, result, mixer, Concepts(base.lexicon))
    assert [one.entry for one in reasons] == [one.entry for one in result.candidates]
    for one, reason in zip(result.candidates, reasons, strict=True):
        weighed = sum(map(mul, mixer.weights, one.signals)) + one.mended
        assert sum(part for _, part in reason.parts) == pytest.approx(weighed)


@pytest.mark.parametrize(
    "word", ["工资", "社保", "户口", "欠钱", "房租", "噪音", "老人", "打井", "砍树", "怀孕", "快递"]
)
def test_a_bare_word_of_ours_is_offered_what_there_is(search: Search, word: str) -> None:
    assert search(word, DAY).verdict in {"choices", "answer"}


def test_a_wording_to_the_letter_needs_no_weighing_up(base: KnowledgeBase, search: Search) -> None:
    entry = base.entries["labour.unpaid-wages"]
    for wording in (entry.question, f"请问{entry.asks[0]}？谢谢"):
        found = search(wording, DAY)
        assert (found.verdict, found.confidence) == ("answer", SETTLED)
        assert [one.signals for one in found.candidates] == [()] * SHOWN
        assert found.candidates[0].entry == entry.id
        assert len({one.entry for one in found.candidates}) == SHOWN
        reasons = why(wording, found, load_mixer(), Concepts(base.lexicon))
        assert "一字不差" in str(reasons[0])
        assert "意思相近" in str(reasons[1])


def test_a_wording_to_the_letter_of_what_is_not_served_is_searched(base: KnowledgeBase) -> None:
    entry = base.entries["labour.unpaid-wages"]
    ended = replace(entry, valid=Validity(ends=date(2026, 11, 21)))
    changed = KnowledgeBase(base.entries | {entry.id: ended}, base.statutes, base.places, base.lexicon)
    found = searcher(changed, load_mixer())(entry.question, DAY)
    assert found.candidates
    assert entry.id not in [one.entry for one in found.candidates]


def test_the_dearer_a_wrong_answer_the_fewer_answers(base: KnowledgeBase) -> None:
    questions = [question for question, _ in plain_questions()][:150]
    given = []
    for costs in (1.0, 3.0, 30.0):
        look = searcher(base, load_mixer(), wrong_costs=costs)
        given.append(sum(look(question, DAY).verdict == "answer" for question in questions))
    assert given[0] > given[1] > given[2]


def test_a_new_entry_is_found_by_meaning_before_anything_is_learned_anew(base: KnowledgeBase) -> None:
    entry = replace(base.entries["labour.unpaid-wages"], id="labour.brand-new")
    others = {name: one for name, one in base.entries.items() if name != "labour.unpaid-wages"}
    look = searcher(KnowledgeBase(others | {entry.id: entry}, base.statutes, base.places, base.lexicon), load_mixer())
    assert look("老板一直拖着不发薪水", DAY).candidates[0].entry == "labour.brand-new"


def test_show_prints_citations_for_programs() -> None:
    code, printed = run("show", "labour.unpaid-wages", "--json")
    entry = msgspec.json.decode(printed)
    assert code == 0
    assert "劳动合同法第三十条" in entry["basis"]
    assert entry["id"] == "labour.unpaid-wages"
    assert run("show", "no.such")[0] == 1


def test_stats_for_programs(base: KnowledgeBase) -> None:
    found = msgspec.json.decode(run("stats", "--json")[1])
    assert found["entries"] == len(base.entries)
    assert sum(found["by_kind"].values()) == found["entries"]
    assert sum(sum(group.values()) for group in found["by_category"].values()) == found["entries"]


def test_an_empty_base_answers_nothing(base: KnowledgeBase) -> None:
    empty = KnowledgeBase({}, base.statutes, base.places, base.lexicon)
    assert searcher(empty, load_mixer())("单位拖欠工资怎么办", DAY).candidates == ()


class Weighed:
    """How many messages were weighed up at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts: list[int] = []
        whole = Index.pools

        def pools(index: Index, texts: Sequence[str], *rest: Any, **named: Any) -> list[Pool | None]:
            self.counts.append(len(texts))
            return whole(index, texts, *rest, **named)

        monkeypatch.setattr(Index, "pools", pools)


def test_many_messages_are_found_as_each_alone(
    base: KnowledgeBase, search: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    wordings = [entry.wordings[-1] for entry in base.entries.values()][::9]
    odd = ["", "工", "😀😀", "今天天气真好", "hello world", "怎么办" * 300, "工资", "龘龘龘"]
    texts = [*(f"{wording}，另外对方不承认咋弄" for wording in wordings), *odd, *wordings[:5]]
    alone, together = (search.serving(confirmed_only=False) for _ in range(2))
    expected = [alone(text, DAY) for text in texts]
    weighed = Weighed(monkeypatch)
    together.ahead(texts, DAY)
    found = [together(text, DAY) for text in texts]
    assert [one.verdict for one in found] == [one.verdict for one in expected]
    assert [[each.entry for each in one.candidates] for one in found] == [
        [each.entry for each in one.candidates] for one in expected
    ]
    assert [one.confidence for one in found] == pytest.approx([one.confidence for one in expected], abs=2e-4)
    assert [one.ours for one in found] == pytest.approx([one.ours for one in expected], abs=1e-4)
    # All at once, and what was foreseen is not weighed up again.
    assert len(weighed.counts) == 1
    assert weighed.counts[0] > len(wordings)


def test_what_was_foreseen_on_one_day_is_not_found_on_another(base: KnowledgeBase) -> None:
    entry = next(one for one in base.entries.values() if one.kind == "legal")
    ended = replace(entry, valid=Validity(ends=DAY))
    look = searcher(dataclasses.replace(base, entries={**base.entries, entry.id: ended}), load_mixer())
    message = f"{entry.question}，对方不承认"
    look.ahead([message], DAY)
    look.ahead([message], DAY + timedelta(days=1))
    assert entry.id in [one.entry for one in look(message, DAY).candidates]
    assert entry.id not in [one.entry for one in look(message, DAY + timedelta(days=1)).candidates]
