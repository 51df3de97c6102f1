"""One consultation after the other, from the first words to the rating, as rows of the store. Pure: dice in, rows out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bot.conversation.counting import SILENCE
from bot.conversation.handoff.duty import Hours
from bot.conversation.turn import LOCAL, Library
from bot.service import inbox
from bot.service.demo import words
from bot.service.demo.matters import Matters, asked
from bot.service.demo.people import Person, Server, stamp_id
from bot.store.times import from_ms
from knowledge import reply as replies
from knowledge.entry import Entry
from knowledge.reply import Reply

MINUTE = 60_000
SILENT = int(SILENCE.total_seconds() * 1000)
Row = dict[str, Any]
_FIRST = {"answered": 0.845, "offered": 0.10, "unanswered": 0.05, "referred": 0.005}
# How likely a person is asked for, after each of these.
_HANDED = {"answered": 0.045, "offered": 0.08, "unanswered": 0.4, "referred": 0.9}
_VERDICTS = {"answered": "answer", "offered": "choices", "unanswered": "none", "referred": ""}
_NOT_OURS, _GOES_ON, _CHOOSES, _TRIES_AGAIN = 0.6, 0.28, 0.72, 0.45
_HELPED, _HELPED_BY, _RATED = 0.22, 0.87, 0.06
_GRADES = (52, 30, 12, 4, 2)
_UNSURE = Reply("这个问题我拿不准，怕说错。您可以换个说法再问，或者转人工律师。")


@dataclass(frozen=True)
class World:
    """What stories are made of."""

    random: Random
    library: Library
    matters: Matters
    hours: Hours
    counsel: tuple[Server, ...]


@dataclass
class Story:
    """A consultation on its way: its row, and the rows around it, by table."""

    random: Random
    person: Person
    entry: Entry | None
    row: Row
    now: int
    key: str
    rows: dict[str, list[Row]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def add(self, table: str, row: Row) -> None:
        """Put a row beside the consultation."""
        self.rows.setdefault(table, []).append(row)

    def new_id(self) -> str:
        """An id of this moment."""
        return stamp_id(self.random, self.now)

    def hears(self, text: str, reply: Reply | None, flow: str, *, tap: str = "", verdict: str = "") -> str:
        """The citizen says something and gets a reply; returns the message's id."""
        row_id = self.new_id()
        known = self.entry if verdict == "answer" else None
        self.add(
            "inbox",
            {
                "id": row_id,
                "channel": self.person.channel,
                "key": f"{self.key}-{self.row['messages']}",
                "citizen_id": self.person.id,
                "consultation_id": self.row["id"],
                "kind": "text",
                "text": text,
                "tap": tap,
                "flow": flow,
                "verdict": verdict,
                "entry_id": known.id if known else "",
                "entry_version": known.version if known else "",
                "confidence": self.row["confidence"],
                "reply": inbox.encode(reply),
                "sent_at": self.now - self.random.randrange(200, 3000),
                "received_at": self.now,
            },
        )
        self.said.append(text)
        self.row |= {"messages": self.row["messages"] + 1, "last_at": self.now}
        return row_id

    def later(self, least: int, most: int) -> None:
        """Time goes by, minutes."""
        self.now += self.random.randrange(least * MINUTE, most * MINUTE)


def tell(world: World, person: Person, moment: int, key: str) -> Story:
    """How one consultation went until the bot was done with it."""
    random = world.random
    month = from_ms(moment).astimezone(LOCAL).month
    first = random.choices(list(_FIRST), weights=list(_FIRST.values()))[0]
    entry = None if first == "unanswered" and random.random() < _NOT_OURS else world.matters.choose(random, month)
    story = Story(random, person, entry, _row(random, person, first, moment), moment, key)
    _FLOWS[first](world, story)
    while random.random() < _GOES_ON and story.row["outcome"] == "answered":
        story.later(1, 9)
        story.hears(random.choice(words.FOLLOW_UPS), _answer(world, story.entry), "follow_up", verdict="answer")
    if story.row["outcome"] == "answered" and story.entry:
        _feedback(story, story.entry)
    return story


def wants_person(story: Story) -> bool:
    """Whether the citizen asks for a lawyer in the end."""
    chance = _HANDED[story.row["outcome"]]
    return story.random.random() < chance


def end(story: Story) -> None:
    """Nobody says anything any more; now and then the citizen rates the answer."""
    if story.row["outcome"] == "answered" and story.random.random() < _RATED:
        rate(story, None)
    story.row["closed_at"] = story.row["last_at"] + SILENT


