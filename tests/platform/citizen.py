"""A citizen with a phone: what can be done on it, and what shows up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

from tests.platform import login, menus
from tests.platform.allowance import MENU_LINE, MESSAGE_LINE, Line
from tests.platform.api import PICTURES
from tests.platform.messages import Pen
from tests.platform.values import Delivery, Message, Seen, Tap, Value
from tests.platform.world import Phone, World

SAMPLE_IMAGE = b"\x89PNG\r\n\x1a\n sample"
SAMPLE_VOICE = b"#!AMR\n sample"
SAMPLE_VIDEO = b"\x00\x00\x00\x18ftypmp42 sample"
# Of the menu's events only those that report a touch to us open the window; VIEW merely opens a page.
_MENU_EVENTS = frozenset({"CLICK", "SCAN", "subscribe", "scancode_push", "scancode_waitmsg"})

Deliver = Callable[[Message], Awaitable[Delivery]]


class Citizen:
    """One citizen; every action is delivered to the bot and returns how that went."""

    def __init__(self, world: World, phone: Phone, deliver: Deliver) -> None:
        self._world = world
        self._phone = phone
        self._deliver = deliver
        self._pen = Pen(world, phone)

    @property
    def openid(self) -> str:
        """The citizen's openid."""
        return self._phone.openid

    @property
    def subscribed(self) -> bool:
        """Whether the citizen follows the account."""
        return self._phone.subscribed

    @property
    def seen(self) -> list[Seen]:
        """Everything shown on the phone so far."""
        return self._phone.seen

    @property
    def last(self) -> Seen:
        """What was shown last."""
        return self._phone.seen[-1]

    @property
    def typing(self) -> bool:
        """Whether the phone shows that the other side is typing."""
        return self._phone.typing

    @property
    def messages_left(self) -> int:
        """How many customer-service messages may still come."""
        allowance = self._phone.allowance
        return allowance.left if allowance.until and self._world.now() < allowance.until else 0

    async def sees(self, count: int, within: float = 5.0) -> Seen:
        """Wait until this many things were shown in all: the last of them."""
        what = f"{self.openid} to see {count} things; seen so far: {[item.visible for item in self.seen]}"
        await self._world.notice.until(lambda: len(self.seen) >= count, within, what)
        return self.seen[count - 1]

    async def say(self, text: str) -> Delivery:
        """Send a text."""
        return await self._send(MESSAGE_LINE, "text", Content=text)

    async def tap(self, content: str, menu_id: str) -> Delivery:
        """Touch a tappable line that sends this content."""
        return await self._send(self._world.account.tap_line, "text", Content=content, bizmsgmenuid=menu_id)

    async def press(self, label: str) -> Delivery:
        """Touch the latest tappable line on the screen that reads like this."""
        tap = self.find_tap(label)
        return await self.tap(tap.content, tap.menu_id)

    def find_tap(self, label: str) -> Tap:
        """Find the latest tappable line on the screen that reads like this."""
        for seen in reversed(self.seen):
            for tap in seen.taps:
                if tap.label == label:
                    return tap
        message = f"nothing to tap reads {label!r}"
        raise LookupError(message)

    async def image(self, data: bytes = SAMPLE_IMAGE, content_type: str = "image/png") -> Delivery:
        """Send a picture."""
        media_id = self._world.store_media(data, content_type)
        return await self._send(
            MESSAGE_LINE, "image", PicUrl=f"{self._world.base}{PICTURES}{media_id}", MediaId=media_id
        )

    async def voice(self, data: bytes = SAMPLE_VOICE, recognition: str | None = None) -> Delivery:
        """Send a voice message, with recognised words only if given."""
        fields = {"MediaId": self._world.store_media(data, "audio/amr"), "Format": "amr"}
        if recognition is not None:
            fields["Recognition"] = recognition
        return await self._send(MESSAGE_LINE, "voice", **fields)

    async def video(self, data: bytes = SAMPLE_VIDEO, *, short: bool = False) -> Delivery:
        """Send a video."""
        return await self._send(
            MESSAGE_LINE,
            "shortvideo" if short else "video",
            MediaId=self._world.store_media(data, "video/mp4"),
            ThumbMediaId=self._world.store_media(SAMPLE_IMAGE, "image/png"),
        )

    async def location(self, latitude: float, longitude: float, label: str = "", scale: int = 15) -> Delivery:
        """Send a place."""
        return await self._send(
            MESSAGE_LINE, "location", Location_X=latitude, Location_Y=longitude, Scale=scale, Label=label
        )

    async def link(self, title: str, url: str, description: str = "") -> Delivery:
        """Send a link."""
        return await self._send(MESSAGE_LINE, "link", Title=title, Description=description, Url=url)

    async def file(self, title: str, size: int = 1024) -> Delivery:
        """Send a file: a type outside the documented ones."""
        return await self._send(
            MESSAGE_LINE, "file", Title=title, Description="", FileKey="k", FileMd5="0" * 32, FileTotalLen=size
        )

    async def subscribe(self, scene: str | None = None) -> Delivery:
        """Follow the account, through a parametric QR code if a scene is given."""
        self._phone.subscribed = True
        key = "" if scene is None else f"qrscene_{scene}"
        ticket: dict[str, Value] = {} if scene is None else {"Ticket": self._ticket(scene)}
        return await self.event("subscribe", EventKey=key, **ticket)

    async def unsubscribe(self) -> Delivery:
        """Leave the account."""
        event = self._pen.event("unsubscribe", EventKey="")
        self._phone.subscribed = False
        self._phone.allowance.left, self._phone.allowance.until = 0, None
        return await self._deliver(event)

    async def scan(self, scene: str) -> Delivery:
        """Scan a parametric QR code; who does not follow yet, follows by it."""
        if not self.subscribed:
            return await self.subscribe(scene)
        return await self.event("SCAN", EventKey=scene, Ticket=self._ticket(scene))

    async def click(self, key: str) -> Delivery:
        """Press a menu button of type `click`."""
        return await self.event("CLICK", EventKey=key)

    async def view(self, url: str) -> Delivery:
        """Press a menu button of type `view`."""
        return await self.event("VIEW", EventKey=url)

    async def choose(self, name: str) -> Delivery:
        """Press the button of this name on the menu the bot has created."""
        button = menus.find(self._world.menu, name)
        return await (self.click(button.key or "") if button.type == "click" else self.view(button.url or ""))

    async def event(self, name: str, /, **fields: Value) -> Delivery:
        """Send any event."""
        self._require_subscribed()
        if name in _MENU_EVENTS:
            self._phone.allowance.act(MENU_LINE, self._world.now())
        return await self._deliver(self._pen.event(name, **fields))

    def write(self, text: str) -> Message:
        """Compose a text without sending it, for `Platform.deliver`."""
        return self._pen.message("text", Content=text)

    def open_login(self, url: str) -> str:
        """Open a login address in WeChat's browser: where it sends the citizen."""
        parts = urlsplit(url)
        if parts.path != login.AUTHORIZE_PATH:
            message = f"not a login address: {url}"
            raise ValueError(message)
        return login.authorize(self._world, self.openid, dict(parse_qsl(parts.query)))

    async def _send(self, line: Line, kind: str, **fields: Value) -> Delivery:
        self._require_subscribed()
        self._phone.allowance.act(line, self._world.now())
        return await self._deliver(self._pen.message(kind, **fields))

    def _require_subscribed(self) -> None:
        if not self.subscribed:
            message = f"{self.openid} does not follow the account and cannot act on it"
            raise RuntimeError(message)

    def _ticket(self, scene: str) -> str:
        code = self._world.scenes.get(scene)
        return code.ticket if code else f"ticket-of-{scene}"
