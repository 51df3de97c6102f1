"""The platform as a test holds it: configuration, citizens, scripted failures, and the final reckoning."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, Unpack

import aiohttp

from tests.platform.allowance import MESSAGE_LINE, Line
from tests.platform.api import ApiServer
from tests.platform.citizen import Citizen
from tests.platform.clock import Clock, Now
from tests.platform.codec import Codec
from tests.platform.courier import BeforeRetry, Courier
from tests.platform.endpoints import ROUTES
from tests.platform.shapes import Menu
from tests.platform.values import Answer, Call, Delivery, Envelope, Message, Mode
from tests.platform.world import Account, Failure, FailureKeys, Phone, SceneCode, Watcher, World


@dataclass(kw_only=True)
class Platform:
    """Plays Tencent for one official account: an API server for the bot, and citizens who write to it."""

    bot_url: str = ""
    app_id: str = "wx0123456789abcdef"
    secret: str = field(default="app-secret-for-tests")
    token: str = field(default="webhook-token")
    encoding_aes_key: str | None = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFI"
    mode: Mode = "safe"
    account_id: str = "gh_0123456789ab"
    template_ids: frozenset[str] | None = None
    # Tencent's own note counts a touched menu line as a menu action, MENU_LINE; our page counts it as a message.
    tap_line: Line = MESSAGE_LINE
    clock: Now = field(default_factory=Clock)
    timeout: float = 5.0
    tries: int = 3
    host: str = "127.0.0.1"
    port: int = 0
    strict: bool = True
    before_retry: BeforeRetry | None = None

    def __post_init__(self) -> None:
        """Set up an account nobody has written to yet."""
        account = Account(self.app_id, self.secret, self.account_id, self.template_ids, self.tap_line)
        self._world = World(account, self.clock)
        self._codec = Codec(self.app_id, self.token, self.encoding_aes_key, self.mode)
        self._citizens: dict[str, Citizen] = {}
        self._server: ApiServer | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Start the API server."""
        self._server = ApiServer(self._world)
        self._world.base = await self._server.start(self.host, self.port)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and fail if the bot made calls nobody expected."""
        if self._session and self._server:
            await self._session.close()
            await self._server.stop()
        if self.strict and error is None:
            self.assert_clean()

    @property
    def api_base(self) -> str:
        """Base URL of the API, for the bot's settings."""
        return self._world.base

    @property
    def calls(self) -> list[Call]:
        """Every API call the bot made, in order."""
        return self._world.calls

    @property
    def unexpected(self) -> list[str]:
        """What the bot did that the documents do not know."""
        return self._world.unexpected

    @property
    def menu(self) -> Menu | None:
        """The menu the bot has created."""
        return self._world.menu

    @property
    def scenes(self) -> dict[str, SceneCode]:
        """The parametric QR codes the bot has created, by scene."""
        return self._world.scenes

    @property
    def watchers(self) -> list[Watcher]:
        """Called with openid and what is seen, whenever something shows up on a phone."""
        return self._world.watchers

    def citizen(self, openid: str, *, subscribed: bool = True) -> Citizen:
        """The citizen of this openid, the same one every time."""
        if openid not in self._citizens:
            phone = self._world.phones[openid] = Phone(openid, subscribed)
            self._citizens[openid] = Citizen(self._world, phone, self.deliver)
        return self._citizens[openid]

    def hold_phone(self, citizen: Citizen) -> None:
        """Say whose phone a real browser is from now on, for the login redirect."""
        self._world.holder = citizen.openid

    def store_media(self, data: bytes, content_type: str) -> str:
        """Upload a file by hand: its media id."""
        return self._world.store_media(data, content_type)

    def calls_to(self, path: str) -> list[Call]:
        """The API calls made to one path."""
        return [call for call in self.calls if call.path == path]

    async def called(self, path: str, count: int = 1, within: float = 5.0) -> Call:
        """Wait until a path was called this often: the last of those calls."""
        what = f"{count} calls to {path}"
        await self._world.notice.until(lambda: len(self.calls_to(path)) >= count, within, what)
        return self.calls_to(path)[count - 1]

    async def deliver(self, message: Message) -> Delivery:
        """Deliver a message to the bot."""
        return await self._courier().deliver(message)

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the very same message once more; a phone that has shown the reply does not show it again."""
        return await self._courier().deliver(delivery.message, muted=delivery.reply is not None)

    def seal(self, message: Message) -> Envelope:
        """Sign and encrypt a message without sending it, to tamper with it."""
        return self._courier().seal(message)

    async def raw_post(self, body: bytes, query: dict[str, str]) -> Answer:
        """Post anything to the bot."""
        return await self._courier().request("POST", query, body)

    async def verify_url(self, echostr: str = "5836512312345678901", signature: str | None = None) -> Answer:
        """Ask the bot to prove its URL, with a forged signature if one is given."""
        query = {**self._courier().sign_query(), "echostr": echostr}
        if signature is not None:
            query["signature"] = signature
        return await self._courier().request("GET", query)

    def revoke_token(self) -> None:
        """Make the current access token invalid (40001), as when someone else forces a refresh."""
        self._world.tokens.revoke()

    def fail_next(self, path: str, times: int = 1, **how: Unpack[FailureKeys]) -> None:
        """Script the next calls to one path to fail, in one of Failure's ways."""
        if path not in ROUTES:
            message = f"no such path {path}"
            raise ValueError(message)
        self._world.failures.setdefault(path, deque()).extend([Failure(**how)] * times)

    def assert_clean(self) -> None:
        """Raise if the bot did anything nobody expected."""
        if self.unexpected:
            raise AssertionError("unexpected by the platform:\n" + "\n".join(self.unexpected))

    def _courier(self) -> Courier:
        if self._session is None:
            message = "the platform is not running"
            raise RuntimeError(message)
        if not self.bot_url:
            message = "bot_url is not set"
            raise RuntimeError(message)
        return Courier(self._world, self._codec, self._session, self)
