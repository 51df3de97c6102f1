"""Putting a bad rating right (差评整改), as data: which act leads where, and who may do it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from bot.conversation.rating import BAD

State = Literal["open", "replied", "visited", "closed"]
STATE_NAMES: dict[str, str] = {
    "open": "待处理",
    "replied": "已答复，待回访",
    "visited": "已回访，待办结",
    "closed": "已办结",
}
ActName = Literal[
    "assign",
    "reply",  # the citizen is told what was done
    "visit",  # they find it good now, or could not be reached
    "fail",  # they do not: it begins anew
    "close",
    "reopen",
    "withdraw",  # the citizen had their data deleted: there is nobody left to tell
]
ACT_NAMES: dict[str, str] = {
    "assign": "指定负责人",
    "reply": "答复群众",
    "visit": "回访",
    "fail": "回访仍不满意，重新整改",
    "close": "办结",
    "reopen": "退回重办",
    "withdraw": "群众删除了记录，终止",
}

# The whole machine. What is not here cannot happen.
TRANSITIONS: dict[tuple[State, ActName], State] = {
    ("open", "assign"): "open",
    ("open", "reply"): "replied",
    ("open", "withdraw"): "closed",
    ("replied", "assign"): "replied",
    ("replied", "reply"): "replied",
    ("replied", "visit"): "visited",
    ("replied", "fail"): "open",
    ("replied", "withdraw"): "closed",
    ("visited", "assign"): "visited",
    ("visited", "visit"): "visited",
    ("visited", "fail"): "open",
    ("visited", "close"): "closed",
    ("visited", "reopen"): "open",
    ("visited", "withdraw"): "closed",
    # The citizen's own word counts, however late.
    ("closed", "visit"): "closed",
    ("closed", "fail"): "open",
    ("closed", "reopen"): "open",
}
_HEADS_ONLY: frozenset[ActName] = frozenset({"assign", "reopen"})
_SHORTEST = 5
GONE = "群众已删除自己的记录，无法再联系。"

OWN = "这条评价是给您本人的，要由别人来办。"
NOT_YOURS = "这一条不由您负责。"
HEADS_DO = "这一步由负责人来做。"
NOT_NOW = "现在不能这样做：这一条的状态是“{state}”。"
TO_OWN = "不能让被评价的人自己来整改，请指定别人。"
NOBODY = "请选一位负责人。"
TOO_SHORT = "请写清楚{what}，至少{least}个字。"
NO_VISIT = "请选群众的评价；没联系上的，请写明联系了几次、怎么联系的。"


class RefusedError(Exception):
    """It cannot be done; the message is a sentence for the person."""


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a member of staff, or (no id) the citizen."""

    id: str = ""
    head: bool = False


class Act(msgspec.Struct, frozen=True):
    """Something done about a bad rating. Which fields matter depends on the name."""

    name: ActName
    to: str = ""
    measures: str = ""
    reply: str = ""
    grade: int = 0
    words: str = ""
    proof: str = ""


class Case(msgspec.Struct, frozen=True):
    """A rectification. `rated` is the lawyer the rating was for, `responsible` who puts it right; both may be nobody."""

    id: str
    state: State
    due: date
    rated: str = ""
    responsible: str = ""
    measures: str = ""
    reply: str = ""
    visit: str = ""
    visit_grade: int = 0
    proof: str = ""
    rounds: int = 0
    version: int = 1
    replied_at: datetime | None = None
    visit_asked_at: datetime | None = None
    visited_at: datetime | None = None
    closed_at: datetime | None = None

    def overdue(self, today: date) -> bool:
        """Whether it should have been done."""
        return self.state != "closed" and self.due < today


def visit_of(grade: int, words: str = "") -> Act:
    """What a second visit comes to: a bad grade begins it anew."""
    return Act("fail" if 0 < grade <= BAD else "visit", grade=grade, words=words)


def apply(case: Case, act: Act, by: Actor, now: datetime, new_due: date) -> Case:
    """The case after the act; `new_due` is the last day if it begins anew. RefusedError if it cannot be done."""
    following = TRANSITIONS.get((case.state, act.name))
    _check_person(case, act, by)
    if following is None:
        raise RefusedError(NOT_NOW.format(state=STATE_NAMES[case.state]))
    changed = replace(case, state=following, version=case.version + 1)
    match act.name:
        case "assign":
            return replace(changed, responsible=_other_than_rated(case, act.to))
        case "reply":
            _long_enough(act.measures, "查到的情况和怎么处理的")
            _long_enough(act.reply, "给群众的答复")
            return replace(
                changed,
                measures=act.measures,
                reply=act.reply,
                replied_at=now,
                responsible=case.responsible or by.id,
                visit_asked_at=None,
            )
        case "visit" | "fail":
            if by.id and not act.grade and len(act.words) < _SHORTEST:
                raise RefusedError(NO_VISIT)
            seen = replace(changed, visit=act.words or case.visit, visit_grade=act.grade, visited_at=now)
            return seen if act.name == "visit" else _anew(seen, new_due)
        case "close":
            _long_enough(act.proof, "办结的依据（如回访记录、整改材料）")
            return replace(changed, proof=act.proof, closed_at=now)
        case "reopen":
            _long_enough(act.words, "退回的原因")
            return _anew(changed, new_due)
        case "withdraw":
            return replace(changed, proof=GONE, closed_at=now)


def _check_person(case: Case, act: Act, by: Actor) -> None:
    if not by.id:
        return
    if by.id == case.rated:
        raise RefusedError(OWN)
    if act.name in _HEADS_ONLY and not by.head:
        raise RefusedError(HEADS_DO)
    if not by.head and by.id != case.responsible:
        raise RefusedError(NOT_YOURS)


def _other_than_rated(case: Case, to: str) -> str:
    if not to:
        raise RefusedError(NOBODY)
    if to == case.rated:
        raise RefusedError(TO_OWN)
    return to


def _long_enough(text: str, what: str) -> None:
    if len(text.strip()) < _SHORTEST:
        raise RefusedError(TOO_SHORT.format(what=what, least=_SHORTEST))


def _anew(case: Case, due: date) -> Case:
    return replace(case, due=due, rounds=case.rounds + 1, proof="", closed_at=None, visit_asked_at=None)
