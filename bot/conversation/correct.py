"""“不是，我是房东”, “说错了，是我打了人”, “不是这个意思”: the last question again, put right."""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot.conversation import ask, context, wording
from bot.conversation.turn import Matter, Outcome, Record, Turn
from knowledge.entry import Entry
from knowledge.reply import Reply, human_tap
from knowledge.search.rank import Result

_BREAK = r"[\s，,。.！!：:、]*"
_WRONG = re.compile(
    rf"^(?:我)?(?:不是(?:啊|呀|的|吧)?(?=[\s，,。]|我|这)|不对|说错了?|写错了?|打错了?|搞错了?|弄错了?|理解错了?|错了){_BREAK}(?P<rest>.*)$",
    re.DOTALL,
)
_INSTEAD = re.compile(rf"不是(?P<wrong>.{{1,8}}?){_BREAK}[，,]\s*(?:而)?是(?P<right>.{{1,14}}?)(?:的)?[。.!！]*$")
_MEANS = re.compile(r"^(?:我)?(?:的意思是|是说|说的是|问的是|想问的是|要问的是)")
_EMPTY = re.compile(
    r"^(?:我)?(?:不是)?(?:这个|那个|这|我的|问|要问|想问|的|意思|个|些|了|吧|啊|呀)*$|^(?:你)?(?:没|不)(?:听懂|明白|理解)(?:我的?意思)?(?:了)?$"
)
_NOT_MEANT = re.compile(
    r"^(?:我)?(?:不是(?:这|那|我)个?(?:意思)?|(?:我)?(?:问|说)的不是(?:这|那)个?(?:意思)?|你(?:没|不)(?:听懂|明白|理解).{0,6}|不是问这个|不是这么回事)(?:啊|呀|吧|的|了)*[。.!！]*$"
)


def correct(turn: Turn) -> Outcome | None:
    """The last question put right; None if this corrects nothing."""
    before = context.last(turn)
    if before is None or not turn.state.question:
        return None
    if _NOT_MEANT.match(turn.text):
        return _again(turn, before)
    if instead := _INSTEAD.search(turn.text):
        return _put_right(turn, before, instead["right"], _replaced(turn, instead["wrong"], instead["right"]))
    found = _WRONG.match(turn.text)
    if found is None:
        return None
    rest = _MEANS.sub("", found["rest"]).removeprefix("是").strip()
    if _EMPTY.match(rest):
        return _again(turn, before)
    return _put_right(turn, before, rest, f"{rest} {context.topic(turn)}")


def _replaced(turn: Turn, wrong: str, right: str) -> str:
    """The question before with one word put for another; both beside each other where it had another word."""
    asked = context.topic(turn)
    return asked.replace(wrong, right, 1) if wrong in asked and wrong != "我" else f"{right} {asked}"


def _put_right(turn: Turn, before: Entry, rest: str, question: str) -> Outcome:
    search, day = turn.library.search, turn.day
    alone, whole = search(rest, day, context=before.category), search(question, day, context=before.category)
    asked = replace(turn, text=f"{context.topic(turn)}{context.JOIN}{rest}")
    for result in (alone, whole):
        if result.verdict == "answer" and result.best and result.best.entry != turn.state.entry:
            return ask.answer(asked, turn.library.base.entries[result.best.entry], result)
    shown = context.rank_all(turn, (whole, alone), before, {turn.state.entry})
    if len(shown) > 1:
        return ask.offer(asked, context.choices(shown, alone, whole))
    return ask.ask(replace(turn, text=rest))


def _again(turn: Turn, before: Entry) -> Outcome:
    """What else the question may have meant; nothing that was shown before."""
    found = turn.library.search(context.topic(turn), turn.day, context=before.category)
    shown = {before.id, turn.state.entry, *turn.state.options}
    rest = [one for one in found.candidates if one.entry not in shown]
    if len(rest) > 1:
        asked = replace(turn, text=context.topic(turn))
        return ask.offer(
            asked, Result("choices", tuple(rest), found.ours, about_us=True), "again", wording.AGAIN + "\n"
        )
    state = replace(turn.state, options=(), rest="", touched=turn.now.timestamp())
    said = Reply(wording.AGAIN_SAY, ((human_tap("miss"),),))
    return Outcome(said, Record("again", Matter(before.kind, before.category, follows=True), "none"), state)
