"""Every page of the staff's console and who may open it: nothing is mounted without a rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web
from multidict import MultiDict

from bot.console.auth import NOT_JSON, Guard, refuse
from bot.service import staff
from bot.service.staff import Member, Role

Form = MultiDict[str]
TOO_LONG = "填的内容太长了，请返回上一页，删短一些再试。"
Show = Callable[[web.Request, Member], Awaitable[web.StreamResponse]]
Do = Callable[[web.Request, Member, Form], Awaitable[web.StreamResponse]]

# Who reads records and figures; who decides about them; who runs the system; who writes the knowledge base.
OFFICE: tuple[Role, ...] = ("staff", "supervisor", "admin")
HEADS = staff.HEADS
ADMINS: tuple[Role, ...] = ("admin",)
EVERYONE: tuple[Role, ...] = ("lawyer", "staff", "supervisor", "admin")
EDITORS = EVERYONE
# Whose reading of a law counts.
JURISTS: tuple[Role, ...] = ("lawyer", "supervisor")


class Door(msgspec.Struct, frozen=True):
    """One route and the roles that may use it."""

    method: str
    path: str
    roles: tuple[Role, ...]


class Doors:
    """Mounts pages behind their rule: session, role, and for forms the origin."""

    def __init__(self, app: web.Application, guard: Guard) -> None:
        self._app = app
        self._guard = guard
        self.all: list[Door] = []

    def page(self, path: str, roles: tuple[Role, ...], show: Show) -> None:
        """Mount something to look at."""

        async def enter(request: web.Request) -> web.StreamResponse:
            return await show(request, await self._guard.require(request, *roles))

        self.all.append(Door("GET", path, roles))
        self._app.router.add_get(path, enter)

    def form(self, path: str, roles: tuple[Role, ...], do: Do) -> None:
        """Mount what a form of ours sends: it changes something, and leads on with a redirect."""

        async def enter(request: web.Request) -> web.StreamResponse:
            member = await self._guard.require(request, *roles)
            self._guard.check_origin(request, form=True)
            return await do(request, member, await read_form(request))

        self.all.append(Door("POST", path, roles))
        self._app.router.add_post(path, enter)


async def read_form(request: web.Request) -> Form:
    """The text fields of a form, without NUL characters, which PostgreSQL cannot keep."""
    try:
        fields = await request.post()
    except (UnicodeDecodeError, LookupError, ValueError):
        refuse(web.HTTPBadRequest, NOT_JSON, as_text=True)
    except web.HTTPRequestEntityTooLarge:
        refuse(web.HTTPBadRequest, TOO_LONG, as_text=True)
    return MultiDict((name, value.replace("\x00", "")) for name, value in fields.items() if isinstance(value, str))


def onward(path: str) -> web.Response:
    """After a form: on to a page, so that going back and reloading do nothing twice."""
    return web.Response(status=303, headers={"Location": path})
