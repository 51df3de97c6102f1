"""Composing what citizens send, field by field as the platform orders them."""

from __future__ import annotations

from tests.platform.values import Message, Value
from tests.platform.world import Phone, World


class Pen:
    """Writes one citizen's messages and events, with ids and times the platform would give."""

    def __init__(self, world: World, phone: Phone) -> None:
        self._world = world
        self._phone = phone
        self._last_event: dict[str, int] = {}

    def message(self, kind: str, /, **fields: Value) -> Message:
        """Write a message, with a fresh MsgId."""
        head = self._head(int(self._world.now().timestamp()), kind)
        tail: dict[str, Value] = {"MsgId": self._world.next_id()}
        if "bizmsgmenuid" in fields:
            tail["bizmsgmenuid"] = fields.pop("bizmsgmenuid")
        return Message(self._phone.openid, tuple({**head, **fields, **tail}.items()))

    def event(self, name: str, /, **fields: Value) -> Message:
        """Write an event."""
        # No MsgId tells two events apart, only the second; a manual clock may stand still between two touches.
        second = max(int(self._world.now().timestamp()), self._last_event.get(name, 0) + 1)
        self._last_event[name] = second
        return Message(self._phone.openid, tuple({**self._head(second, "event"), "Event": name, **fields}.items()))

    def _head(self, second: int, kind: str) -> dict[str, Value]:
        return {
            "ToUserName": self._world.account.account_id,
            "FromUserName": self._phone.openid,
            "CreateTime": second,
            "MsgType": kind,
        }
