"""The chat page's own rate limit: so many messages a minute per visitor and per network address."""

from __future__ import annotations

from collections import OrderedDict, deque

WINDOW = 60.0
REMEMBERED = 10_000


class Limit:
    """A sliding window per key; forgets the keys not seen for longest."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str, now: float, most: int) -> float:
        """Seconds until this key may send, `most` times in the window; 0 counts the message and lets it through."""
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        while times and now - times[0] >= WINDOW:
            times.popleft()
        if len(times) >= most:
            # The most may have been more before: one has to leave for each beyond it.
            return WINDOW - (now - times[len(times) - most])
        times.append(now)
        return 0.0


def client_address(remote: str, forwarded: str, proxies: int) -> str:
    """The visitor's address: with N proxies of ours in front, the N-th from the right of X-Forwarded-For.

    Anything further left was written by the client and proves nothing.
    """
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    return hops[-proxies] if proxies and len(hops) >= proxies else remote
