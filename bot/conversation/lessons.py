"""普法: the entry of the day and short quizzes (以案释法), for those who ask. Nobody is pushed, nothing is counted as a consultation."""

from __future__ import annotations

import re
from datetime import date, timedelta

from msgspec.structs import replace

from bot.conversation.turn import Answered, Inbound, Lesson, Library, Outcome, Record, State, Turn
from knowledge import reply as replies
from knowledge.entry import Entry
from knowledge.reply import Reply, Tap, fit

_TODAY = re.compile(r"^(?:看看?|来个?|学习?)?(?:今日|今天的?|每日|每天)?(?:普法|学法|法律小知识)(?:知识|小课堂)?$")
_QUIZ = re.compile(
    r"^(?:我要|我想|来)?(?:做|答|来)?(?:一|几)?(?:道|个)?(?:普法|法律)?(?:题目?|答题|测验|考题)(?:吧|看看)?$|^(?:考考我|普法答题|以案释法|法律测试)$"
)
_CHOICE = re.compile(r"^(?:选|我选)?([A-Da-d1-4])[。.、]?$")
_SIGNS = re.compile(r"[\s。.!！?？~～,，“”\"]+")
LETTERS = "ABCD"
ANSWER_WITHIN = timedelta(hours=12)

HEAD = "【今日普法】{question}\n"
CASE = "【以案释法】{question}\n\n{options}\n\n您选哪个？点一下，或回复字母。"
RIGHT = "答对了！选{letter}。\n{explanation}"
WRONG = "您选的是{chosen}，正确的是{letter}：{option}\n{explanation}"
NO_QUIZ = "今天还没有题。先看看今日普法：\n\n"
NOTHING = "今天还没有普法内容，改天再来看看。有法律上的事，直接问我就行。"
OLD = "这道题已经停用了。回复“做道题”看看新的。"
QUIZ = Tap("做道题", "做道题", "lesson:quiz")


def wants(inbound: Inbound, awaits: str) -> str:
    """What is asked for: entry, quiz, or the id of the quiz that is being answered; empty if none of it."""
    match inbound.tap.split(":"):
        case ["lesson", "quiz"]:
            return "quiz"
        case ["quiz", lesson, _]:
            return f"id:{lesson}"
    if inbound.tap or inbound.kind != "text":
        return ""
    text = _SIGNS.sub("", inbound.text)
    if awaits.startswith("quiz:") and _CHOICE.match(text):
        return f"id:{awaits.removeprefix('quiz:')}"
    return "entry" if _TODAY.match(text) else "quiz" if _QUIZ.match(text) else ""


def handle(turn: Turn) -> Outcome | None:
    """Today's entry or quiz, or what became of an answer; None if nothing of this was asked for."""
    if turn.inbound.tap.startswith("learn:"):
        entry = usable(turn.library, turn.inbound.tap.removeprefix("learn:"), turn.day)
        return _gone(turn) if entry is None else _told(turn, entry, "")
    match wants(turn.inbound, turn.awaits):
        case "":
            return None
        case "entry":
            return _today(turn)
        case "quiz":
            return _case(turn)
        case _:
            return _answered(turn)


def usable(library: Library, entry_id: str, day: date) -> Entry | None:
    """The entry, if it may be served on that day."""
    entry = library.base.entries.get(entry_id)
    served = entry and library.base.servable(entry, day, confirmed_only=library.confirmed_only)
    return entry if served else None


def by_number(library: Library, day: date) -> Entry | None:
    """An entry for a day nobody planned: confirmed legal ones in turn, or while there are none, all that may be served."""
    legal = [one for one in library.base.entries.values() if one.kind == "legal"]
    served = [one for one in legal if library.base.servable(one, day, confirmed_only=library.confirmed_only)]
    chosen = sorted((one for one in served if one.confirmed), key=_id) or sorted(served, key=_id)
    # A large step, so that neighbours of one file do not follow each other; the number keeps clear of common divisors.
    return chosen[day.toordinal() * 7919 % len(chosen)] if chosen else None


