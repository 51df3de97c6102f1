"""Who asks, and who serves them, in the made-up county."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from bot.service.demo import words

_NEW = 0.58
_WECHAT = 0.82
_TELLS_TOWNSHIP = 0.72


class Person(msgspec.Struct, frozen=True):
    """A citizen: where they write from, and when they first and last did (as stored)."""

    id: str
    address: str
    channel: str
    township: str
    first: int
    last: int

    @property
    def row(self) -> dict[str, Any]:
        """As stored: nothing can ever be sent there."""
        return {
            "id": self.id,
            "channel": self.channel,
            "address": self.address,
            "subscribed": False,
            "township": self.township,
            "erased_at": None,
            "state": "{}",
            "allowance": 0,
            "window_until": 0,
            "created_at": self.first,
            "seen_at": self.last,
        }


class Server(msgspec.Struct, frozen=True):
    """A member of staff who takes handoffs."""

    id: str
    login: str
    title: str


def people(random: Random, moments: Sequence[int], townships: Sequence[str], prefix: str) -> list[Person]:
    """Who asks at each of these moments: somebody new, or somebody who asked before."""
    spans: list[list[int]] = []
    order = []
    for moment in moments:
        if not spans or random.random() < _NEW:
            spans.append([moment, moment])
            order.append(len(spans) - 1)
        else:
            one = random.randrange(len(spans))
            spans[one][1] = moment
            order.append(one)
    sizes = [1 / (place + 2) for place in range(len(townships))]
    known = [
        Person(
            stamp_id(random, first),
            f"{prefix}-{number:06d}",
            "wechat" if random.random() < _WECHAT else "web",
            random.choices(townships, weights=sizes)[0] if townships and random.random() < _TELLS_TOWNSHIP else "",
            first,
            last,
        )
        for number, (first, last) in enumerate(spans)
    ]
    return [known[one] for one in order]


def staff_rows(townships: Sequence[str], password: str, since: int) -> list[dict[str, Any]]:
    """The office's accounts; with an empty password nobody can log in to them."""
    centres = ["", *(f"{name}公共法律服务工作站" for name in townships)]
    return [
        {
            "id": login,
            "login": login,
            "name": name,
            "role": role,
            "password": password,
            "covers": "[]",
            "centre": centres[centre % len(centres)],
            "on_duty": False,
            "seen_at": since,
            "citizen_id": None,
            "attending": "",
            "failures": 0,
            "locked_until": 0,
            "disabled_at": None,
            "created_at": since,
        }
        for login, name, role, centre in words.STAFF
    ]


def counsel() -> tuple[Server, ...]:
    """Those of the office who take handoffs."""
    return tuple(
        Server(login, login, f"{name}律师") for login, name, role, _ in words.STAFF if role in {"lawyer", "supervisor"}
    )


def stamp_id(random: Random, moment: int) -> str:
    """A sortable id (UUIDv7) of this moment, the same for the same dice."""
    noise = random.getrandbits(74)
    text = f"{moment:012x}7{noise & 0xFFF:03x}{8 + (noise >> 12 & 3):x}{noise >> 14:015x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
