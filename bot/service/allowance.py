"""The platform's window and quota for messages outside a passive reply (platform rule: not cumulative)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

Act = Literal["message", "menu", "leave"]
# A message of the citizen opens 48 hours for 5 messages; a menu tap, a subscription or a scan one minute for 3.
_LINES: dict[Act, tuple[int, timedelta]] = {
    "message": (5, timedelta(hours=48)),
    "menu": (3, timedelta(minutes=1)),
}


class Allowance(msgspec.Struct, frozen=True):
    """How many messages the platform still takes, and until when (UTC ms)."""

    left: int = 0
    until: int = 0

    def at(self, now: datetime) -> Allowance:
        """What is left of it now."""
        return self if now.timestamp() * 1000 < self.until else NOTHING_LEFT

    def after(self, act: Act | None, now: datetime) -> Allowance:
        """The citizen acted: count and clock go back to the act's own line, if that is larger."""
        current = self.at(now)
        if act is None:
            return current
        if act == "leave":
            return NOTHING_LEFT
        count, window = _LINES[act]
        return Allowance(max(count, current.left), max(int((now + window).timestamp() * 1000), current.until))


NOTHING_LEFT = Allowance()
