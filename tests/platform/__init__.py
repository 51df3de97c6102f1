"""A simulator of the WeChat Official Account platform: plays Tencent over real HTTP on the loopback."""

from __future__ import annotations

from tests.platform.allowance import MENU_LINE, MESSAGE_LINE, Line
from tests.platform.citizen import Citizen
from tests.platform.clock import Clock, Now, real_clock
from tests.platform.simulator import Platform
from tests.platform.values import FAULT, Answer, Attempt, Call, Delivery, Link, Message, Mode, Seen, Tap

__all__ = [
    "FAULT",
    "MENU_LINE",
    "MESSAGE_LINE",
    "Answer",
    "Attempt",
    "Call",
    "Citizen",
    "Clock",
    "Delivery",
    "Line",
    "Link",
    "Message",
    "Mode",
    "Now",
    "Platform",
    "Seen",
    "Tap",
    "real_clock",
]
