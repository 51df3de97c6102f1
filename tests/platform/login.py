"""The web login: who opens one of our pages inside WeChat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

from tests.platform.refusal import RefusalError
from tests.platform.tokens import LIFE
from tests.platform.world import LoginCode, World

CODE_LIFE = timedelta(minutes=5)
AUTHORIZE_PATH = "/connect/oauth2/authorize"


def authorize(world: World, openid: str, query: Mapping[str, str]) -> str:
    """Let a citizen in: the page's own address with a one-time code added."""
    asked = (query.get("appid"), query.get("response_type"), query.get("scope"))
    target = urlsplit(query.get("redirect_uri", ""))
    if asked != (world.account.app_id, "code", "snsapi_base") or not target.netloc:
        world.unexpected.append(f"login the platform would refuse: {dict(query)}")
        raise RefusalError(40013)
    if openid not in world.phones:
        raise RefusalError(40003)
    code = uuid4().hex
    world.login_codes[code] = LoginCode(openid, "snsapi_base", world.now() + CODE_LIFE)
    added = {"code": code, "state": query.get("state", "")}
    return urlunsplit(target._replace(query=urlencode([*parse_qsl(target.query), *added.items()])))


def exchange(world: World, query: Mapping[str, str]) -> dict[str, object]:
    """Turn a code into the citizen's openid, once."""
    if query["appid"] != world.account.app_id:
        raise RefusalError(40013)
    if query["secret"] != world.account.secret:
        raise RefusalError(40125)
    if query["grant_type"] != "authorization_code":
        raise RefusalError(47001)
    code = world.login_codes.pop(query["code"], None)
    if code is None or world.now() >= code.expires:
        raise RefusalError(40029)
    return {
        "access_token": uuid4().hex,
        "expires_in": int(LIFE.total_seconds()),
        "refresh_token": uuid4().hex,
        "openid": code.openid,
        "scope": code.scope,
    }
