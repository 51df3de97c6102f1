"""Several questions in one message: which one is answered, which are offered, and that one question stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from knowledge.cli import app
from knowledge.danger import danger
from knowledge.load import KnowledgeBase
from knowledge.reply import TEXT_LIMIT, answer, for_result
from knowledge.search.examples import read_examples
from knowledge.search.mixer import Verdict
from knowledge.search.rank import NOTHING, Candidate, Result, Search
from knowledge.search.several import MOST_OTHERS, find
from knowledge.wording import ALSO, CHOOSE, CHOOSE_FIRST, MORE_HINT

DAY = date(2026, 11, 22)
QUESTIONS = Path(__file__).parents[3] / "shared" / "reference" / "questions" / "dev.jsonl"
DIVORCE = "我想离婚，孩子归谁，房子怎么分，另外老板还欠我工资咋办"


class Says:
    """A search that says what it was told to; counts how often it was asked."""

    def __init__(self, told: Mapping[str, Result]) -> None:
        self.told = told
        self.asked: list[str] = []

    def __call__(self, text: str, day: date, *, context: str = "") -> Result:
        self.asked.append(text)
        return self.told.get(text, NOTHING)


def says(verdict: Verdict, **candidates: float) -> Result:
    return Result(verdict, tuple(Candidate(name, sure, "", ()) for name, sure in candidates.items()), about_us=True)


WHOLE, ONE, TWO = "孩子怎么判给我?房子怎么分给我", "孩子怎么判给我?", "房子怎么分给我"


@pytest.mark.parametrize(
    ("whole", "one", "two", "verdict", "main", "others"),
    [
        # What the whole message is answered with stays, whatever its parts are answered with.
        (says("answer", b=0.9), says("answer", a=0.95), says("answer", b=0.9), "answer", "b", ["a"]),
        (says("answer", c=0.9), says("answer", a=0.9), says("answer", b=0.9), "answer", "c", ["a", "b"]),
        # Two parts are answered, each by its own entry: the first asked first.
        (says("choices", b=0.4, a=0.3), says("answer", a=0.85), says("answer", b=0.95), "answer", "a", ["b"]),
        # Two parts with the same answer are one question; sure enough if the whole points the same way.
        (says("choices", a=0.7), says("answer", a=0.9), says("answer", a=0.9), "answer", "a", []),
        (says("choices", a=0.4), says("answer", a=0.9), says("answer", a=0.9), "choices", "a", []),
        # One part is answered, the other nearly so.
        (says("choices", a=0.6), says("answer", a=0.9), says("choices", b=0.75), "answer", "a", ["b"]),
        (says("choices", b=0.6), says("answer", a=0.9), says("choices", b=0.75), "choices", "b", ["a"]),
        # What is only guessed is not offered.
        (says("answer", a=0.9), says("answer", a=0.9), says("choices", b=0.69), "answer", "a", []),
        (says("answer", a=0.9), says("answer", a=0.9), says("none", b=0.75), "answer", "a", []),
        (says("answer", a=0.9), says("answer", a=0.9), NOTHING, "answer", "a", []),
        (says("none", a=0.2), says("choices", a=0.75), says("choices", b=0.75), "none", "a", []),
    ],
)
def test_the_main_question_is_answered_and_the_others_offered(
    whole: Result, one: Result, two: Result, verdict: str, main: str, others: list[str]
) -> None:
    found = find(Says({WHOLE: whole, ONE: one, TWO: two}), WHOLE, DAY)
    assert (found.verdict, found.best and found.best.entry) == (verdict, main)
    assert [other.entry for other in found.others] == others
    assert [part.words for part in found.parts] == [ONE, TWO]


@pytest.mark.parametrize(
    "text",
    [
        "公司拖欠工资怎么办",
        "公司拖欠工资怎么办？",
        "单位拖欠工资怎么办？需要什么证据",
        "我被打了，他跑了",
        "怎么办，呢",
    ],
)
def test_a_single_question_is_searched_once(text: str) -> None:
    search = Says({text: says("choices", a=0.6)})
    assert find(search, text, DAY) == says("choices", a=0.6)
    assert search.asked == [text]


def test_a_wording_to_the_letter_is_not_divided() -> None:
    search = Says({WHOLE: says("answer", a=0.99)})
    assert find(search, WHOLE, DAY).parts == ()
    assert search.asked == [WHOLE]


def test_no_more_than_a_few_parts_are_searched_and_offered() -> None:
    asked = [f"{letter}的房子怎么分给我?" for letter in "甲乙丙丁戊己庚"]
    search = Says({text: says("answer", **{f"e{number}": 0.9}) for number, text in enumerate(asked)})
    search.told = {**search.told, "".join(asked): says("choices", e0=0.5)}
    found = find(search, "".join(asked), DAY)
    assert len(search.asked) == 1 + 5
    assert [other.entry for other in found.others] == ["e1", "e2", "e3"][:MOST_OTHERS]


def test_real_questions_stay_as_they_are(base: KnowledgeBase, search: Search) -> None:
    """Of real questions, nearly all of them one at a time, every fifth: no answer changes, and little else."""
    if not QUESTIONS.exists():
        pytest.skip("the real questions are not here")
    asked = [one.text for one in read_examples(QUESTIONS, base.entries) if one.right is not None][::5]
    both = [(search(text, DAY), find(search, text, DAY)) for text in asked]
    for alone, found in both:
        if alone.verdict != "choices":
            assert (found.verdict, found.candidates) == (alone.verdict, alone.candidates)
    assert sum(alone.verdict != found.verdict for alone, found in both) <= 0.015 * len(both)
    assert sum(bool(found.others) for _, found in both) <= 0.03 * len(both)


def test_choices_leave_room_for_what_was_asked_besides() -> None:
    main = says("choices", a=0.6, b=0.2, c=0.1, d=0.1)
    both = replace(main, others=says("answer", b=0.9, x=0.8).candidates)
    assert [one.entry for one in main.offered] == ["a", "b", "c", "d"]
    assert [one.entry for one in both.offered] == ["a", "c", "b", "x"]


def test_the_words_of_the_main_question_are_known() -> None:
    parts = {ONE: says("answer", a=0.9), TWO: says("answer", b=0.9)}
    assert find(Says({WHOLE: says("choices", b=0.6), **parts}), WHOLE, DAY).question == ONE
    assert find(Says({ONE: says("answer", a=0.9)}), ONE, DAY).question == ""


def test_most_questions_of_a_message_get_their_entries(search: Search) -> None:
    """A floor under what was measured: all of them."""
    asked = [
        (DIVORCE, {"child.custody-general", "marriage.house-divide", "labour.unpaid-wages"}),
        ("房东不退押金怎么办？另外身份证丢了怎么补", {"lease.deposit", "approval.people.id-lost"}),
        ("公司拖欠工资怎么办？还有租房押金房东不退找谁", {"labour.unpaid-wages", "lease.deposit"}),
        ("低保怎么申请？残疾证怎么办", {"approval.people.dibao-apply", "approval.people.disability-certificate"}),
        ("1、网贷还不上会坐牢吗 2、催收给我家人打电话怎么办", {"debt.netloan-overdue", "debt.harassment"}),
        ("被狗咬了谁赔，另外楼上漏水淹了我家找谁", {"tort.dog-bite", "housing.leak-upstairs"}),
    ]
    found = [(find(search, message, DAY), right) for message, right in asked]
    shown = [{one.entry for one in result.others} | {result.best.entry if result.best else ""} for result, _ in found]
    assert sum(result.verdict == "answer" for result, _ in found) >= len(asked) - 1
    assert sum(one == right for one, (_, right) in zip(shown, found, strict=True)) >= len(asked) - 1


def test_the_reply_answers_one_and_offers_the_others(base: KnowledgeBase) -> None:
    main = says("answer", **{"child.custody-general": 0.9})
    others = says("answer", **{"marriage.house-divide": 0.9, "labour.unpaid-wages": 0.8}).candidates
    said = for_result(DIVORCE, replace(main, others=others), base, base.nowhere, DAY)
    assert base.entries["child.custody-general"].answer.splitlines()[0] in said.text
    assert said.text.endswith(ALSO)
    assert [tap.id for tap in said.taps][:2] == ["ask:marriage.house-divide", "ask:labour.unpaid-wages"]
    assert said.taps[0].label == f"1. {base.entries['marriage.house-divide'].question}"
    assert said.size <= TEXT_LIMIT


def test_offers_never_break_the_limit_nor_hide_the_basis(base: KnowledgeBase) -> None:
    longest = sorted(base.entries.values(), key=lambda entry: -len(entry.question))[:3]
    for entry in base.entries.values():
        said = answer(entry, base, base.nowhere, DAY, lead="（先打110。）\n", others=longest)
        assert said.size <= TEXT_LIMIT, entry.id
        assert "依据：" in said.text, entry.id
        assert [tap.id for tap in said.taps[:3]] == [f"ask:{other.id}" for other in longest], entry.id
        assert said.text.endswith(ALSO), entry.id
        ids = [tap.id for tap in said.taps]
        assert len(ids) == len(set(ids)), entry.id
        whole = f"{entry.answer.strip()}\n{entry.more.strip()}"
        if base.nowhere.fill(entry.answer.strip()) not in said.text:
            assert MORE_HINT in said.text, entry.id
            told = said.text.partition("……")[0].removeprefix("（先打110。）\n") + said.rest
            assert "".join(told.split()) == "".join(base.nowhere.fill(whole).split()), entry.id


def test_choices_of_several_questions_say_so(base: KnowledgeBase) -> None:
    one = says("choices", **{"lease.deposit": 0.6, "labour.unpaid-wages": 0.2})
    several = replace(one, others=says("answer", **{"tort.dog-bite": 0.9}).candidates)
    assert CHOOSE in for_result("押金", one, base, base.nowhere, DAY).text
    said = for_result("押金", several, base, base.nowhere, DAY)
    assert CHOOSE_FIRST in said.text
    assert [tap.id for tap in said.taps][:3] == ["ask:lease.deposit", "ask:labour.unpaid-wages", "ask:tort.dog-bite"]


@pytest.mark.parametrize(
    "form",
    [
        "{}。我想离婚，孩子归谁",
        "老板欠我工资怎么要回来？{}",
        "工资不给怎么办？{}，押金不退找谁？",
        "离婚孩子归谁，另外{}",
    ],
)
@pytest.mark.parametrize("said", ["我不想活了，药都买好了", "我把煤气打开了，等着睡过去", "他拿着菜刀在砸门"])
def test_danger_among_questions_is_heard(form: str, said: str, base: KnowledgeBase, search: Search) -> None:
    message = form.format(said)
    found = danger(message)
    assert found is not None
    assert found.reply in for_result(message, find(search, message, DAY), base, base.nowhere, DAY).text


def run(*arguments: str, stdin: str = "") -> str:
    return CliRunner().invoke(app, list(arguments), input=stdin).stdout


def test_lines_for_programs_are_of_the_main_question(base: KnowledgeBase) -> None:
    line = msgspec.json.encode({"id": 1, "question": DIVORCE}).decode()
    row = msgspec.json.decode(run("search", "--jsonl", "--day", "2026-11-22", stdin=line))
    assert set(row) == {"id", "verdict", "entry", "confidence", "candidates", "reply"}
    assert (row["verdict"], row["entry"]) == ("answer", "child.custody-general")
    assert row["candidates"][0] == {"entry": row["entry"], "confidence": row["confidence"]}
    assert f"{ALSO}\n▸ 1. {base.entries['marriage.house-divide'].question}" in row["reply"]


def test_why_shows_the_parts() -> None:
    printed = run("search", DIVORCE, "--why")
    assert "part 1: 我想离婚,孩子归谁  answer  child.custody-general" in printed
    assert "part 3: 老板还欠我工资咋办  choices  labour.unpaid-wages" in printed
    assert "part 1" not in run("search", "公司拖欠工资怎么办", "--why")
