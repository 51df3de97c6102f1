"""Flows that count nothing: welcome, greeting, thanks, help, menus, kinds of message we cannot read, more."""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot.conversation import wording
from bot.conversation.handoff import wording as handing
from bot.conversation.handoff.machine import Event
from bot.conversation.turn import Outcome, Record, Turn
from knowledge.entry import KIND_NAMES
from knowledge.reply import Reply, examples, fit, human_tap

_GREETING = re.compile(
    r"^(?:(?:你|您)们?好|在吗|在不在|有人吗|早上好|上午好|中午好|下午好|晚上好|早|hi|hello|嗨|哈喽|喂|律师(?:您?好)?|法问|测试|[0-9]?)+$"
)
_THANKS = re.compile(
    r"^(?:好的?|嗯|哦|行|知道了|明白了|懂了|收到|多谢|谢了|谢谢|感谢|辛苦)*(?:谢谢|多谢|感谢|谢了|辛苦)(?:你|您|律师|了|啦|啊|哈|的|帮助|解答|回答|老师|法问)*$"
)
_BYE = re.compile(r"^(?:好的?|嗯+|哦+|行|可以|知道了?|明白了?|懂了|收到|ok|没事了|没有了|再见|拜拜|不用了?)+$")
_HELP = re.compile(
    r"^(?:菜单|帮助|功能|使用说明|怎么用|怎么用你|你能干什么|你能做什么|你会什么|你是谁|你是什么|你是机器人吗|help|menu)+$"
)
_SIGNS = re.compile(r"[\W_]+")
_MORE = re.compile(r"^(?:更多|继续|接着说|接着|下一页|然后呢|还有吗|more)$")


def _name(turn: Turn) -> str:
    county = turn.library.locality.county
    return f"{county}法律服务助手“法问”" if county else "法律服务助手“法问”"


def welcome(turn: Turn) -> Outcome:
    """Someone subscribed, or opened the chat page: who we are, and three examples of each kind."""
    rows = tuple(row for kind in KIND_NAMES for row in examples(turn.library.base, kind, turn.day))
    reply = fit(_announced(turn, Reply(wording.WELCOME.format(name=_name(turn)), rows)))
    return Outcome(reply, Record("welcome", subscribed=turn.inbound.event == "subscribe" or None), turn.state)


def small_talk(turn: Turn) -> Outcome | None:
    """Greeting, thanks, goodbye, help or “更多”; None if the message is none of them."""
    text = _SIGNS.sub("", turn.text)
    if _MORE.match(text):
        return more(turn)
    if _HELP.match(text):
        return menu_help(turn)
    if _THANKS.match(text):
        return _said(turn, "thanks", Reply(wording.THANKS))
    if _BYE.match(text):
        return _said(turn, "goodbye", Reply(wording.GOODBYE))
    if text and _GREETING.match(text):
        rows = tuple(row for kind in KIND_NAMES for row in examples(turn.library.base, kind, turn.day)[:1])
        return _said(turn, "greeting", Reply(wording.GREETING.format(name=_name(turn)), rows), announced=True)
    return None


def is_thanks(text: str) -> bool:
    """Whether a message says thanks and nothing else."""
    return _THANKS.match(_SIGNS.sub("", text)) is not None


def menu_help(turn: Turn) -> Outcome:
    """How to use the assistant."""
    return _said(turn, "help", Reply(wording.HELP, ((human_tap(),),)), announced=True)


def menu_kind(turn: Turn, kind: str) -> Outcome:
    """A menu button: example questions of one kind."""
    lead = f"{wording.KIND_HEADS[kind]}：直接把您的事说给我听，或点下面的例子："
    return _said(turn, "menu", Reply(lead, examples(turn.library.base, kind, turn.day)))


def more(turn: Turn) -> Outcome:
    """The part of the last reply that did not fit."""
    if not turn.state.rest:
        return _said(turn, "more", Reply(wording.NO_MORE))
    reply = fit(Reply(turn.state.rest, ((human_tap(),),)))
    return Outcome(reply, Record("more"), replace(turn.state, rest=reply.rest))


def unsupported(turn: Turn) -> Outcome:
    """A picture, voice, place, link or file: a kind sentence and what to do instead; a waiting lawyer will see it."""
    if turn.handoff is not None:
        return _said(turn, "unsupported", Reply(handing.KEPT))
    return _said(turn, "unsupported", Reply(wording.UNSUPPORTED.get(turn.inbound.kind, wording.UNSUPPORTED["other"])))


def empty(turn: Turn) -> Outcome:
    """Nothing that could be read."""
    return _said(turn, "empty", Reply(wording.EMPTY))


def slow_down(turn: Turn) -> Outcome:
    """Too many messages at once: recorded, and told so kindly."""
    return _said(turn, "slow_down", Reply(wording.SLOW_DOWN))


def silence(turn: Turn, flow: str) -> Outcome:
    """Record an event without saying anything."""
    subscribed = False if turn.inbound.event == "unsubscribe" else None
    left = (Event("leave"),) if subscribed is False and turn.handoff else ()
    return Outcome(None, Record(flow, subscribed=subscribed, events=left), turn.state)


def _said(turn: Turn, flow: str, reply: Reply, *, announced: bool = False) -> Outcome:
    said = replace(reply, text=turn.say(reply.text))
    return Outcome(_announced(turn, said) if announced else said, Record(flow), turn.state)


def _announced(turn: Turn, reply: Reply) -> Reply:
    """With what citizens are told at present in front; its text is staff's own and holds no places to fill in."""
    if not turn.announcement:
        return reply
    return replace(reply, text=wording.ANNOUNCEMENT.format(text=turn.announcement) + reply.text)
