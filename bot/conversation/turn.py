"""The values of a conversation: what comes in, what is known, what goes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from bot.conversation.handoff.machine import Event, Handoff, Reason
from knowledge import reply as replies
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


@dataclass(frozen=True, slots=True)
class Inbound:
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
    options: tuple[str, ...] = ()
    rest: str = ""
    misses: int = 0
    touched: float = 0.0
    burst: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Matter:
    """What a substantive message is about. Unknown kind and category are empty; `follows` continues what was open."""

    kind: Kind | Literal[""] = ""
    category: str = ""
    outcome: ResultOfTurn = "unanswered"
    follows: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A person is asked for. `queue`: nothing is left to ask, so the wait begins."""

    reason: Reason = "asked"
    kind: str = ""
    category: str = ""
    township: str = ""
    question: str = ""
    urgent: bool = False
    queue: bool = True
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """The grade of a closed handoff, 5 very satisfied to 1 very dissatisfied."""

    handoff: str
    grade: int


@dataclass(frozen=True, slots=True)
class Record:
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


@dataclass(frozen=True, slots=True)
class Outcome:
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
    _answers: dict[tuple[str, date, str], Reply] = field(default_factory=dict, init=False, repr=False, compare=False)

    def answer(self, entry: Entry, day: date, lead: str) -> Reply:
        """The reply for an entry on a day, composed once: nothing else goes into it as long as this library stands."""
        key = (entry.id, day, lead)
        said = self._answers.get(key)
        if said is None:
            if len(self._answers) >= ANSWERS_KEPT:
                self._answers.clear()
            said = self._answers[key] = replies.answer(entry, self.base, self.locality, day, lead=lead)
        return said


@dataclass(frozen=True, slots=True)
class Duty:
    """What a citizen who wants a person must be told.

    `staffed`: the county has lawyers here at all; `place` in the queue, held or next to get; `opens_at` is now if open.
    """

    staffed: bool
    lawyers: int
    place: int
    recent: tuple[timedelta, ...]
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything a flow may know: the message, the state, the moment, the library.

    `handoff` is the citizen's open one; `lawyer` the name of who holds it; `duty` is there when `wants_person` said so;
    `announcement` is what citizens are told at present where nothing else shows it.
    """

    inbound: Inbound
    state: State
    now: datetime
    library: Library
    text: str = field(default="")
    township: str = ""
    handoff: Handoff | None = None
    lawyer: str = ""
    duty: Duty | None = None
    announcement: str = ""

    @property
    def day(self) -> date:
        """The calendar day in the county."""
        return self.now.astimezone(LOCAL).date()

    def say(self, text: str) -> str:
        """A wording with the county's places filled in."""
        return self.library.locality.fill(text)
