"""Who is asking, and whether the request is really theirs: every page and API of the console begins here."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web
from yarl import URL

from bot.channels.web.limits import client_address
from bot.conversation.rectification import Actor
from bot.conversation.turn import LOCAL
from bot.ids import Clock, NewId
from bot.service import editions, rectifications, sessions
from bot.service.rectifications import Owed
from bot.service.sessions import TOUCH_EVERY, Session
from bot.service.staff import HEADS, Member, Role
from bot.settings import Settings
from bot.store.database import Database

log = structlog.get_logger("console")

COOKIE = "fawen_staff"
LOGIN_FIRST = "请先登录。"
NOT_FOR_YOU = "您的账号不能用这一页，需要的话请找管理员。"
FOREIGN = "这个请求不是从本站页面发出的，已经拒绝。请回到页面刷新后再试。"
CHANGE_FIRST = "请先在“账号”页把起始密码改成您自己的。"
# All that is open to somebody whose password another person knows.
_WITH_LENT_PASSWORD = {"/account", "/account/password"}
NOT_JSON = "请求的格式不对，请刷新页面再试。"


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a member: bad ratings to put right, and others' texts to review."""

    cases: Owed = msgspec.field(default_factory=Owed)
    reviews: int = 0


# Of the member behind a request: every page's navigation says so.
WAITING = web.RequestKey("waiting", Waiting)


class Guard:
    """Knows the member behind a request by the cookie, and refuses requests that another site made."""

    def __init__(self, db: Database, clock: Clock, settings: Settings, new_id: NewId) -> None:
        self.db = db
        self.clock = clock
        self.new_id = new_id
        self.limits = settings.console.limits
        self._proxies = settings.http.trusted_proxies

    async def session(self, request: web.Request) -> Session | None:
        """The session behind a request, looked up afresh: a disabled member or revoked session is out at once."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        now, limits = self.clock(), self.limits
        found = await self.db.read(lambda conn: sessions.find(conn, token, limits, now))
        if found is not None and now - found.seen_at >= TOUCH_EVERY:
            session_id = found.id
            await self.db.write(lambda conn: sessions.touch(conn, session_id, now))
        return found

    async def member(self, request: web.Request) -> Member | None:
        """The member behind a request; to be asked again now and then by whoever holds a WebSocket open."""
        found = await self.session(request)
        return None if found is None else found.member

    async def require(self, request: web.Request, *roles: Role) -> Member:
        """The member behind a request, who must have one of these roles (none given: any).

        Otherwise a redirect to the login for pages, and a JSON fault for API calls.
        """
        return (await self.require_session(request, *roles)).member

    async def require_session(self, request: web.Request, *roles: Role) -> Session:
        """Like `require`, for the pages that concern the session itself."""
        found = await self.session(request)
        if found is None:
            if wants_page(request):
                raise web.HTTPSeeOther(_login_for(request))
            refuse(web.HTTPUnauthorized, LOGIN_FIRST)
        if found.member.lent and request.path not in _WITH_LENT_PASSWORD:
            if wants_page(request):
                raise web.HTTPSeeOther("/account")
            refuse(web.HTTPForbidden, CHANGE_FIRST)
        if roles and found.member.role not in roles:
            refuse(web.HTTPForbidden, NOT_FOR_YOU, as_text=wants_page(request))
        if wants_page(request):
            request[WAITING] = await self._waiting(found.member)
        return found

    async def _waiting(self, member: Member) -> Waiting:
        today = self.clock().astimezone(LOCAL).date()
        by = Actor(member.id, head=member.role in HEADS)
        return await self.db.read(
            lambda conn: Waiting(rectifications.owed(conn, by, today), editions.to_review(conn, member.id))
        )

    def check_origin(self, request: web.Request, *, form: bool = False) -> None:
        """Refuse what another site made the browser send: for every request that changes something, and WebSockets.

        A body must be JSON, which other sites cannot send unasked, or with `form` that of a form of ours.
        """
        if not self._is_ours(request):
            log.warning("refused", why="foreign_origin", path=request.path)
            refuse(web.HTTPForbidden, FOREIGN, as_text=form)
        wanted = "application/x-www-form-urlencoded" if form else "application/json"
        if request.can_read_body and request.content_type != wanted:
            refuse(web.HTTPUnsupportedMediaType, NOT_JSON, as_text=form)

    def _is_ours(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site")
        if site not in {None, "same-origin"} or (origin is None and site is None):
            return False
        return origin is None or origin == f"{'https' if self.is_https(request) else 'http'}://{request.host}"

    def is_https(self, request: web.Request) -> bool:
        """Whether the browser's side of the connection is encrypted."""
        proxied = self._proxies and request.headers.get("X-Forwarded-Proto") == "https"
        return request.secure or bool(proxied)

    def address(self, request: web.Request) -> str:
        """The client's network address."""
        return client_address(request.remote or "", request.headers.get("X-Forwarded-For", ""), self._proxies)


def wants_page(request: web.Request) -> bool:
    """Whether a person is looking, rather than a script of ours."""
    return "text/html" in request.headers.get("Accept", "")


def _login_for(request: web.Request) -> str:
    """The login that leads back here; not to where a form was sent."""
    login = URL("/login")
    return str(login.with_query(next=request.path_qs) if request.method in {"GET", "HEAD"} else login)


def refuse(kind: type[web.HTTPError], sentence: str, *, as_text: bool = False) -> NoReturn:
    """End the request with one sentence: `{"error": …}` for scripts, plain text for people."""
    if as_text:
        raise kind(text=sentence, content_type="text/plain")
    raise kind(text=msgspec.json.encode({"error": sentence}).decode(), content_type="application/json")


def own_path(path: str, otherwise: str) -> str:
    """A path of ours to go on to after the login; `otherwise` for what might lead elsewhere."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return otherwise
    strange = parts.scheme or parts.netloc or not path.startswith("/") or path.startswith("//")
    if strange or "\\" in path or not path.isprintable() or not path.isascii():
        return otherwise
    return otherwise if parts.path in {"/login", "/logout"} else path
