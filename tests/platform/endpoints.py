"""What each API call does to the world, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import msgspec

from tests.platform import login, menus, screen, shapes
from tests.platform.refusal import RefusalError, error_body
from tests.platform.values import Seen
from tests.platform.world import Media, Phone, SceneCode, World

MAX_PERMANENT_CODES = 100_000
MAX_SCENE_LENGTH = 64
MAX_EXPIRE_SECONDS = 2_592_000


@dataclass(frozen=True, slots=True)
class Redirect:
    """An answer that sends the browser elsewhere."""

    url: str


Query = Mapping[str, str]
Result = dict[str, object] | Media | Redirect


@dataclass(frozen=True, slots=True)
class Route:
    """One API call: how it must be made, and what carries it out."""

    method: Literal["GET", "POST"]
    handler: Callable[[World, Query, Any], Result]
    body: Any = None
    query: frozenset[str] = field(default_factory=lambda: frozenset({"access_token"}))
    optional: frozenset[str] = frozenset()
    # The platform labels these JSON answers text/plain, which trips clients that insist on the content type.
    plain_label: bool = False

    @property
    def needs_token(self) -> bool:
        """Whether an access token is checked."""
        return "access_token" in self.query


def _stable_token(world: World, _query: Query, body: shapes.TokenRequest) -> Result:
    if body.appid != world.account.app_id:
        raise RefusalError(40013)
    if body.secret != world.account.secret:
        raise RefusalError(40125)
    token, seconds = world.tokens.grant(world.now(), force=body.force_refresh)
    return {"access_token": token, "expires_in": seconds}


def _reach(world: World, openid: str) -> Phone:
    phone = world.phones.get(openid)
    if phone is None:
        raise RefusalError(40003)
    if not phone.subscribed:
        raise RefusalError(43004)
    return phone


def _send(world: World, _query: Query, body: shapes.Send) -> Result:
    phone = _reach(world, body.touser)
    seen = _render(world, body)
    if errcode := phone.allowance.spend(world.now()):
        raise RefusalError(errcode)
    world.show(phone, seen)
    return error_body(0)


def _render(world: World, body: shapes.Send) -> Seen:
    now = world.now()
    match body:
        case shapes.SendText(text=text):
            _check_text(text.content)
            return screen.show_text("service", text.content, now)
        case shapes.SendImage(image=image):
            if world.find_media(image.media_id) is None:
                raise RefusalError(40007)
            return screen.show_media("service", "image", {"media_id": image.media_id}, now)
        case shapes.SendNews(news=news):
            if len(news.articles) != 1:
                raise RefusalError(45008)
            card = news.articles[0]
            detail = {name: str(getattr(card, name)) for name in ("title", "description", "url", "picurl")}
            return screen.show_article("service", detail, now)
        case shapes.SendMenu(msgmenu=menu):
            items = [(item.id, item.content) for item in menu.items]
            seen = screen.show_menu(menu.head_content, items, menu.tail_content, now)
            _check_text(seen.text)
            return seen


def _check_text(text: str) -> None:
    if not text:
        raise RefusalError(44004)
    if screen.too_long(text):
        raise RefusalError(45002)


def _typing(world: World, _query: Query, body: shapes.Typing) -> Result:
    _reach(world, body.touser).typing = body.command == "Typing"
    return error_body(0)


def _create_menu(world: World, _query: Query, body: shapes.Menu) -> Result:
    menus.check(body)
    world.menu = body
    return error_body(0)


def _get_menu(world: World, _query: Query, _body: None) -> Result:
    if world.menu is None:
        raise RefusalError(46003)
    return {"menu": msgspec.to_builtins(world.menu)}


def _create_code(world: World, _query: Query, body: shapes.SceneRequest) -> Result:
    scene = body.action_info.scene.scene_str
    if not 1 <= len(scene) <= MAX_SCENE_LENGTH:
        raise RefusalError(40053)
    if isinstance(body, shapes.TemporaryCode):
        if not 1 <= body.expire_seconds <= MAX_EXPIRE_SECONDS:
            raise RefusalError(40053)
        code = _new_code(world, scene, body.expire_seconds)
        return {"ticket": code.ticket, "expire_seconds": body.expire_seconds, "url": code.url}
    known = world.scenes.get(scene)
    if known is None or known.expires:
        if sum(code.expires is None for code in world.scenes.values()) >= MAX_PERMANENT_CODES:
            raise RefusalError(45029)
        known = _new_code(world, scene, None)
    return {"ticket": known.ticket, "url": known.url}


def _new_code(world: World, scene: str, seconds: int | None) -> SceneCode:
    ticket = uuid4().hex
    expires = None if seconds is None else world.now() + timedelta(seconds=seconds)
    code = SceneCode(scene, ticket, f"http://weixin.qq.com/q/{ticket}", expires)
    world.scenes[scene] = code
    return code


def _send_template(world: World, _query: Query, body: shapes.Template) -> Result:
    phone = _reach(world, body.touser)
    known = world.account.template_ids
    if known is not None and body.template_id not in known:
        raise RefusalError(40037)
    values = {name: item.value for name, item in body.data.items()}
    world.show(phone, screen.show_template(body.template_id, values, body.url, world.now()))
    return {**error_body(0), "msgid": world.next_id()}


def _get_media(world: World, query: Query, _body: None) -> Result:
    media = world.find_media(query["media_id"])
    if media is None:
        raise RefusalError(40007)
    return media


def _exchange_code(world: World, query: Query, _body: None) -> Result:
    return login.exchange(world, query)


def _authorize(world: World, query: Query, _body: None) -> Result:
    return Redirect(login.authorize(world, world.holder, query))


ROUTES: dict[str, Route] = {
    "/cgi-bin/stable_token": Route("POST", _stable_token, shapes.TokenRequest, query=frozenset()),
    "/cgi-bin/message/custom/send": Route("POST", _send, shapes.Send),
    "/cgi-bin/message/custom/typing": Route("POST", _typing, shapes.Typing),
    "/cgi-bin/menu/create": Route("POST", _create_menu, shapes.Menu),
    "/cgi-bin/menu/get": Route("GET", _get_menu),
    "/cgi-bin/qrcode/create": Route("POST", _create_code, shapes.SceneRequest),
    "/cgi-bin/message/template/send": Route("POST", _send_template, shapes.Template),
    "/cgi-bin/media/get": Route("GET", _get_media, query=frozenset({"access_token", "media_id"}), plain_label=True),
    "/sns/oauth2/access_token": Route(
        "GET", _exchange_code, query=frozenset({"appid", "secret", "code", "grant_type"}), plain_label=True
    ),
    "/connect/oauth2/authorize": Route(
        "GET",
        _authorize,
        query=frozenset({"appid", "redirect_uri", "response_type", "scope"}),
        optional=frozenset({"state"}),
    ),
}