def case(lesson: Lesson) -> Reply:
    """A quiz as it reads on the phone."""
    lines = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, lesson.options, strict=False))
    taps = tuple(
        Tap(f"选{letter}", letter, f"quiz:{lesson.id}:{n}")
        for n, letter in enumerate(LETTERS[: len(lesson.options)], 1)
    )
    return Reply(CASE.format(question=lesson.question, options=lines), (taps,))


def solved(lesson: Lesson, choice: int, entry: Entry, library: Library) -> Reply:
    """What is said to an answer: right or wrong, why, and on what basis."""
    letter = LETTERS[lesson.answer - 1]
    if choice == lesson.answer:
        text = RIGHT.format(letter=letter, explanation=lesson.explanation)
    else:
        option, chosen = lesson.options[lesson.answer - 1], LETTERS[choice - 1]
        text = WRONG.format(chosen=chosen, letter=letter, option=option, explanation=lesson.explanation)
    footer = replies.footer(entry, library.base)
    return fit(Reply(f"{text}\n\n{footer}", ((Tap("看详细解答", entry.question, f"learn:{entry.id}"), QUIZ),)))


def _today(turn: Turn) -> Outcome:
    planned = turn.lesson and usable(turn.library, turn.lesson.entry, turn.day)
    entry = planned or by_number(turn.library, turn.day)
    if entry is None:
        return Outcome(Reply(NOTHING), Record("lesson"), turn.state)
    return _told(turn, entry, HEAD.format(question=entry.question))


def _told(turn: Turn, entry: Entry, lead: str) -> Outcome:
    whole = turn.library.answer(entry, turn.day, lead)
    # No related questions: they would count as consultations nobody came for.
    said = replace(whole, rows=((QUIZ,), whole.rows[-1]))
    said = said if said.size <= replies.TEXT_LIMIT else whole
    state = replace(turn.state, rest=said.rest, options=())
    return Outcome(said, Record("lesson", entry=entry.id, version=entry.version), state)


def _case(turn: Turn) -> Outcome:
    lesson = turn.lesson
    if lesson is None or lesson.kind != "quiz" or usable(turn.library, lesson.entry, turn.day) is None:
        instead = by_number(turn.library, turn.day)
        return _gone(turn, NOTHING) if instead is None else _told(turn, instead, NO_QUIZ)
    state = _awaiting(turn, f"quiz:{lesson.id}")
    return Outcome(case(lesson), Record("lesson", entry=lesson.entry), state)


def _answered(turn: Turn) -> Outcome:
    lesson, choice = turn.lesson, _choice(turn.inbound)
    entry = usable(turn.library, lesson.entry, turn.day) if lesson else None
    if lesson is None or entry is None or not 1 <= choice <= len(lesson.options):
        return _gone(turn)
    record = Record("lesson", entry=entry.id, version=entry.version, answered=Answered(lesson.id, choice))
    said = solved(lesson, choice, entry, turn.library)
    return Outcome(said, record, replace(turn.state, rest=said.rest, options=()))


def _choice(inbound: Inbound) -> int:
    _, _, tapped = inbound.tap.rpartition(":")
    if inbound.tap:
        return int(tapped) if tapped in set("1234") else 0
    typed = _CHOICE.match(_SIGNS.sub("", inbound.text))
    if typed is None:
        return 0
    return int(typed[1]) if typed[1].isdigit() else LETTERS.index(typed[1].upper()) + 1


def _awaiting(turn: Turn, what: str) -> State:
    until = (turn.now + ANSWER_WITHIN).timestamp()
    return replace(turn.state, awaits=what, awaits_until=until, options=())


def _gone(turn: Turn, text: str = OLD) -> Outcome:
    return Outcome(Reply(text), Record("lesson"), turn.state)


def _id(entry: Entry) -> str:
    return entry.id
