"""Pick the flow for a message: danger first, then taps and commands, then follow-ups, then the question itself."""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot.conversation import after, ask, correct, follow_up, lessons, my_data, rating, safety, small_talk
from bot.conversation.handoff import flow as handing
from bot.conversation.turn import Outcome, State, Turn
from knowledge import reply as replies
from knowledge.danger import danger
from knowledge.entry import KIND_NAMES
from knowledge.search.normalise import tidy

# Kindly slowed above this many messages within so many seconds.
BURST = 8
BURST_SECONDS = 10.0

_CHOICE = re.compile(r"^(?:第|选|我选)?\s*([1-4一二三四])\s*(?:个|条|项|问题|那个)?[。.、]?$")
_WORD = re.compile(r"\w")
_TAIL = " 。.!！?？~～,，"
_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4}
_GOOD = re.compile(r"^(?:很|挺|非常)?(?:有用|有帮助|有用的|解决了|满意)$")
_BAD = re.compile(r"^(?:没用|没有用|没啥用|没什么用|没帮助|不满意|答非所问|不对)$")


def handle(turn: Turn) -> Outcome:
    """Decide one turn."""
    slowed, state = _burst(turn)
    awaits = turn.state.awaited(turn.now)
    turn = replace(turn, state=_no_longer_awaiting(turn, state), awaits=awaits, text=tidy(turn.inbound.text))
    if turn.inbound.kind == "event":
        return _event(turn)
    # The words of a tapped question are ours: whoever asks for that entry gets it, with its hotlines.
    if not turn.inbound.tap.startswith("ask:") and (found := danger(turn.text)):
        return safety.respond(turn, found)
    return rating.tapped(turn) or rating.ride(turn, _decide(turn, slowed=slowed))


def _decide(turn: Turn, *, slowed: bool) -> Outcome:
    return handing.handle(turn) or _unreadable(turn, slowed=slowed) or _talk(turn)


def _no_longer_awaiting(turn: Turn, state: State) -> State:
    """Only the very next message answers what was asked; an event, like opening the page, is none."""
    return state if turn.inbound.kind == "event" else replace(state, awaits="", awaits_until=0.0)


def _unreadable(turn: Turn, *, slowed: bool) -> Outcome | None:
    if turn.inbound.kind != "text":
        return small_talk.unsupported(turn)
    if slowed:
        return small_talk.slow_down(turn)
    return None if _WORD.search(turn.text) else small_talk.empty(turn)


def _talk(turn: Turn) -> Outcome:
    wish = _own(turn) or _tap(turn) or _command(turn) or rating.reason(turn)
    return wish or follow_up.follow_up(turn) or correct.correct(turn) or ask.ask(turn)


def _own(turn: Turn) -> Outcome | None:
    """Wishes that are no question: one's own data, something to learn."""
    return my_data.handle(turn) or lessons.handle(turn)


def _burst(turn: Turn) -> tuple[bool, State]:
    now = turn.now.timestamp()
    recent = tuple(moment for moment in turn.state.burst if now - moment < BURST_SECONDS)[-BURST:]
    slowed = len(recent) >= BURST
    return slowed, replace(turn.state, burst=(*recent, now)[-BURST:])


def _event(turn: Turn) -> Outcome:
    match turn.inbound.event:
        case "subscribe" | "open":
            return small_talk.welcome(turn)
        case "click":
            return _click(turn)
        case "unsubscribe":
            return small_talk.silence(turn, "unsubscribe")
        case _:
            return small_talk.silence(turn, "event")


def _click(turn: Turn) -> Outcome:
    key = turn.inbound.scene
    if key in KIND_NAMES:
        return small_talk.menu_kind(turn, key)
    if key == "human":
        return handing.handle(turn) or handing.person(turn)
    return small_talk.menu_help(turn)


def _tap(turn: Turn) -> Outcome | None:
    what, _, entry = turn.inbound.tap.partition(":")
    match what:
        case "ask":
            return ask.choose(turn, entry)
        case replies.ARTICLE_TAP:
            return ask.article(turn, entry)
        case "good" | "bad":
            return after.feedback(turn, entry, useful=what == "good")
        case _:
            return None


def _command(turn: Turn) -> Outcome | None:
    text = turn.text.rstrip(_TAIL)
    if (choice := _CHOICE.match(text)) and turn.state.options:
        number = _NUMERALS.get(choice[1]) or int(choice[1])
        if number <= len(turn.state.options):
            return ask.choose(turn, turn.state.options[number - 1])
    if (turn.state.entry or turn.state.options) and _GOOD.match(text):
        return after.feedback(turn, "", useful=True)
    if (turn.state.entry or turn.state.options) and _BAD.match(text):
        return after.feedback(turn, "", useful=False)
    return small_talk.small_talk(turn)
