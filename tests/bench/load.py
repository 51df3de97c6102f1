"""The load generator: plain sockets, as little work per message as Python allows, on a core of its own."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.bench.traffic import Shot

PATIENCE = 5.0  # the platform's own
CHECK_EVERY = 25


class LoadError(Exception):
    """An answer that is none."""


@dataclass(slots=True)
class Round:
    """What one round of messages came to."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    sample: list[tuple[Shot, bytes]] = field(default_factory=list)
    connections: int = 0
    busy: float = 0.0  # seconds of the server's processor time

    @property
    def rate(self) -> float:
        """Messages answered per second."""
        return len(self.latencies) / self.seconds


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def fire(port: int, shots: Sequence[Shot], connections: int, budget: float) -> Round:
    """Send shots over so many connections, each waiting for its answer before it sends the next one.

    Stops early once `budget` seconds are over: a slow bot is measured by fewer messages.
    """
    measured, feed = Round(), enumerate(shots)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as workers:
        for _ in range(min(connections, len(shots))):
            workers.create_task(_Caller(port, measured).work(feed, started + budget))
    measured.seconds = time.perf_counter() - started
    return measured


class _Caller:
    """One connection: kept open as long as the server keeps it, opened again otherwise."""

    def __init__(self, port: int, measured: Round) -> None:
        self._loop = asyncio.get_running_loop()
        self._address = ("127.0.0.1", port)
        self._measured = measured
        self._socket: socket.socket | None = None

    async def work(self, feed: Iterator[tuple[int, Shot]], until: float) -> None:
        try:
            async with asyncio.timeout_at(self._loop.time() + until - time.perf_counter() + PATIENCE):
                for number, shot in feed:
                    await self._send(number, shot)
                    if time.perf_counter() > until:
                        break
        finally:
            self._hang_up()

    async def _send(self, number: int, shot: Shot) -> None:
        started = time.perf_counter()
        body = await self._exchange(shot.request)
        self._measured.latencies.append(time.perf_counter() - started)
        if number % CHECK_EVERY == 0:
            self._measured.sample.append((shot, body))

    async def _exchange(self, request: bytes) -> bytes:
        kept = self._socket is not None
        line = self._socket or await self._dial()
        try:
            await self._loop.sock_sendall(line, request)
            return await self._answer(line)
        except ConnectionError:
            self._hang_up()
            if not kept:
                raise
            # The server closed an idle connection just as we wrote: a fresh one decides.
            return await self._exchange(request)

    async def _dial(self) -> socket.socket:
        line = self._socket = socket.socket()
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._loop.sock_connect(line, self._address)
        self._measured.connections += 1
        return line

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _answer(self, line: socket.socket) -> bytes:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += await self._receive(line)
        head, body = data[:end].lower(), data[end + 4 :]
        length = _length(head)
        while len(body) < length:
            body += await self._receive(line)
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self._hang_up()
        if b" 200 " not in head[:13] or b"<Encrypt>" not in body:
            raise LoadError(f"not a reply: {head[:60]!r} {body[:80]!r}")
        return body

    async def _receive(self, line: socket.socket) -> bytes:
        data = await self._loop.sock_recv(line, 65536)
        if not data:
            raise ConnectionResetError
        return data


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"content-length:")
    if not found:
        raise LoadError(f"an answer without a length: {head[:200]!r}")
    return int(rest.split(b"\r\n", 1)[0])
