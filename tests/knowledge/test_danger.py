"""Danger: what is written down is heard, what nobody learned from mostly is, and calm messages are left alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.danger import danger, learn, mention
from knowledge.danger.ear import UNNAMED, Ear, rules
from knowledge.danger.net import Pieces, load_net, read_kept
from knowledge.search.meaning import load_vectors

HERE = Path(__file__).parent
QUESTIONS = HERE.parents[2] / "shared" / "reference" / "questions" / "dev.jsonl"


def unseen() -> list[list[str]]:
    return [line.split("\t") for line in learn.read_lines(HERE / "danger.tsv")]


def test_every_phrase_of_danger_is_heard() -> None:
    phrases = learn.phrases()
    missed = [text for text, _ in phrases if danger(text) is None]
    assert len(phrases) >= 150
    assert missed == []


def test_the_kind_that_is_named_is_a_right_one() -> None:
    named = [
        (found.name, kinds) for text, kinds in learn.phrases() if (found := danger(text)) and found.name != UNNAMED
    ]
    wrong = [name for name, kinds in named if name not in kinds]
    assert len(wrong) <= 0.05 * len(named)


# Sets of unseen danger by three hands: how many each has, and floors under what was measured.
HANDS = {"first": (0, 91, 0.9), "second": (91, 145, 0.81), "third": (145, 304, 0.96)}


@pytest.mark.parametrize("hand", HANDS)
def test_danger_nobody_learned_from_is_heard_too(hand: str) -> None:
    begin, end, share = HANDS[hand]
    texts = [text for text, _ in unseen()[begin:end]]
    assert len(texts) == end - begin
    assert sum(danger(text) is not None for text in texts) >= share * len(texts)


def test_nearly_all_of_it_gets_the_hotlines_first() -> None:
    texts = [text for text, _ in unseen()]
    assert len(texts) >= 300
    assert sum(bool(danger(text) or mention(text)) for text in texts) >= 0.97 * len(texts)


STORIES = (
    "我们村去年分地的时候村长把我家的二亩水浇地给了他小舅子我去镇上找了好几回都说研究研究到现在也没个结果",
    "我跟他结婚八年了有两个娃他在外头打工每年过年才回来钱也不往家拿我一个人种地喂猪供孩子念书想问离婚孩子归谁",
    "去年腊月在工地上干了三个月包工头说年底结到现在一分钱没给电话也不接活是他介绍的手续啥也没签",
)


def test_danger_at_the_end_of_a_story_told_in_one_breath_is_mostly_heard() -> None:
    """Voice input sets no signs. Floors under what was measured; alone none of the stories raises an alarm."""
    told = [STORIES[number % 3] + text for number, (text, _) in enumerate(unseen())]
    assert not any(danger(story) or mention(story) for story in STORIES)
    assert sum(danger(text) is not None for text in told) >= 0.55 * len(told)
    assert sum(bool(danger(text) or mention(text)) for text in told) >= 0.68 * len(told)


@pytest.mark.parametrize("word", ["我不想活了", "我想自杀", "活着没意思", "死了算了", "我要跳楼", "老公正在打我"])
@pytest.mark.parametrize("sign", ["", "，"])
def test_a_plain_word_in_the_midst_of_a_long_calm_story_is_heard(word: str, sign: str) -> None:
    after = "村里的补偿款到底该按啥标准算面积量得也不对账目从来不公开"
    assert all(danger(f"{story}{sign}{word}{sign}{after}") for story in STORIES)


def test_the_net_goes_by_the_vectors_it_was_learned_with() -> None:
    assert read_kept().vectors == load_vectors().name


def test_near_misses_are_left_alone() -> None:
    near = learn.near_misses()
    alarms = [text for text in near if danger(text)]
    assert len(near) >= 400
    assert len(alarms) < 0.01 * len(near), alarms


@pytest.mark.parametrize(("begin", "end", "share"), [(0, 139, 0.03), (139, 299, 0.13)])
def test_near_misses_nobody_learned_from_mostly_are(begin: int, end: int, share: float) -> None:
    """The second hand wrote each as near as it could to danger."""
    near = learn.read_lines(HERE / "no_danger.tsv")
    alarms = [text for text in near[begin:end] if danger(text)]
    assert len(near) == 299
    assert len(alarms) <= share * (end - begin), alarms


def test_nothing_is_both_learned_from_and_measured_with() -> None:
    learned = {text for text, _ in learn.phrases()} | set(learn.near_misses())
    measured = {row[0] for row in unseen()} | set(learn.read_lines(HERE / "no_danger.tsv"))
    assert not learned & measured


@pytest.mark.parametrize(("file", "share"), [("off_topic.tsv", 0.0), ("plain_questions.tsv", 0.02)])
def test_plain_questions_and_chit_chat_are_left_alone(file: str, share: float) -> None:
    """Of the plain questions that raise an alarm most are danger indeed, such as a husband who beats."""
    asked = [line.split("\t")[0] for line in learn.read_lines(HERE / file)]
    alarms = [text for text in asked if danger(text)]
    assert len(alarms) <= share * len(asked), alarms


def test_real_questions_raise_few_alarms() -> None:
    if not QUESTIONS.exists():
        pytest.skip("the real questions are not at hand")
    asked = [msgspec.json.decode(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    alarms = [text for text in asked if danger(text)]
    assert len(alarms) < 0.01 * len(asked)


@pytest.mark.parametrize("text", ["", "。", "？？？", "😀", "气死我了", "想死你们了", "笑死", "再见", "你好", "谢谢"])
def test_little_or_nothing_is_no_danger(text: str) -> None:
    assert danger(text) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_anything_may_be_typed(text: str) -> None:
    found = danger(text)
    assert found is None or found.reply


def test_every_reply_has_a_hotline_in_its_first_lines() -> None:
    known = rules()
    for one in [known.unnamed, *(found for text, _ in learn.phrases() if (found := danger(text)))]:
        first = "\n".join(one.reply.split("\n")[:2])
        assert any(number in first for number in ("110", "120", "119", "12356")), one.name


def test_learning_tells_danger_from_calm() -> None:
    pieces = Pieces.of(rules().words)
    examples = learn.Examples(
        ["我想从桥上下去", "我妈喝了药喊不醒"] * 5,
        ["我想从桥下过路"] * 5,
        ["单位拖欠工资怎么办", "怎么办营业执照"] * 20,
        [],
    )
    net = learn.train(pieces, examples)
    assert net.score("我想从桥上下去") > net.score("我想从桥下过路")
    assert net.score("我爸喝了药喊不醒") > 0 > net.score("怎么办营业执照")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    net = load_net(rules().words)
    learn.write(net, tmp_path / "weights.json")
    again = load_net(rules().words, tmp_path / "weights.json")
    assert (again.weights == net.weights).all()
    assert (again.toward == net.toward).all()
    assert (again.bias, again.alarm_from, again.near_from) == (net.bias, net.alarm_from, net.near_from)


def test_many_messages_are_heard_as_each_alone() -> None:
    texts = [text for text, _ in learn.phrases()[::40]] + learn.near_misses()[::60]
    story = "去年我在工地干活老板一直没有给钱后来找了劳动局也没有结果"
    texts += [f"{story}{text}{story}" for text in texts[:20]] + ["", "。", "😀", story * 30]
    ear = Ear(rules(), load_net(rules().words))
    assert ear.all(texts) == list(map(ear, texts))
    assert any(one.danger for one in ear.all(texts))
    assert not all(one.danger for one in ear.all(texts))
