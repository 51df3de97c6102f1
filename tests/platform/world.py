"""Everything the platform remembers about one official account."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import uuid4

from tests.platform.allowance import MESSAGE_LINE, Allowance, Line
from tests.platform.clock import Now
from tests.platform.shapes import Menu
from tests.platform.tokens import Tokens
from tests.platform.values import Call, Seen

MEDIA_LIFE = timedelta(days=3)
Watcher = Callable[[str, Seen], None]


class Notice:
    """Lets a test wait for something to become true, without polling."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def changed(self) -> None:
        """Wake everyone who waits, to look again."""
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, condition: Callable[[], bool], within: float, what: str) -> None:
        """Wait for the condition, or fail saying what did not happen."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    await self._event.wait()
        except TimeoutError as error:
            message = f"waited {within} s in vain for {what}"
            raise AssertionError(message) from error


@dataclass(frozen=True, slots=True)
class Account:
    """The official account as the platform knows it."""

    app_id: str
    secret: str
    account_id: str
    template_ids: frozenset[str] | None = None
    tap_line: Line = MESSAGE_LINE


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or recording a citizen sent."""

    data: bytes
    content_type: str
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class SceneCode:
    """A parametric QR code; `expires` is None for a permanent one."""

    scene: str
    ticket: str
    url: str
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class LoginCode:
    """A one-time code of the web login."""

    openid: str
    scope: str
    expires: datetime


class FailureKeys(TypedDict, total=False):
    """Keywords of Failure, for calls that pass them on."""

    errcode: int
    status: int
    hang: bool
    drop: bool
    malformed: bool
    effect: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A scripted failure of one API call; with `effect` the call is carried out before its answer is spoilt."""

    errcode: int | None = None
    status: int | None = None
    hang: bool = False
    drop: bool = False
    malformed: bool = False
    effect: bool = False

    @property
    def http_status(self) -> int | None:
        """Status of the spoilt answer, None if there is none."""
        return self.status or (None if self.hang or self.drop else 200)


@dataclass(slots=True)
class Phone:
    """A citizen's phone."""

    openid: str
    subscribed: bool
    allowance: Allowance = field(default_factory=Allowance)
    seen: list[Seen] = field(default_factory=list)
    typing: bool = False


@dataclass(slots=True)
class World:
    """The platform's whole state."""

    account: Account
    now: Now
    base: str = ""
    holder: str = ""
    phones: dict[str, Phone] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    media: dict[str, Media] = field(default_factory=dict)
    menu: Menu | None = None
    scenes: dict[str, SceneCode] = field(default_factory=dict)
    login_codes: dict[str, LoginCode] = field(default_factory=dict)
    failures: dict[str, deque[Failure]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    watchers: list[Watcher] = field(default_factory=list)
    notice: Notice = field(default_factory=Notice)
    serial: int = 24_000_000_000_000_000

    def next_id(self) -> int:
        """A fresh 64-bit message id."""
        self.serial += 1
        return self.serial

    def store_media(self, data: bytes, content_type: str) -> str:
        """Keep a file for three days: its media id."""
        media_id = uuid4().hex
        self.media[media_id] = Media(data, content_type, self.now())
        return media_id

    def find_media(self, media_id: str) -> Media | None:
        """Find a file that is still kept."""
        media = self.media.get(media_id)
        return media if media and self.now() < media.stored_at + MEDIA_LIFE else None

    def show(self, phone: Phone, seen: Seen) -> bool:
        """Put something on a citizen's screen, unless the citizen has left: whether it was shown."""
        if not phone.subscribed:
            return False
        phone.seen.append(seen)
        phone.typing = False
        if "weixin://" in seen.visible:
            self.unexpected.append(f"{phone.openid} sees a broken tap line: {seen.visible!r}")
        for watcher in self.watchers:
            watcher(phone.openid, seen)
        self.notice.changed()
        return True
