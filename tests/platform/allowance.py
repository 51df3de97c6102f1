"""How many customer-service messages a citizen's last actions allow, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """What one kind of action allows."""

    count: int
    life: timedelta


MESSAGE_LINE = Line(5, timedelta(hours=48))
MENU_LINE = Line(3, timedelta(minutes=1))


@dataclass(slots=True)
class Allowance:
    """Messages left, and the end of the window; never cumulative."""

    left: int = 0
    until: datetime | None = None

    def act(self, line: Line, now: datetime) -> None:
        """Raise count and clock to the action's line where that is larger."""
        open_until = self.until if self.until and now < self.until else None
        self.left = max(self.left if open_until else 0, line.count)
        self.until = max(open_until or now, now + line.life)

    def spend(self, now: datetime) -> int:
        """Use up one message: the errcode the platform answers."""
        if self.until is None or now >= self.until:
            return 45015
        if not self.left:
            return 45047
        self.left -= 1
        return 0
