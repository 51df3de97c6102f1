"""Where a message divides: into the questions it asks, each with the story it is told in, and what stands beside them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

# Below this many characters nobody asks two things.
SHORTEST = 9
# A question holds no fewer letters.
LEAST_LETTERS = 4
# What is left of a question that leans on the one before it, once all that only asks is taken off.
BARE = 1

# Words that go on to something else.
_NEXT = (
    r"另外|还有(?=[^没]{0,30}(?:怎|咋|什么|多少|吗|谁|哪|能不能))|再(?:请)?问|再就是|再一个|顺便|其次|第[二三四五]个?(?:问题)?(?=[,，、:：是])"
    r"|(?<![0-9.(（])[(（]?[1-9][、.．)）](?![0-9])"
)
_BREAK = re.compile(
    rf"(?<=[。！？!?；;…~～\n，])(?![。！？!?；;…~～\n，])|(?<=,)(?![0-9]{{3}})|(?<=\s)(?=\S)|(?={_NEXT})"
)
# The same, seen at a glance.
_MAY_BREAK = re.compile(r"[。！？!?；;…~～，,\s、.．)）]|另外|还有|再|顺便|其次|第")
_FRESH = re.compile(rf"^[\s,，。]*(?:{_NEXT})[\s,，、:：]*")
_SENTENCE_END = re.compile(r"[。！？!?；;…~～]\s*$")
_ASKS = re.compile(
    r"吗|怎|咋|如何|什么|啥|多少|多久|多长|多大|几[天年个岁次号点元万]|哪|谁|何时|何地|为何|能不能|可不可以|能否|可否|是否|算不算|会不会"
    r"|是不是|要不要|有没有|有无|该不该|行不行|合不合|犯不犯|违不违|用不用|需不需要|应不应|[?？]|[呢么]\W*$|合法不|能.{1,8}不\W*$"
)
_LETTER = re.compile(r"[^\W_]")
_FILLER = re.compile(
    r"请问|那么?|这|该|应该?|需要?|要|得|会|能|可以?|有没有|没有|有|是不是|是否|是|什么时候|什么|啥|怎么?样?|如何|咋|哪[里儿些个]?"
    r"|多久|多长|多大|多少|时间|钱|费用|几天|办理?|做|处理|解决|弄|申请|手续|[材资]料|证据|证件|流程|程序|步骤|条件|法律|依据|规定|后果|影响"
    r"|责任|坐牢|判刑?|罚款?|犯法|违法|合法|合理|起诉|告|报警|维权|维护|权益|找|谁|向|去|到|在|我们?|您|你|他们?|她们?|它|对方|自己|的|了|吗|呢|么|啊|呀"
    r"|吧|不|也|还|又|都|就|才|一下|谢谢|律师|想|问|知道|种|情况|办法|赔偿?|具体|大概|一般|最低|最多|国家|补贴|写|准备"
)


class Clause(NamedTuple):
    """A stretch of a message: whether it asks, whether it goes on to something else."""

    text: str
    asks: bool
    fresh: bool


class Part(NamedTuple):
    """One question of a message, and the story it is told in (empty if none)."""

    asked: str
    story: str = ""

    @property
    def whole(self) -> str:
        """The question with what it leans on."""
        return self.story + self.asked


def divides(text: str) -> bool:
    """Whether there is anything to divide; most messages are done with here."""
    return len(text) >= SHORTEST and _MAY_BREAK.search(text, 1, len(text) - 1) is not None


def clauses(text: str) -> list[Clause]:
    """A text cut wherever it may divide; put together again the clauses are the text."""
    cuts = [0, *(found.start() for found in _BREAK.finditer(text) if found.start()), len(text)]
    parts = [text[start:end] for start, end in pairwise(cuts) if start < end]
    return [Clause(part, _asks(part), _FRESH.match(part) is not None) for part in parts]


def _asks(part: str) -> bool:
    return _ASKS.search(part) is not None and len(_LETTER.findall(part)) >= LEAST_LETTERS


def questions(text: str) -> list[Part]:
    """What a tidy message asks, in its order.

    What is told before a question is the story of it, and of those that follow it without one of their own. A bare
    “要多久” or “会坐牢吗” is no question of its own.
    """
    found: list[Part] = []
    story, told, fresh = "", "", False
    for clause in clauses(text) if divides(text) else [Clause(text, _asks(text), fresh=False)]:
        if clause.fresh:
            story, told, fresh = "", "", True
        words = _FRESH.sub("", clause.text)
        if not clause.asks:
            told += words
        elif found and not fresh and not _LETTER.search(told) and _is_bare(words):
            found[-1] = found[-1]._replace(asked=found[-1].asked + told + words)
        else:
            story = told or story
            found.append(Part(words, story))
            told, fresh = "", False
    return found


def _is_bare(words: str) -> bool:
    return len(_LETTER.findall(_FILLER.sub("", words))) <= BARE


def asides(text: str) -> list[str]:
    """What of a tidy message may have nothing to do with the rest of it.

    Its sentences, and what is told after a question or after words that go on to something else.
    """
    found: list[str] = []
    sentence, told, apart = "", "", False
    for clause in clauses(text) if divides(text) else []:
        sentence += clause.text
        if clause.asks or clause.fresh:
            found += [told] * apart
            told, apart = "", True
        if not clause.asks:
            told += _FRESH.sub("", clause.text)
        if _SENTENCE_END.search(clause.text):
            found.append(sentence)
            sentence = ""
    found += [sentence, *[told] * apart]
    return [one for one in dict.fromkeys(found) if one != text and len(_LETTER.findall(one)) >= LEAST_LETTERS]
