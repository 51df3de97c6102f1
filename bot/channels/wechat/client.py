"""Calls to the platform: one shared token, a time limit on everything, every error with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import Enum
from http.client import OK as HTTP_OK
from typing import Any, TypeVar

import aiohttp
import msgspec

from bot.channels.wechat.files import LARGEST
from bot.ids import Clock
from bot.metrics import Metrics
from bot.settings import Wechat

T = TypeVar("T")

EARLY = timedelta(minutes=5)
DOWNLOAD_TIME = 60.0
PIECE = 64 * 1024


class Cause(Enum):
    """What an error asks of whoever made the call."""

    BUSY = "try again with back-off"
    TOKEN = "the token is no longer good"  # noqa: S105 - not a password
    HOLD = "wait for the citizen's next message"
    TOMORROW = "the day's quota of calls is used up"
    REFUSED = "this call cannot succeed"
    UNREACHABLE = "nothing was sent: try again with back-off"
    UNCERTAIN = "sent, but no answer: it may have been delivered"


_CAUSES = {
    -1: Cause.BUSY,
    40001: Cause.TOKEN,
    40014: Cause.TOKEN,
    42001: Cause.TOKEN,
    45015: Cause.HOLD,
    45047: Cause.HOLD,
    45009: Cause.TOMORROW,
}


class PlatformError(Exception):
    """A call that failed; `cause` says what to do, `code` is the platform's (0 where there was none)."""

    def __init__(self, cause: Cause, code: int = 0, text: str = "") -> None:
        super().__init__(f"{code} {text}".strip() or cause.value)
        self.cause = cause
        self.code = code


def cause_of(code: int) -> Cause:
    """What an `errcode` asks for; unknown ones cannot be mended by trying again."""
    return _CAUSES.get(code, Cause.REFUSED)


class Client:
    """The platform's API for one official account."""

    def __init__(self, session: aiohttp.ClientSession, settings: Wechat, clock: Clock, metrics: Metrics) -> None:
        self._session = session
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._token = ""
        self._good_until: datetime | None = None
        self._refresh = asyncio.Lock()

    async def send_text(self, openid: str, text: str) -> None:
        """A customer-service text; PlatformError if the platform did not take it."""
        await self.call("message/custom/send", {"touser": openid, "msgtype": "text", "text": {"content": text}})

    async def create_menu(self, menu: dict[str, Any]) -> None:
        """Replace the account's menu."""
        await self.call("menu/create", menu)

    async def typing(self, openid: str) -> None:
        """Show the citizen that somebody is writing."""
        await self.call("message/custom/typing", {"touser": openid, "command": "Typing"})

    async def send_template(self, openid: str, template: str, values: dict[str, str]) -> None:
        """A notice after a template that was approved for the account."""
        data = {name: {"value": value} for name, value in values.items()}
        await self.call("message/template/send", {"touser": openid, "template_id": template, "data": data})

    async def create_code(self, scene: str, seconds: int) -> str:
        """A QR code for a while: the address it carries."""
        action = {"scene": {"scene_str": scene}}
        payload = {"action_name": "QR_STR_SCENE", "expire_seconds": seconds, "action_info": action}
        return str((await self.call("qrcode/create", payload)).get("url", ""))

    async def get_media(self, media_id: str) -> bytes:
        """A citizen's picture or voice message."""
        return await self._with_token(lambda token: self._counted("media/get", self._download(media_id, token)))

    async def call(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """POST to `/cgi-bin/<name>`."""
        return await self._with_token(lambda token: self._post(name, payload, token))

    async def _with_token(self, ask: Callable[[str], Awaitable[T]]) -> T:
        """A token the platform no longer takes is renewed once."""
        token = await self._current_token()
        try:
            return await ask(token)
        except PlatformError as error:
            if error.cause is not Cause.TOKEN:
                raise
            self._forget(token)
            return await ask(await self._current_token())

    async def _current_token(self) -> str:
        async with self._refresh:
            if self._good_until is None or self._clock() >= self._good_until - EARLY:
                await self._fetch_token()
            return self._token

    async def _fetch_token(self) -> None:
        payload = {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._settings.secret.get_secret_value(),
            "force_refresh": False,
        }
        try:
            answer = await self._post("stable_token", payload)
            self._token = str(answer["access_token"])
            self._good_until = self._clock() + timedelta(seconds=int(answer["expires_in"]))
        except (KeyError, ValueError) as error:
            raise PlatformError(Cause.UNREACHABLE, text="no token in the answer") from error
        except PlatformError as error:
            # Whatever happened here, the message itself has not left; a wrong secret is mended some day.
            cause = {Cause.UNCERTAIN: Cause.UNREACHABLE, Cause.REFUSED: Cause.TOKEN}.get(error.cause, error.cause)
            raise PlatformError(cause, error.code, str(error)) from error

    def _forget(self, token: str) -> None:
        """Drop a rejected token, unless somebody has a newer one already."""
        if self._token == token:
            self._good_until = None

    async def _post(self, name: str, payload: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        return await self._counted(name, self._exchange(name, payload, token))

    async def _counted(self, name: str, work: Awaitable[T]) -> T:
        try:
            done = await work
        except PlatformError as error:
            self._metrics.api_calls.labels(name, error.cause.name.lower()).inc()
            raise
        self._metrics.api_calls.labels(name, "ok").inc()
        return done

    async def _download(self, media_id: str, token: str) -> bytes:
        raw = bytearray()
        try:
            async with self._session.get(
                f"{self._settings.api_base}/cgi-bin/media/get",
                params={"access_token": token, "media_id": media_id},
                timeout=aiohttp.ClientTimeout(total=DOWNLOAD_TIME, sock_read=self._settings.api_timeout),
            ) as response:
                status = response.status
                async for piece in response.content.iter_chunked(PIECE):
                    raw += piece
                    if len(raw) > LARGEST:
                        raise PlatformError(Cause.REFUSED, text="file too large")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PlatformError(Cause.UNREACHABLE, text=type(error).__name__) from error
        # Faults come as JSON, films as the address of a file that we do not follow.
        if status != HTTP_OK or raw[:1] == b"{":
            _answer(bytes(raw), status)
            raise PlatformError(Cause.REFUSED, text="no file in the answer")
        return bytes(raw)

    async def _exchange(self, name: str, payload: dict[str, Any], token: str | None) -> dict[str, Any]:
        url = f"{self._settings.api_base}/cgi-bin/{name}"
        try:
            # msgspec writes UTF-8 as it is: the platform would show escapes literally.
            async with self._session.post(
                url,
                params={"access_token": token} if token else None,
                data=msgspec.json.encode(payload),
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=aiohttp.ClientTimeout(total=self._settings.api_timeout),
            ) as response:
                raw = await response.read()
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise PlatformError(Cause.UNREACHABLE, text=type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PlatformError(Cause.UNCERTAIN, text=type(error).__name__) from error
        return _answer(raw, status)


def _answer(raw: bytes, status: int) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        cause = Cause.BUSY if status >= 500 else Cause.UNCERTAIN  # noqa: PLR2004 - HTTP's own classes
        raise PlatformError(cause, text=f"HTTP {status}, no JSON") from error
    code = answer.get("errcode", 0)
    if code:
        raise PlatformError(cause_of(int(code)), int(code), str(answer.get("errmsg", ""))[:120])
    return answer
