"""Delivering to the bot: signing, time-out, retries, and judging the answer."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from tests.platform import replies, screen
from tests.platform.codec import Codec
from tests.platform.values import Answer, Attempt, Delivery, Envelope, Message, Seen
from tests.platform.world import World

BeforeRetry = Callable[[Delivery], Awaitable[None]]
SILENT = (b"", b"success")
OK = 200


class Settings(Protocol):
    """What a test may change at any time, even between two tries."""

    bot_url: str
    timeout: float
    tries: int
    before_retry: BeforeRetry | None


@dataclass(slots=True)
class Courier:
    """Carries messages to the bot and shows citizens what comes back."""

    world: World
    codec: Codec
    session: aiohttp.ClientSession
    settings: Settings

    async def deliver(self, message: Message, *, muted: bool = False) -> Delivery:
        """Deliver one message, trying again as long as no answer comes in time."""
        delivery = Delivery(message)
        while len(delivery.attempts) < self.settings.tries:
            if delivery.attempts and self.settings.before_retry:
                await self.settings.before_retry(delivery)
            attempt = await self._try(self.seal(message))
            delivery.attempts.append(attempt)
            if attempt.answer:
                break
        self._judge(delivery)
        if delivery.seen and (muted or not self.world.show(self.world.phones[message.openid], delivery.seen)):
            delivery.seen = None
        return delivery

    def seal(self, message: Message) -> Envelope:
        """Wrap a message with a fresh signature."""
        return self.codec.envelope(message, int(self.world.now().timestamp()), _nonce())

    def sign_query(self) -> dict[str, str]:
        """Sign a query with a fresh nonce."""
        return self.codec.sign_query(int(self.world.now().timestamp()), _nonce())

    async def request(self, method: str, query: dict[str, str], body: bytes | None = None) -> Answer:
        """Send one hand-made request."""
        async with self.session.request(
            method,
            self.settings.bot_url,
            params=query,
            data=body,
            headers={"Content-Type": "text/xml"} if body is not None else None,
            timeout=aiohttp.ClientTimeout(total=self.settings.timeout),
            allow_redirects=False,
        ) as response:
            return Answer(response.status, await response.read())

    async def _try(self, envelope: Envelope) -> Attempt:
        started = time.perf_counter()
        answer, error = None, ""
        try:
            answer = await self.request("POST", envelope.query, envelope.body)
        except (aiohttp.ClientError, TimeoutError) as caught:
            error = repr(caught)
        return Attempt(envelope, answer, error, time.perf_counter() - started)

    def _judge(self, delivery: Delivery) -> None:
        last = delivery.attempts[-1]
        try:
            delivery.reply = delivery.seen = self._read(delivery.message, last)
        except ValueError as error:
            delivery.fault = str(error)
            delivery.seen = screen.show_fault(self.world.now())

    def _read(self, message: Message, attempt: Attempt) -> Seen | None:
        if attempt.answer is None:
            why = f"no answer in {self.settings.tries} tries: {attempt.error}"
            raise ValueError(why)
        if attempt.answer.status != OK:
            why = f"HTTP status {attempt.answer.status}"
            raise ValueError(why)
        if attempt.answer.body in SILENT:
            return None
        xml, nonce = self.codec.open_reply(attempt.answer.body)
        if nonce == attempt.envelope.query["nonce"]:
            self.world.unexpected.append(f"reply to {message.openid} reuses the nonce of the request")
        expected = replies.Expectation(message.openid, self.world.account.account_id, self._has_media, self.world.now())
        return replies.read(xml, expected)

    def _has_media(self, media_id: str) -> bool:
        return self.world.find_media(media_id) is not None


def _nonce() -> str:
    return str(secrets.randbelow(9 * 10**9) + 10**9)
