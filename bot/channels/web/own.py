"""`/my/…`: what a citizen takes along of their own data, behind a private link that opens once."""

from __future__ import annotations

from importlib import resources

import jinja2
import msgspec
from aiohttp import web

from bot.channels.web.limits import client_address
from bot.channels.web.views import HEADERS
from bot.ids import Clock, NewId
from bot.service import own_data
from bot.service.own_data import PATH, Everything
from bot.settings import Settings
from bot.store.database import Database

_TEMPLATES = resources.files("bot.channels.web") / "static"
LONGEST = 128
NAME = "我的记录"


class OwnPages:
    """The page that asks which form is wanted, and the file itself.

    Opening the page uses nothing up: phones and chat apps fetch links before people do.
    """

    def __init__(self, db: Database, clock: Clock, new_id: NewId, settings: Settings) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._proxies = settings.http.trusted_proxies
        loader = jinja2.DictLoader({"own.html": (_TEMPLATES / "own.html").read_text(encoding="utf-8")})
        self._pages = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def add_to(self, app: web.Application) -> None:
        """Mount both."""
        app.add_routes([web.get(PATH + "{token}", self.ask), web.post(PATH + "{token}", self.give)])

    async def ask(self, request: web.Request) -> web.Response:
        """In which form it is wanted; or that the link is over."""
        token, now = request.match_info["token"][:LONGEST], self._clock()
        good = await self._db.read(lambda conn: own_data.good(conn, token, now))
        return self._page(200 if good else 410, good=good, whole=None)

    async def give(self, request: web.Request) -> web.Response:
        """Everything, once."""
        token, now = request.match_info["token"][:LONGEST], self._clock()
        form = (await request.post()).get("form", "page")
        address = client_address(request.remote or "", request.headers.get("X-Forwarded-For", ""), self._proxies)
        whole = await self._db.write(lambda conn: own_data.take(conn, self._new_id, token, address, now))
        if whole is None:
            return self._page(410, good=False, whole=None)
        if form == "text":
            return _file(as_text(whole), "text/plain", "my-records.txt")
        if form == "json":
            return _file(
                msgspec.json.format(msgspec.json.encode(whole)).decode(), "application/json", "my-records.json"
            )
        return self._page(200, good=True, whole=whole)

    def _page(self, status: int, **values: object) -> web.Response:
        text = self._pages.get_template("own.html").render(values)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


def as_text(whole: Everything) -> str:
    """Everything as plain text, for keeping and printing."""
    lines = [f"{NAME}（{whole.channel}，{whole.made_at}导出）", f"从{whole.since}起。"]
    lines += [f"乡镇：{whole.township}"] if whole.township else []
    parts = {
        "咨询": [
            "，".join(
                filter(None, (f"{one.at} {one.kind}", one.subject, one.result, one.grade and f"评价：{one.grade}"))
            )
            for one in whole.consultations
        ],
        "找律师": list(whole.handoffs),
        "评价": [f"{one.at} {one.grade} {one.words}".rstrip() for one in whole.ratings],
        "发来的图片、语音（文件本身不在里面）": list(whole.media),
        "说过的话": [f"{one.at} {one.who}：{one.text}" for one in whole.messages],
    }
    for name, found in parts.items():
        lines += ["", f"【{name}】", *(found or ["没有"])]
    return "\n".join(lines) + "\n"


def _file(text: str, kind: str, name: str) -> web.Response:
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=headers)
