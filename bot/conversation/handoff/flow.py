"""The citizen's side of a handoff: asking for a person, two small questions, waiting, talking, rating."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, cast

from msgspec.structs import replace

from bot.conversation.handoff import subjects, wording
from bot.conversation.handoff.machine import Event, Handoff, Reason
from bot.conversation.turn import Inbound, Matter, Outcome, Record, Request, Turn
from knowledge.entry import Kind
from knowledge.reply import Reply, Tap

_PERSON = re.compile(
    r"(?:转|找|要|请|接|叫|联系)(?:一?个|位)?(?:人工|律师|真人|客服|活人)(?:律师|客服|服务|咨询|问问|帮忙)?$|^人工(?:服务|客服|律师)?$"
)
_CANCEL = re.compile(r"^(?:取消(?:排队|转人工|咨询)?|不找了|不找律师了|不等了|算了|不用转了)[。.!！]*$")
_END = re.compile(r"^(?:结束|结束咨询|取消)[。.!！]*$")
_SKIP = re.compile(r"^(?:跳过|不说|不想说|不方便说?)[。.]*$")
_REASONS: dict[str, Reason] = {"urgent": "danger", "bad": "rated_bad", "miss": "offered"}
_TAIL = " \n。.!！?？~～,，"
SHORT = 14
# Above this many townships a list of taps is longer than a message may be: the citizen types instead.
MOST_TAPS = 12
WIDE = 3


def asks_for_person(inbound: Inbound) -> bool:
    """Whether this message asks for a person; known before the flow runs, so that duty facts are there when needed."""
    if inbound.kind == "event":
        return inbound.event == "click" and inbound.scene == "human"
    if inbound.tap:
        return inbound.tap.partition(":")[0] == "human"
    text = inbound.text.strip(_TAIL)
    return len(text) <= SHORT and _PERSON.search(text) is not None


def handle(turn: Turn) -> Outcome | None:
    """What a handoff makes of this message; None if it is none of its business."""
    if turn.handoff is None:
        return person(turn) if asks_for_person(turn.inbound) else None
    match turn.handoff.state:
        case "asking":
            return _answered(turn, turn.handoff)
        case "waiting":
            return _waiting(turn)
        case "held":
            return _held(turn)
        case "closed":
            return None


def person(turn: Turn) -> Outcome:
    """A person was asked for: queue, or ask what is missing first; where no lawyer serves here, say where they are."""
    if turn.duty is not None and not turn.duty.staffed:
        return _elsewhere(turn)
    entry = turn.library.base.entries.get(turn.state.entry)
    _, _, why = turn.inbound.tap.partition(":")
    reason = _REASONS.get(why, "asked")
    kind, category = (str(entry.kind), entry.category) if entry else ("", "")
    if reason == "danger":
        kind, category = "legal", "safety"
    missing = reason != "danger" and bool(_next_question(turn, category, turn.township))
    request = Request(
        reason=reason,
        kind=kind,
        category=category,
        township=turn.township,
        question=turn.state.question or turn.inbound.text[:200],
        urgent=reason == "danger",
        queue=not missing,
        promised_at=_promise(turn),
    )
    matter = Matter(_kind(kind), category, "referred", follows=True, urgent=request.urgent)
    state = replace(turn.state, misses=0, options=())
    record = Record("handoff", matter, request=request)
    if missing:
        return Outcome(_next_question(turn, category, turn.township), record, state)
    return Outcome(_queued(turn, urgent=request.urgent), record, state)


def _elsewhere(turn: Turn) -> Outcome:
    entry = turn.library.base.entries.get(turn.state.entry)
    about = Matter(entry.kind, entry.category) if entry else Matter()
    record = Record("human", replace(about, outcome="referred", follows=True))
    state = replace(turn.state, misses=0, options=())
    return Outcome(Reply(turn.say(wording.ELSEWHERE)), record, state)


def _answered(turn: Turn, handoff: Handoff) -> Outcome:
    """An answer to one of our two questions; whatever else is said is kept for the lawyer and ends the asking."""
    if _cancels(turn, _CANCEL):
        return _cancelled(turn)
    text = turn.text.strip("。.!！")
    detail = Event("detail")
    if not handoff.category:
        chosen = subjects.subject(_tapped(turn, "subject")) or subjects.of_label(text)
        if chosen is None and (turn.inbound.tap == wording.SKIP.id or _SKIP.match(text)):
            chosen = subjects.OTHER
        if chosen is not None:
            detail = replace(detail, kind=chosen.kind, category=chosen.category)
    elif text in turn.library.locality.townships:
        detail = replace(detail, township=text)
    category = handoff.category or detail.category
    question = _next_question(turn, category, handoff.township) if detail.category else None
    events = (detail,) if detail != Event("detail") else ()
    matter = Matter(_kind(detail.kind or handoff.kind), category, "referred", follows=True, urgent=handoff.urgent)
    if question is not None:
        return Outcome(question, Record("handoff", matter, events=events), turn.state)
    record = Record("handoff", matter, events=(*events, Event("queue")))
    return Outcome(_queued(turn, urgent=handoff.urgent), record, turn.state)


def _waiting(turn: Turn) -> Outcome | None:
    if _cancels(turn, _CANCEL):
        return _cancelled(turn)
    if asks_for_person(turn.inbound) and turn.duty is not None:
        return Outcome(wording.waiting(turn.duty, turn.now), Record("handoff"), turn.state)
    return None


def _held(turn: Turn) -> Outcome | None:
    """The lawyer answers now: the bot keeps quiet."""
    if turn.inbound.kind == "event":
        return None
    if _cancels(turn, _END):
        return Outcome(Reply(wording.ENDED_BY_CITIZEN), Record("handoff", events=(Event("cancel"),)), turn.state)
    if asks_for_person(turn.inbound):
        return Outcome(Reply(wording.STILL_HELD.format(lawyer=turn.lawyer)), Record("handoff"), turn.state)
    return Outcome(None, Record("relay", Matter(outcome="referred", follows=True)), turn.state)


def _next_question(turn: Turn, category: str, township: str) -> Reply | None:
    if not category:
        taps = [Tap(one.label, one.label, f"hand:subject:{one.slug}") for one in (*subjects.SUBJECTS, subjects.OTHER)]
        return Reply(wording.ASK_SUBJECT, (*_rows(taps), (wording.CANCEL,)))
    known = turn.library.locality.townships
    if township or not known:
        return None
    taps = [Tap(name, name, "hand:township") for name in known] if len(known) <= MOST_TAPS else []
    return Reply(wording.ASK_TOWNSHIP, (*_rows(taps), (wording.SKIP,)))


def _rows(taps: list[Tap]) -> tuple[tuple[Tap, ...], ...]:
    return tuple(tuple(taps[i : i + WIDE]) for i in range(0, len(taps), WIDE))


def _queued(turn: Turn, *, urgent: bool) -> Reply:
    if turn.duty is None:
        return Reply(wording.MEANWHILE)
    return wording.queued(turn.duty, turn.now, urgent=urgent)


def _promise(turn: Turn) -> datetime | None:
    return turn.duty.opens_at if turn.duty is not None and not turn.duty.lawyers else None


def _cancels(turn: Turn, words: re.Pattern[str]) -> bool:
    return turn.inbound.tap == wording.CANCEL.id or words.match(turn.text) is not None


def _cancelled(turn: Turn) -> Outcome:
    return Outcome(Reply(wording.CANCELLED), Record("handoff", events=(Event("cancel"),)), turn.state)


def _kind(name: str) -> Kind | Literal[""]:
    return cast("Kind", name)


def _tapped(turn: Turn, what: str) -> str:
    head, _, value = turn.inbound.tap.removeprefix("hand:").partition(":")
    return value if head == what else ""