def rate(story: Story, handoff: str | None, weights: tuple[int, ...] = _GRADES) -> None:
    """The citizen gives a grade."""
    grade = story.random.choices((5, 4, 3, 2, 1), weights=weights)[0]
    story.row["grade"] = grade
    story.add(
        "ratings",
        {
            "id": story.new_id(),
            "citizen_id": story.person.id,
            "consultation_id": story.row["id"],
            "handoff_id": handoff,
            "grade": grade,
            "words": story.random.choice(words.GRADE_WORDS[grade]),
            "given_at": story.now + story.random.randrange(MINUTE, 30 * MINUTE),
        },
    )


def rows_of(story: Story) -> Iterator[tuple[str, list[Row]]]:
    """Everything to store of a story, tables in the order their references ask for."""
    said = "\n".join(story.said)
    story.add("consultation_words", {"consultation_id": story.row["id"], "words": said})
    yield "consultations", [story.row]
    yield from story.rows.items()


def _row(random: Random, person: Person, first: str, moment: int) -> Row:
    return {
        "id": stamp_id(random, moment),
        "citizen_id": person.id,
        "channel": person.channel,
        "kind": "",
        "category": "",
        "entry_id": "",
        "entry_version": "",
        "verdict": _VERDICTS[first],
        "confidence": round(random.uniform(0.7, 0.99) if first == "answered" else random.uniform(0.1, 0.6), 3),
        "outcome": first,
        "first_outcome": first,
        "handed": False,
        "grade": 0,
        "handled_by": "bot",
        "service": "",
        "summary": "",
        "minutes": 0,
        "township": person.township,
        "urgent": first == "referred",
        "messages": 0,
        "opened_at": moment,
        "last_at": moment,
        "closed_at": None,
    }


def _answered(world: World, story: Story) -> None:
    _knows(story)
    text = asked(story.random, story.entry) if story.entry else ""
    story.hears(text, _answer(world, story.entry), "ask", verdict="answer")


def _offered(world: World, story: Story) -> None:
    entry = story.entry
    if entry is None:
        return
    near = [other for other in entry.see_also if other in world.library.base.entries][:2]
    choice = [entry, *(world.library.base.entries[other] for other in near)]
    said = Reply("您是想问哪一个？点一下：", tuple((replies.ask_tap(one),) for one in choice))
    story.hears(asked(story.random, entry), said, "ask", verdict="choices")
    if story.random.random() < _CHOOSES:
        story.later(1, 3)
        _knows(story)
        story.hears(entry.question, _answer(world, entry), "choose", tap=f"ask:{entry.id}", verdict="answer")


def _unanswered(world: World, story: Story) -> None:
    entry = story.entry
    text = story.random.choice(words.UNKNOWN) if entry is None else story.random.choice(words.VAGUE)
    story.hears(text, _UNSURE, "ask", verdict="none")
    if entry is not None and story.random.random() < _TRIES_AGAIN:
        story.later(1, 4)
        _knows(story)
        story.hears(asked(story.random, entry), _answer(world, entry), "ask", verdict="answer")


def _referred(_world: World, story: Story) -> None:
    story.row |= {"kind": "legal", "category": "safety"}
    said = Reply("有危险马上打110，受伤打120。您人安全吗？已经把您的情况标为急件，律师会先看。")
    story.hears("他又动手打我了，我很害怕", said, "safety.violence")


_FLOWS = {"answered": _answered, "offered": _offered, "unanswered": _unanswered, "referred": _referred}


def _knows(story: Story) -> None:
    """From here on it is known what the matter is."""
    if story.entry is not None:
        entry = story.entry
        story.row |= {
            "kind": entry.kind,
            "category": entry.category,
            "entry_id": entry.id,
            "entry_version": entry.version,
            "verdict": "answer",
            "outcome": "answered",
            "confidence": round(story.random.uniform(0.7, 0.99), 3),
        }


def _answer(world: World, entry: Entry | None) -> Reply | None:
    # Composed as of the day it was checked: the laws of the made-up year do not matter here.
    return None if entry is None else world.library.answer(entry, entry.reviewed, "")


def _feedback(story: Story, entry: Entry) -> None:
    if story.random.random() < _HELPED:
        useful = story.random.random() < _HELPED_BY
        story.add(
            "feedback",
            {
                "id": story.new_id(),
                "citizen_id": story.person.id,
                "consultation_id": story.row["id"],
                "entry_id": entry.id,
                "useful": useful,
                "given_at": story.now + MINUTE,
            },
        )
