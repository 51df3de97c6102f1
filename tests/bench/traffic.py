"""What citizens write: messages that all differ, sealed as the platform seals them, ready to be put on the wire."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.platform import markup
from tests.platform.codec import Codec
from tests.platform.values import Message

APP_ID, TOKEN, SECRET = "wx0123456789abcdef", "benchtoken", "bench-secret"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFI"
ACCOUNT = "gh_0123456789ab"
CODEC = Codec(APP_ID, TOKEN, AES_KEY, "safe")
PATH = "/wechat"

# Each wording of the knowledge base in many mouths: what is searched for is real, and never the same text twice.
OPENINGS = ("", "请问", "律师您好，", "想问下", "我是外地来打工的，", "家里老人不懂，")
ENDINGS = ("", "，急", "，怎么办才好", "，去年的事", "，我在镇上", "，要找谁", "？谢谢", "，对方不承认")
# Fawen asks whoever writes more than eight times in ten seconds to slow down; three keeps clear of that.
EACH = 3


@dataclass(frozen=True, slots=True)
class Shot:
    """One message as it goes over the wire."""

    openid: str
    text: str
    request: bytes


class Crowd:
    """Citizens with things to say; what one has said no other says again."""

    def __init__(self, wordings: Sequence[str], seed: int = 2026) -> None:
        self._wordings = wordings
        self._said = _shuffled(len(wordings) * len(OPENINGS) * len(ENDINGS), random.Random(seed))
        self._messages = 24_000_000_000_000_000
        self._citizens = 0

    def shots(self, count: int) -> list[Shot]:
        """Fresh messages of fresh citizens, signed now, three of each citizen far apart."""
        crowd = max(1, -(-count // EACH))
        first, self._citizens = self._citizens, self._citizens + crowd
        return [self._shot(f"oBench{first + number % crowd:022d}") for number in range(count)]

    def words(self) -> Iterator[str]:
        """What fresh citizens say, without an envelope."""
        while True:
            yield self._text()

    def _shot(self, openid: str) -> Shot:
        self._messages += 1
        now = int(time.time())
        text = self._text()
        fields = (
            ("ToUserName", ACCOUNT),
            ("FromUserName", openid),
            ("CreateTime", now),
            ("MsgType", "text"),
            ("Content", text),
            ("MsgId", self._messages),
        )
        envelope = CODEC.envelope(Message(openid, fields), now, str(secrets.randbelow(9 * 10**9) + 10**9))
        return Shot(openid, text, _request(urlencode(envelope.query), envelope.body))

    def _text(self) -> str:
        number, ending = divmod(next(self._said), len(ENDINGS))
        number, opening = divmod(number, len(OPENINGS))
        return OPENINGS[opening] + self._wordings[number].rstrip("？?。") + ENDINGS[ending]


def _shuffled(size: int, chance: random.Random) -> Iterator[int]:
    numbers = list(range(size))
    chance.shuffle(numbers)
    return iter(numbers)


def _request(query: str, body: bytes) -> bytes:
    head = (
        f"POST {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def said(shot: Shot, body: bytes) -> str:
    """The words of a reply; ValueError if it is forged, empty or for somebody else."""
    xml, _nonce = CODEC.open_reply(body)
    root = markup.parse(xml)
    if markup.leaf(root, "ToUserName") != shot.openid:
        message = f"a reply for {markup.leaf(root, 'ToUserName')} went to {shot.openid}"
        raise ValueError(message)
    text = markup.leaf(root, "Content")
    if not text.strip():
        message = f"{shot.openid} got an empty reply"
        raise ValueError(message)
    return text
