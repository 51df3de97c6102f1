"""The values of a conversation: what comes in, what is known, what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from bot.conversation.handoff.machine import Event, Handoff, Reason
from knowledge import reply as replies
from knowledge.articles import Article, Articles
from knowledge.entry import Entry, Kind
from knowledge.load import KnowledgeBase
from knowledge.places import Locality
from knowledge.reply import Reply
from knowledge.search.mixer import Verdict
from knowledge.search.rank import Search

LOCAL = ZoneInfo("Asia/Shanghai")
MessageKind = Literal["text", "image", "voice", "video", "location", "link", "file", "event", "other"]
# All entries of some days, with and without the line about danger.
ANSWERS_KEPT = 4096
ResultOfTurn = Literal["answered", "offered", "unanswered", "referred"]


class Inbound(msgspec.Struct, frozen=True):
    """One message or event of a citizen. `key` is the platform's own id for it: one key, one turn."""

    channel: str
    citizen: str
    key: str
    kind: MessageKind
    sent_at: datetime
    text: str = ""
    tap: str = ""
    event: str = ""
    scene: str = ""
    media: str = ""


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a citizen's conversation stands. Times are UTC seconds."""

    entry: str = ""
    question: str = ""
    # What a number sent next means; what the message asked besides and has not been shown.
    options: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    rest: str = ""
    misses: int = 0
    touched: float = 0.0
    burst: tuple[float, ...] = ()
    # What the next message may be an answer to, and until when.
    awaits: str = ""
    awaits_until: float = 0.0
    # When a grade was last asked for; the rectification whose second visit is to be made.
    asked: float = 0.0
    visit: str = ""

    def awaited(self, now: datetime) -> str:
        """What a message at this moment may be an answer to."""
        return self.awaits if now.timestamp() < self.awaits_until else ""


class Matter(msgspec.Struct, frozen=True):
    """What a substantive message is about. Unknown kind and category are empty; `follows` continues what was open."""

    kind: Kind | Literal[""] = ""
    category: str = ""
    outcome: ResultOfTurn = "unanswered"
    follows: bool = False
    urgent: bool = False


class Request(msgspec.Struct, frozen=True):
    """A person is asked for. `queue`: nothing is left to ask, so the wait begins."""

    reason: Reason = "asked"
    kind: str = ""
    category: str = ""
    township: str = ""
    question: str = ""
    urgent: bool = False
    queue: bool = True
    promised_at: datetime | None = None


class Rated(msgspec.Struct, frozen=True):
    """What a grade is for: a closed handoff, or a consultation that the bot alone answered."""

    handoff: str = ""
    consultation: str = ""

    @property
    def name(self) -> str:
        """As it stands in a tap."""
        return self.handoff or f"c:{self.consultation}"


class Rating(msgspec.Struct, frozen=True):
    """A grade, 5 very satisfied to 1 very dissatisfied; or (grade 0) words added to the one given before."""

    of: Rated
    grade: int = 0
    words: str = ""


class Visit(msgspec.Struct, frozen=True):
    """The second visit (回访) after a rectification: the question was put (`asked`), a grade given, words added."""

    rectification: str
    grade: int = 0
    words: str = ""
    asked: bool = False


class Lesson(msgspec.Struct, frozen=True):
    """What staff scheduled for a day: an entry, or a case with options (`answer` is the number of the right one)."""

    id: str
    kind: Literal["entry", "quiz"]
    entry: str
    question: str = ""
    options: tuple[str, ...] = ()
    answer: int = 0
    explanation: str = ""


class Answered(msgspec.Struct, frozen=True):
    """Which option of a quiz was chosen, from 1."""

    lesson: str
    choice: int


class Past(msgspec.Struct, frozen=True):
    """An earlier consultation, as its citizen is told of it."""

    on: date
    subject: str
    result: str


class Held(msgspec.Struct, frozen=True):
    """What we hold of a citizen. `link` opens the export once; empty where this server has no address of its own."""

    since: date
    messages: int
    consultations: int
    handoffs: int
    media: int
    township: str
    last: tuple[Past, ...]
    keep_days: int
    media_days: int
    link: str = ""


class Record(msgspec.Struct, frozen=True):
    """What goes on record about a turn. Without a matter nothing is counted."""

    flow: str
    matter: Matter | None = None
    verdict: Verdict | Literal[""] = ""
    entry: str = ""
    version: str = ""
    confidence: float = 0.0
    useful: bool | None = None
    subscribed: bool | None = None
    request: Request | None = None
    events: tuple[Event, ...] = ()
    rating: Rating | None = None
    visit: Visit | None = None
    answered: Answered | None = None
    # What the citizen had done with their own data.
    data: Literal["", "shown", "exported", "erased"] = ""


class Outcome(msgspec.Struct, frozen=True):
    """What a flow decides: what to say (None is silence), what to record, the next state."""

    say: Reply | None
    record: Record
    state: State


@dataclass(frozen=True, slots=True)
class Library:
    """What flows may look things up in."""

    base: KnowledgeBase
    search: Search
    locality: Locality
    confirmed_only: bool = False
    articles: Articles | None = None
    _answers: dict[tuple[str, date, str], Reply] = field(default_factory=dict, init=False, repr=False, compare=False)

    def article(self, text: str, day: date) -> Article | None:
        """The article of law that a message plainly is about, where the county has the texts of laws."""
        found = self.articles.plain(text, day) if self.articles else None
        law = self.base.statutes.laws.get(found.law.name) if found else None
        return found if law is None or law.in_force(day) else None

    def answer(self, entry: Entry, day: date, lead: str, others: Sequence[Entry] = ()) -> Reply:
        """The reply for an entry on a day, composed once: nothing else goes into it as long as this library stands.

        With `others`, what the message asked besides, it is composed each time.
        """
        if others:
            return replies.answer(entry, self.base, self.locality, day, lead=lead, others=others)
        key = (entry.id, day, lead)
        said = self._answers.get(key)
        if said is None:
            if len(self._answers) >= ANSWERS_KEPT:
                self._answers.clear()
            said = self._answers[key] = replies.answer(entry, self.base, self.locality, day, lead=lead)
        return said


class Duty(msgspec.Struct, frozen=True):
    """What a citizen who wants a person must be told.

    `staffed`: the county has lawyers here at all; `place` in the queue, held or next to get; `opens_at` is now if open.
    """

    staffed: bool
    lawyers: int
    place: int
    recent: tuple[timedelta, ...]
    opens_at: datetime


class Turn(msgspec.Struct, frozen=True):
    """Everything a flow may know: the message, the state, the moment, the library.

    `handoff` is the citizen's open one; `lawyer` the name of who holds it; `duty` is there when `wants_person` said so;
    `announcement` is what citizens are told at present where nothing else shows it.
    `awaits` is what this message may answer. `letters`: something of ours is still on its way to the citizen.
    The rest is there when the flow it is for said that this message wants it.
    """

    inbound: Inbound
    state: State
    now: datetime
    library: Library
    text: str = ""
    township: str = ""
    handoff: Handoff | None = None
    lawyer: str = ""
    duty: Duty | None = None
    announcement: str = ""
    awaits: str = ""
    letters: bool = False
    rateable: Rated | None = None
    held: Held | None = None
    lesson: Lesson | None = None

    @property
    def day(self) -> date:
        """The calendar day in the county."""
        return self.now.astimezone(LOCAL).date()

    def say(self, text: str) -> str:
        """A wording with the county's places filled in."""
        return self.library.locality.fill(text)
