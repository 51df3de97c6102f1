"""The HTTP side of the platform's API: routing, checking, scripted failures."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web

from tests.platform.endpoints import ROUTES, Query, Redirect, Result, Route
from tests.platform.refusal import RefusalError, error_body
from tests.platform.values import Call
from tests.platform.world import Failure, Media, World

PICTURES = "/mmbiz/"
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)


class UnexpectedCallError(Exception):
    """A call that is not in the platform's documents."""

    def __init__(self, why: str, errcode: int = 47001, status: int = 200) -> None:
        super().__init__(why)
        self.errcode = errcode
        self.status = status


def keep_escapes(text: str) -> str:
    r"""Double the backslash of every `\uXXXX`: the platform shows such escapes as they stand."""
    return _ESCAPE.sub(lambda match: "\\" + match[0] if match[0].startswith("\\u") else match[0], text)


class ApiServer:
    """Answers the bot's API calls on the loopback."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._serve), access_log=None, shutdown_timeout=1.0)

    async def start(self, host: str, port: int) -> str:
        """Listen: the base URL."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Let go of hanging calls and close."""
        self._closing.set()
        await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET" and request.path.startswith(PICTURES):
            return self._picture(request.path.removeprefix(PICTURES))
        call = await _record(request, self._world)
        failure = self._next_failure(call.path)
        response = self._answer(call, carry_out=failure is None or failure.effect)
        call.status = response.status
        if failure:
            call.status, call.errcode = failure.http_status, failure.errcode
        self._world.calls.append(call)
        self._world.notice.changed()
        return await self._fail(request, failure) if failure else response

    def _picture(self, media_id: str) -> web.Response:
        media = self._world.media.get(media_id)
        return _respond(media) if media else web.Response(status=404)

    def _next_failure(self, path: str) -> Failure | None:
        script = self._world.failures.get(path)
        return script.popleft() if script else None

    def _answer(self, call: Call, *, carry_out: bool) -> web.Response:
        route = ROUTES.get(call.path)
        plain_label = route is not None and route.plain_label
        try:
            body = _check(route, call)
        except UnexpectedCallError as error:
            self._world.unexpected.append(f"{call.method} {call.path}: {error}")
            call.errcode = error.errcode
            return _respond(error_body(error.errcode), plain_label=plain_label, status=error.status)
        if not carry_out:
            return web.Response()
        try:
            result = self._perform(ROUTES[call.path], call.query, body)
            call.errcode = 0
        except RefusalError as error:
            call.errcode = error.errcode
            result = error_body(error.errcode)
        return _respond(result, plain_label=plain_label)

    def _perform(self, route: Route, query: Query, body: Any) -> Result:
        if route.needs_token and (errcode := self._world.tokens.check(query["access_token"], self._world.now())):
            raise RefusalError(errcode)
        return route.handler(self._world, query, body)

    async def _fail(self, request: web.BaseRequest, failure: Failure) -> web.Response:
        if failure.errcode is not None:
            return _respond(error_body(failure.errcode))
        if failure.status is not None:
            return web.Response(status=failure.status, text="scripted failure")
        if failure.malformed:
            return web.Response(text='{"errcode":', content_type="application/json")
        if failure.hang:
            await self._closing.wait()
        if request.transport:
            request.transport.abort()
        return web.Response(status=503)


async def _record(request: web.BaseRequest, world: World) -> Call:
    raw = await request.read()
    body: object = None
    with suppress(ValueError):
        body = json.loads(keep_escapes(raw.decode()))
    return Call(request.method or "", request.path, dict(request.query), raw, body, world.now())


def _check(route: Route | None, call: Call) -> Any:
    if route is None:
        why = "no such path"
        raise UnexpectedCallError(why, status=404)
    if call.method != route.method:
        why = f"wants {route.method}"
        raise UnexpectedCallError(why)
    if missing := route.query - call.query.keys():
        why = f"query lacks {sorted(missing)}"
        raise UnexpectedCallError(why, 41001 if "access_token" in missing else 47001)
    if unknown := call.query.keys() - route.query - route.optional:
        why = f"query holds unknown {sorted(unknown)}"
        raise UnexpectedCallError(why)
    return _check_body(route, call)


def _check_body(route: Route, call: Call) -> Any:
    if route.body is None:
        if call.raw:
            why = "takes no body"
            raise UnexpectedCallError(why)
        return None
    try:
        return msgspec.json.decode(keep_escapes(call.raw.decode()), type=route.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        why = f"bad body: {error}"
        raise UnexpectedCallError(why) from error


def _respond(result: Result, *, plain_label: bool = False, status: int = 200) -> web.Response:
    if isinstance(result, Redirect):
        return web.Response(status=302, headers={"Location": result.url})
    if isinstance(result, Media):
        return web.Response(body=result.data, content_type=result.content_type)
    text = json.dumps(result, ensure_ascii=False)
    return web.Response(text=text, content_type="text/plain" if plain_label else "application/json", status=status)
