"""The life of access tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

LIFE = timedelta(seconds=7200)
# Within this time of its end a token is replaced; the old one works on until it expires.
OVERLAP = timedelta(seconds=300)


@dataclass(slots=True)
class Tokens:
    """Every token ever granted, and the current one."""

    current: str = ""
    expiries: dict[str, datetime] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

    def grant(self, now: datetime, *, force: bool) -> tuple[str, int]:
        """Hand out the token and its seconds left, a new one if forced, revoked or nearly expired."""
        if force:
            self.revoke()
        expires = self.expiries.get(self.current)
        if expires is None or self.current in self.revoked or expires - now <= OVERLAP:
            self.current = f"sim-{uuid4().hex}"
            expires = self.expiries[self.current] = now + LIFE
        return self.current, int((expires - now).total_seconds())

    def revoke(self) -> None:
        """Make the current token invalid at once."""
        self.revoked.add(self.current)

    def check(self, token: str, now: datetime) -> int:
        """Judge a token: the errcode the platform answers."""
        if not token:
            return 41001
        if token not in self.expiries:
            return 40014
        if token in self.revoked:
            return 40001
        return 42001 if now >= self.expiries[token] else 0
