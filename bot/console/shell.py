"""What all pages of the console share: frame, headers, static files."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

import jinja2
import msgspec
from aiohttp import web

from bot.console.auth import WAITING, Waiting
from bot.console.doors import EVERYONE, HEADS, OFFICE
from bot.service.staff import COUNSEL, ROLE_NAMES, Member, Role

STATIC = resources.files("bot.console") / "static"


class Section(msgspec.Struct, frozen=True):
    """A part of the console, as the navigation shows it to those who may go there."""

    path: str
    name: str
    roles: tuple[Role, ...]
    also: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a page belongs to it."""
        below = (self.path, *self.also) if self.path != "/console" else self.also
        return path == self.path or any(path == one or path.startswith(one + "/") for one in below)


SECTIONS: tuple[Section, ...] = (
    Section("/workbench", "工作台", COUNSEL),
    Section("/console", "咨询记录", OFFICE, ("/console/consultations", "/console/exports", "/console/access")),
    Section("/console/figures", "数字", OFFICE),
    Section("/console/reports", "报告", OFFICE),
    Section("/console/rectifications", "整改", EVERYONE, ("/console/ratings",)),
    Section("/console/knowledge", "知识", EVERYONE),
    Section("/console/lessons", "普法", OFFICE),
    Section("/console/admin", "管理", HEADS),
    Section("/account", "账号", EVERYONE),
)
COUNTY = web.AppKey("console.county", str)
DEMO = web.AppKey("console.demo", bool)
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".mp3": "audio/mpeg"}
_HOST = re.compile(r"[0-9A-Za-z.\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


def add_to(app: web.Application, *, county: str, demo: bool) -> None:
    """Mount the static files, and remember what every page shows."""
    app[COUNTY] = county
    app[DEMO] = demo
    app.add_routes([web.get("/static/console/{name}", static)])


def render(
    request: web.Request, template: str, member: Member | None = None, *, status: int = 200, **values: Any
) -> web.Response:
    """A page in the console's frame: header with name, role and links for whoever is logged in."""
    text = (
        _pages()
        .get_template(template)
        .render(
            member=member,
            role=ROLE_NAMES[member.role] if member else "",
            home=home(member) if member else "/login",
            sections=[one for one in SECTIONS if member and member.role in one.roles],
            here=request.path,
            waiting=request.get(WAITING, Waiting()),
            county=request.app[COUNTY],
            demo=request.app[DEMO],
            **values,
        )
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=headers(request))


def home(member: Member) -> str:
    """Where a member's work begins."""
    return "/workbench" if member.role in COUNSEL else "/console"


def headers(request: web.Request) -> dict[str, str]:
    """Security headers of a page."""
    host = request.host
    # Older iPhones do not count a WebSocket to the same host as 'self'.
    socket = f" wss://{host} ws://{host}" if _HOST.fullmatch(host) else ""
    return {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        f"media-src 'self' blob:; connect-src 'self'{socket}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        # Not no-referrer: under that, browsers say "Origin: null" with forms, and we could not tell them from forged ones.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


async def static(request: web.Request) -> web.Response:
    """The console's own files, by name."""
    found = _files().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    body, kind = found
    return web.Response(
        body=body,
        content_type=kind,
        charset="utf-8" if kind.startswith("text/") else None,
        headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"},
    )


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    kinds = ((file, _KINDS.get("." + file.name.rpartition(".")[2])) for file in STATIC.iterdir())
    return {file.name: (file.read_bytes(), kind) for file, kind in kinds if kind is not None}


@cache
def _pages() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("bot.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
