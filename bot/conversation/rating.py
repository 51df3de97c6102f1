"""Ratings (好差评): asked for at the right moment and seldom, never pushed; a bad one may be followed by a reason."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from bot.conversation import small_talk
from bot.conversation.counting import SILENCE
from bot.conversation.handoff.wording import GRADES, rating_rows
from bot.conversation.turn import Inbound, Outcome, Rated, Rating, Record, State, Turn, Visit
from knowledge.reply import TEXT_LIMIT, Reply, Tap, human_tap

# Nobody is asked twice within this time, and not about what is longer ago than that.
ASK_EVERY = timedelta(days=14)
REMEMBERED = timedelta(days=7)
REASON_WITHIN = timedelta(minutes=30)
# 不满意 and below: somebody must put it right.
BAD = 2
LONGEST = 500
AGAIN = 60

RATED = "谢谢您的评价，已经记下来了。"
SORRY = "对不起没让您满意，已经记下来，会有工作人员跟进。"
WHY = "是哪里没做好？直接打字告诉我；不想说就点“跳过”。"
NO_REASON = "好的，不说也没关系，已经记下来了。"
REASON = "谢谢，您说的都记下来了，工作人员会看。要是刚才是想问新的事，点下面再问一次："
ASKING = "顺便请您给刚才的答复打个分，帮我们改进（不想打就不用理会）："
LATER = Tap("给上次的答复打个分", "打个分", "")
GRADE = "好的，上次的答复您满意吗？"
SECOND = "您上次打分不满意的事，工作人员已经答复过您。现在觉得怎么样？"
VISITED = "谢谢您告诉我，已经转告工作人员。"
VISITED_BAD = "对不起，还是没让您满意。这件事会接着办，工作人员会再答复您。"
SKIP = Tap("跳过", "跳过", "why:skip")
_SKIP = re.compile(r"^(?:跳过|不说|不想说|没什么|不用了)[。.!！]*$")
_BY_LABEL = {label: grade for grade, label in GRADES.items()}
# Replies short enough to bear a question besides; the rest is about something that matters more just then.
_LIGHT = frozenset({"greeting", "thanks", "goodbye", "help", "menu", "feedback", "ask", "choose", "follow_up"})

Rows = tuple[tuple[Tap, ...], ...]
Moment = Literal["", "thanks", "later", "typed"]


def moment(inbound: Inbound, state: State, now: datetime) -> Moment:
    """Whether a grade could be asked for or given with this message, so that the store is asked only then."""
    if inbound.kind != "text" or not state.touched:
        return ""
    if inbound.text.strip(" 。.!！") in _BY_LABEL and not inbound.tap:
        return "typed"
    gone = timedelta(seconds=now.timestamp() - state.touched)
    if now.timestamp() - state.asked < ASK_EVERY.total_seconds() or gone >= REMEMBERED:
        return ""
    if inbound.tap.startswith("good:") or small_talk.is_thanks(inbound.text):
        return "thanks"
    return "later" if gone >= SILENCE else ""


def tapped(turn: Turn) -> Outcome | None:
    """A grade was tapped, or typed where one was asked for; None if this is neither."""
    match turn.inbound.tap.split(":"):
        case ["rate", "c", consultation]:
            return Outcome(Reply(GRADE, rating_rows(f"c:{consultation}")), Record("rating"), turn.state)
        case ["rate", "c", consultation, grade] if _is_grade(grade):
            return _graded(turn, Rated(consultation=consultation), int(grade))
        case ["rate", handoff, grade] if _is_grade(grade):
            return _graded(turn, Rated(handoff), int(grade))
        case ["visit", rectification, grade] if _is_grade(grade):
            return _visited(turn, rectification, int(grade))
    typed = _BY_LABEL.get(turn.text.strip("。.!！"))
    if typed and turn.rateable is not None and turn.rateable.handoff and not turn.inbound.tap:
        return _graded(turn, turn.rateable, typed)
    return None


def reason(turn: Turn) -> Outcome | None:
    """What a citizen writes after a bad grade is why; None if nothing was asked, or something else is tapped."""
    what, _, about = turn.awaits.partition(":")
    waited = what == "why" and turn.handoff is None
    if turn.inbound.tap == SKIP.id or (waited and _SKIP.match(turn.text)):
        return Outcome(Reply(NO_REASON), Record("rating"), turn.state)
    if turn.inbound.tap or not waited:
        return None
    words = turn.inbound.text[:LONGEST].replace("\x00", "")
    record = Record("rating")
    match about.split(":"):
        case ["visit", rectification]:
            record = replace(record, visit=Visit(rectification, words=words))
        case ["c", consultation]:
            record = replace(record, rating=Rating(Rated(consultation=consultation), words=words))
        case _:
            record = replace(record, rating=Rating(Rated(about), words=words))
    question = turn.text[:AGAIN]
    return Outcome(Reply(REASON, ((Tap(question, question, "again"),),)), record, turn.state)


def ride(turn: Turn, outcome: Outcome) -> Outcome:
    """Let a question for a grade ride on a reply, if this is the moment for one and there is room."""
    said, record = outcome.say, outcome.record
    busy = turn.handoff is not None or (record.matter is not None and record.matter.urgent)
    if said is None or busy or record.flow not in _LIGHT or record.verdict == "choices":
        return outcome
    if turn.state.visit and not turn.letters:
        # Nothing else to tap beside it: what is good now would stand among example questions.
        own = Reply(f"{said.text}\n\n{SECOND}", _without_questions(said.rows), said.rest)
        return _with(outcome, replace(own, rows=_both(own, _visit_rows(turn.state.visit))), turn)
    of, now = turn.rateable, moment(turn.inbound, turn.state, turn.now)
    if of is None or now not in {"thanks", "later"} or record.verdict == "none":
        return outcome
    if now == "thanks":
        return _with(outcome, Reply(f"{said.text}\n{ASKING}", _both(said, rating_rows(of.name)), said.rest), turn)
    later = replace(LATER, id=f"rate:{of.name}")
    return _with(outcome, Reply(said.text, _both(said, ((later,),)), said.rest), turn)


def _with(outcome: Outcome, said: Reply, turn: Turn) -> Outcome:
    """The outcome with the wider reply, on record as asked; as it was if that is too long for a message.

    Related questions make room: they are offered with every answer, this only now and then.
    """
    if said.size > TEXT_LIMIT:
        said = replace(said, rows=_without_questions(said.rows))
    if said.size > TEXT_LIMIT:
        return outcome
    if visit := turn.state.visit:
        state = replace(outcome.state, visit="")
        return Outcome(said, replace(outcome.record, visit=Visit(visit, asked=True)), state)
    state = replace(outcome.state, asked=turn.now.timestamp())
    return Outcome(said, outcome.record, state)


def _without_questions(rows: Rows) -> Rows:
    return tuple(row for row in rows if not row[0].id.startswith("ask:"))


def _both(said: Reply, rows: Rows) -> Rows:
    return (*said.rows, *rows)


def _graded(turn: Turn, of: Rated, grade: int) -> Outcome:
    state = replace(turn.state, asked=turn.now.timestamp())
    record = Record("rating", rating=Rating(of, grade))
    if grade > BAD:
        return Outcome(Reply(RATED), record, state)
    return Outcome(_why(SORRY), record, _awaiting(turn, state, f"why:{of.name}"))


def _visited(turn: Turn, rectification: str, grade: int) -> Outcome:
    state = replace(turn.state, visit="" if turn.state.visit == rectification else turn.state.visit)
    record = Record("rating", visit=Visit(rectification, grade))
    if grade > BAD:
        return Outcome(Reply(VISITED), record, state)
    return Outcome(_why(VISITED_BAD), record, _awaiting(turn, state, f"why:visit:{rectification}"))


def _why(lead: str) -> Reply:
    return Reply(f"{lead}\n{WHY}", ((SKIP, human_tap("bad")),))


def _awaiting(turn: Turn, state: State, what: str) -> State:
    return replace(state, awaits=what, awaits_until=(turn.now + REASON_WITHIN).timestamp())


def _visit_rows(rectification: str) -> Rows:
    rows = rating_rows("")
    return tuple(tuple(replace(tap, id=f"visit:{rectification}:{tap.id[-1]}") for tap in row) for row in rows)


def _is_grade(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) in GRADES
