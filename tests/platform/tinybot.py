"""A few-line bot to test the simulator against; its crypto is wechatpy's, not ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto

from tests.platform import Clock, Platform
from tests.platform.markup import build
from tests.platform.values import Value

Behaviour = Callable[[Any], Awaitable[bytes]]


async def silent(_message: Any) -> bytes:
    """Answer nothing."""
    return b"success"


class TinyBot:
    """Decrypts, parses, asks `behave`, encrypts."""

    def __init__(self, platform: Platform, behave: Behaviour) -> None:
        self.platform = platform
        self.behave = behave
        self.nonce_prefix = "9"
        self.inbox: list[Any] = []
        self.queries: list[dict[str, str]] = []
        self.crypto = WeChatCrypto(platform.token, platform.encoding_aes_key, platform.app_id)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one webhook request."""
        if request.method == "GET":
            return web.Response(text=request.query["echostr"])
        query = dict(request.query)
        xml = await request.text()
        if encrypted := "encrypt_type" in query:
            xml = self.crypto.decrypt_message(xml, query["msg_signature"], query["timestamp"], query["nonce"])
        message = parse_message(xml)
        self.inbox.append(message)
        self.queries.append(query)
        answer = await self.behave(message)
        if encrypted and answer.startswith(b"<xml>"):
            answer = self.crypto.encrypt_message(answer.decode(), self.nonce_prefix + query["nonce"]).encode()
        return web.Response(body=answer)


def says(text: str, **changes: Value) -> Behaviour:
    """Answer every message with this text."""

    async def behave(message: Any) -> bytes:
        fields: dict[str, Value] = {"ToUserName": message.source, "FromUserName": message.target, "CreateTime": 1}
        return build({**fields, "MsgType": "text", "Content": text, **changes}.items()).encode()

    return behave


def answers(body: bytes) -> Behaviour:
    """Answer every message with this body."""

    async def behave(_message: Any) -> bytes:
        return body

    return behave


def hangs(times: int, then: Behaviour) -> Behaviour:
    """Leave the first requests without an answer."""
    left = times

    async def behave(message: Any) -> bytes:
        nonlocal left
        if left:
            left -= 1
            await asyncio.Event().wait()
        return await then(message)

    return behave


@asynccontextmanager
async def running(platform: Platform, behave: Behaviour = silent) -> AsyncIterator[TinyBot]:
    """Run a platform and a bot that know each other."""
    bot = TinyBot(platform, behave)
    runner = web.ServerRunner(web.Server(bot.serve, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    platform.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/wechat"
    try:
        async with platform:
            yield bot
    finally:
        await runner.cleanup()


class ApiClient:
    """Calls the platform's API as the product would."""

    def __init__(self, platform: Platform, session: aiohttp.ClientSession) -> None:
        self.platform = platform
        self.session = session
        self.token = ""

    async def call(self, method: str, path: str, query: dict[str, str] | None = None, **body: Any) -> Any:
        """Call one path: the decoded answer."""
        async with self.session.request(
            method, self.platform.api_base + path, params=query, **body, allow_redirects=False
        ) as response:
            return await response.json(content_type=None)

    async def login(self, *, force: bool = False) -> Any:
        """Fetch an access token and keep it."""
        asked = {"grant_type": "client_credential", "appid": self.platform.app_id, "secret": self.platform.secret}
        answer = await self.call("POST", "/cgi-bin/stable_token", json={**asked, "force_refresh": force})
        self.token = answer["access_token"]
        return answer

    async def post(self, path: str, **body: Any) -> Any:
        """Post with the token: the decoded answer."""
        return await self.call("POST", path, {"access_token": self.token}, **body)

    async def send(self, openid: str, content: str) -> int:
        """Send a customer-service text: the errcode."""
        body = b'{"touser":"%s","msgtype":"text","text":{"content":"%s"}}' % (openid.encode(), content.encode())
        answer = await self.post("/cgi-bin/message/custom/send", data=body)
        return int(answer["errcode"])


@asynccontextmanager
async def client(platform: Platform) -> AsyncIterator[ApiClient]:
    """A logged-in API client of a running platform."""
    async with aiohttp.ClientSession() as session:
        api = ApiClient(platform, session)
        await api.login()
        yield api


@asynccontextmanager
async def online(**options: Any) -> AsyncIterator[tuple[Platform, ApiClient, Clock]]:
    """Run a platform with a silent bot and a logged-in API client."""
    clock = Clock()
    platform = Platform(clock=clock, **options)
    async with running(platform), client(platform) as api:
        yield platform, api, clock
