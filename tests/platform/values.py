"""What the simulator hands to a test: plain values, no behaviour beyond reading them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Mode = Literal["plain", "compatible", "safe"]
Via = Literal["passive", "service", "template", "fault"]
Value = str | int | float

FAULT = "该公众号提供的服务出现故障，请稍后再试"


@dataclass(frozen=True, slots=True)
class Tap:
    """A tappable line: touching `label` sends `content` with `menu_id`."""

    label: str
    content: str
    menu_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """A line that opens a web page."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing shown on a citizen's phone; `text` as sent, `visible` as the eye reads it."""

    via: Via
    kind: str
    text: str
    at: datetime
    visible: str = ""
    taps: tuple[Tap, ...] = ()
    links: tuple[Link, ...] = ()
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A citizen's message or event, as XML fields in order."""

    openid: str
    fields: tuple[tuple[str, Value], ...]

    def __getitem__(self, name: str) -> Value:
        """Value of one XML field."""
        return dict(self.fields)[name]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed request to the bot: query and body."""

    query: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The bot's HTTP answer to a hand-made request."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver; `answer` is None when the bot gave none in time."""

    envelope: Envelope
    answer: Answer | None
    error: str
    seconds: float


@dataclass(slots=True)
class Delivery:
    """How one message fared: the tries, the passive reply, and what the citizen saw of it."""

    message: Message
    attempts: list[Attempt] = field(default_factory=list)
    reply: Seen | None = None
    seen: Seen | None = None
    fault: str = ""

    @property
    def statuses(self) -> list[int | None]:
        """HTTP status of every try, None where no answer came."""
        return [attempt.answer.status if attempt.answer else None for attempt in self.attempts]

    @property
    def text(self) -> str:
        """Text of the passive reply, empty when there was none."""
        return self.reply.text if self.reply else ""


@dataclass(slots=True)
class Call:
    """One call the bot made to the platform's API; `errcode` is None when no well-formed answer was sent."""

    method: str
    path: str
    query: dict[str, str]
    raw: bytes
    body: object
    at: datetime
    status: int | None = None
    errcode: int | None = None
